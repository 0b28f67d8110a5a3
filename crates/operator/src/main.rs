//! Words in, a reviewed commit out. See `nephoran::cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    nephoran::cli::main()
}
