//! The program as somebody at a terminal meets it.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    process::{Child, Command, Stdio},
};

fn local(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Ends the program even if the test fails.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_taken_port_says_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let output = local(&["--port", &port.to_string()]).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(error.contains(&format!("port {port} is taken")) && error.contains("--port"), "{error}");
}

#[test]
fn a_parameter_out_of_range_says_what_is_allowed() {
    let output = local(&["--port", "0", "--parameter", "BcryptCost=40"]).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(error.contains("BcryptCost") && error.contains("15"), "{error}");
}

#[test]
fn it_greets_with_an_admin_key_and_ends_cleanly_on_ctrl_c() {
    let mut running = Running(local(&["--port", "0", "--parameter", "BcryptCost=4"]).spawn().unwrap());
    let lines = BufReader::new(running.0.stdout.take().unwrap()).lines();
    let greeting: Vec<String> = lines.map(Result::unwrap).take_while(|line| !line.starts_with("Requests:")).collect();
    assert!(greeting.iter().any(|line| line.contains("API keys on http://127.0.0.1:")), "{greeting:#?}");
    assert!(greeting.iter().any(|line| line.trim().starts_with("ADMIN=mbk_live_")), "{greeting:#?}");
    let interrupted = Command::new("kill").args(["-INT", &running.0.id().to_string()]).status().unwrap();
    assert!(interrupted.success() && running.0.wait().unwrap().success());
}

#[test]
fn the_engine_alone_says_how_to_go_on_and_writes_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("env");
    let mut running = Running(local(&["--engine-only", "--port", "0", "--env-file", file.to_str().unwrap()]).spawn().unwrap());
    let lines = BufReader::new(running.0.stdout.take().unwrap()).lines();
    let greeting: Vec<String> = lines.map(Result::unwrap).take_while(|line| !line.contains("cargo lambda invoke")).collect();
    let url =
        greeting.iter().find_map(|line| line.strip_prefix("DynamoDB, Secrets Manager and SNS on ")?.split_whitespace().next());
    let environment = std::fs::read_to_string(&file).unwrap();
    assert!(environment.contains(&format!("AWS_ENDPOINT_URL_DYNAMODB={}\n", url.unwrap())), "{environment}");
    assert!(greeting.iter().any(|line| line.contains("cargo lambda watch")), "{greeting:#?}");
}

#[test]
fn a_gateway_without_functions_says_what_to_start() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let output = local(&["--port", "0", "--lambda-url", &format!("http://{nobody}")]).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(error.contains("cargo lambda watch") && error.contains(&nobody.to_string()), "{error}");
    let error = local(&["--lambda-url", "nonsense", "--port", "0"]).output().unwrap().stderr;
    assert!(String::from_utf8(error).unwrap().contains("is no address"));
}

#[test]
fn known_keys_never_come_into_a_data_directory() {
    let output = local(&["--engine-only", "--data-dir", "x"]).output().unwrap();
    assert!(!output.status.success() && String::from_utf8(output.stderr).unwrap().contains("cannot be used with"));
}
