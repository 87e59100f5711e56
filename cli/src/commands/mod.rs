//! The commands: each asks the API, and shows what it says.

use crate::{
    args::{Arguments, Command},
    exit::Exit,
    failure::{Failure, Kind},
    session::Session,
};

mod advice;
mod audit;
mod check;
mod import;
mod issue;
mod limits;
mod list;
mod order;
mod own;
mod pages;
mod plans;
mod profile;
mod revoke_all;
mod rotate;
mod shell;
mod show;
mod stop;
mod update;
mod usage;

/// Runs a command.
///
/// # Errors
/// Why it wasn't done.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    match &arguments.command {
        Command::Completions { shell } => return shell::completions(*shell),
        Command::Man => return shell::man(),
        _ => {}
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::from(Kind::Unreachable(format!("the network can't be used: {error}"))))?;
    if let Command::Profile(command) = &arguments.command {
        return profile::run(&arguments.globals, command, &runtime);
    }
    let session = Session::open(&arguments.globals)?;
    runtime.block_on(with(&session, &arguments.command))
}

async fn with(session: &Session, command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::Issue(issue) => issue::run(session, issue).await,
        Command::List(list) => list::run(session, list).await,
        Command::Show(key) => show::run(session, &key.id).await,
        Command::Update(update) => update::run(session, update).await,
        Command::Rotate(rotate) => rotate::run(session, rotate).await,
        Command::Disable(key) => stop::disable(session, &key.id).await,
        Command::Enable(key) => stop::enable(session, &key.id).await,
        Command::Revoke(revoke) => match (&revoke.id, &revoke.owner) {
            (Some(id), _) => stop::revoke(session, id, &revoke.reason).await,
            (None, Some(owner)) => revoke_all::run(session, owner, &revoke.reason).await,
            (None, None) => Err(Failure::usage("name a key, or --owner")),
        },
        Command::Usage(usage) => usage::run(session, usage).await,
        Command::Audit(audit) => audit::run(session, audit).await,
        Command::Check(check) => check::run(session, check).await,
        Command::Advice(key) => advice::run(session, &key.id).await,
        Command::Import(import) => import::run(session, import).await,
        Command::Plans(plans) => plans::run(session, plans).await,
        Command::Limits(limits) => limits::run(session, limits).await,
        Command::Own(own) => own::run(session, own).await,
        // Those need no API, or another than the one in use: `run` has seen to them.
        Command::Profile(_) | Command::Completions { .. } | Command::Man => Ok(Exit::Done),
    }
}
