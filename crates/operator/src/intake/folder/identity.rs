//! What makes a file in the folder the same request as one that was taken before.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

/// Name, device, inode, time of change in nanoseconds and content: a crash between acceptance and the
/// move must not make a second intent, yet the same content in another file is another request.
pub fn key(name: &str, metadata: &Metadata, content: &[u8]) -> String {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    context.update(&(name.len() as u64).to_be_bytes());
    context.update(name.as_bytes());
    context.update(&metadata.dev().to_be_bytes());
    context.update(&metadata.ino().to_be_bytes());
    context.update(&metadata.mtime().to_be_bytes());
    context.update(&metadata.mtime_nsec().to_be_bytes());
    context.update(content);
    context.finish().as_ref().iter().fold(String::with_capacity(64), |mut hex, byte| {
        use std::fmt::Write as _;
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
