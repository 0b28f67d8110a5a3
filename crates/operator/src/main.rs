//! Words in, a reviewed commit out. See `nephoran::cli`.

use std::alloc::System;
use std::process::ExitCode;

use cap::Cap;

/// One addition per allocation: what is allocated now is shown in `/metrics`.
#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

fn main() -> ExitCode {
    nephoran::telemetry::metrics::count_allocated(|| ALLOCATOR.allocated());
    nephoran::cli::main()
}
