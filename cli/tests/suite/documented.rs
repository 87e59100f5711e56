//! The documentation has every command, flag and exit code. What its examples print, `.ci/walk` sees to.

use std::{fs, path::Path};

use clap::Command;

fn page() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cli.md")).unwrap()
}

fn leaves(command: &Command, before: &str, into: &mut Vec<(String, Command)>) {
    let name = format!("{before} {}", command.get_name()).trim().to_owned();
    let children: Vec<_> = command.get_subcommands().filter(|child| child.get_name() != "help").collect();
    if children.is_empty() || !command.is_subcommand_required_set() {
        into.push((name.clone(), command.clone()));
    }
    for child in children {
        leaves(child, &name, into);
    }
}

#[test]
fn every_command_and_flag_is_documented() {
    let (page, mut all) = (page(), Vec::new());
    leaves(&cli::command(), "", &mut all);
    all.push(("mbk".to_owned(), cli::command()));
    assert!(all.len() > 20);
    for (name, command) in &all {
        assert!(page.contains(name.as_str()), "docs/cli.md says nothing of `{name}`");
        for flag in
            command.get_arguments().filter_map(|argument| argument.get_long()).filter(|flag| !["help", "version"].contains(flag))
        {
            assert!(page.contains(&format!("--{flag}")), "docs/cli.md says nothing of --{flag} of `{name}`");
        }
    }
}

#[test]
fn every_exit_code_is_documented() {
    let page = page();
    for code in [0, 1, 2, 3, 130] {
        assert!(page.contains(&format!("| `{code}` | ")), "docs/cli.md says nothing of the exit code {code}");
    }
}
