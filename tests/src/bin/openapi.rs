//! Writes the description of the API anew, where the function `insights` takes it from.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]

use std::process::ExitCode;

use tests::openapi;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments != ["write"] {
        eprintln!("usage: cargo run -p tests --bin openapi -- write");
        return ExitCode::FAILURE;
    }
    let text = openapi::text();
    match std::fs::write(openapi::FILE, &text) {
        Ok(()) => println!("{} lines in {}", text.lines().count(), openapi::FILE),
        Err(error) => {
            eprintln!("error: {} can't be written: {error}", openapi::FILE);
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
