//! `mbk advice`: what a key has more of than it uses.

use crate::{
    client::Call,
    exit::Exit,
    failure::Failure,
    output::{Table, text},
    parse::KeyId,
    session::Session,
};

pub(super) async fn run(session: &Session, id: &KeyId) -> Result<Exit, Failure> {
    let document = session.ask(&Call::get(&["keys", id.as_str(), "advice"])).await?;
    session.show(&document, || {
        let mut table = Table::new(&["advice", "why"]);
        for advice in document["advice"].as_array().into_iter().flatten() {
            table.row([text(&advice["code"]), text(&advice["detail"])]);
        }
        let based_on = &document["based_on"];
        let mut basis = Table::bare();
        basis.row([format!("based on {} uses since {}", text(&based_on["uses"]), session.clock().show(&based_on["since"], ""))]);
        vec![table, basis]
    })?;
    Ok(Exit::Done)
}
