//! `mbk`: keys from a terminal. Everything is in the library.

fn main() -> std::process::ExitCode {
    cli::run()
}
