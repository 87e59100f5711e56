//! Completions and the manual page.

use std::io::{self, Write};

use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;

use crate::{exit::Exit, failure::Failure};

pub(super) fn completions(shell: Shell) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut crate::command(), "mbk", &mut script);
    io::stdout().write_all(&script)?;
    Ok(Exit::Done)
}

/// Other manuals have a page for each command; this is one, because one is what can be piped.
pub(super) fn man() -> Result<Exit, Failure> {
    let (mut page, mut command) = (Vec::new(), crate::command());
    // So that commands know of the flags that every one of them takes.
    command.build();
    Man::new(command.clone()).render(&mut page)?;
    for command in command.get_subcommands().filter(|command| command.get_name() != "help") {
        describe(command, "mbk", &mut page)?;
    }
    io::stdout().write_all(&page)?;
    Ok(Exit::Done)
}

/// A section for a command, or for each of those that it consists of.
fn describe(command: &Command, before: &str, page: &mut Vec<u8>) -> Result<(), Failure> {
    let name = format!("{before} {}", command.get_name());
    if !command.is_subcommand_required_set() {
        // Those flags are told of once, at the beginning.
        let own = command.clone().mut_args(|argument| if argument.is_global_set() { argument.hide(true) } else { argument });
        let man = Man::new(own.bin_name(&name));
        let mut section = Vec::new();
        man.render_synopsis_section(&mut section)?;
        man.render_description_section(&mut section)?;
        man.render_options_section(&mut section)?;
        let section = String::from_utf8_lossy(&section).replace(".SH ", ".SS ");
        write!(page, ".SH {}\n{section}", name.to_uppercase())?;
    }
    let mut commands = command.get_subcommands().filter(|command| command.get_name() != "help");
    commands.try_for_each(|command| describe(command, &name, page))
}
