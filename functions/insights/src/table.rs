//! Tables, for spreadsheets and billing systems.

use shared::{
    error::Fault,
    http::{Answer, Reply},
};

use crate::size::fits;

/// A table with a heading, if it isn't too large for an answer.
pub(crate) fn table<const N: usize>(heading: &[&str; N], rows: impl Iterator<Item = [String; N]>) -> Answer {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let failed = |error: csv::Error| Fault::new("csv.failed", error);
    writer.write_record(heading).map_err(failed)?;
    for row in rows {
        writer.write_record(row.map(inert)).map_err(failed)?;
    }
    let bytes = writer.into_inner().map_err(|error| Fault::new("csv.failed", error))?;
    let table = String::from_utf8(bytes).map_err(|error| Fault::new("csv.failed", error))?;
    fits(&table)?;
    Ok(Reply::csv(table))
}

/// A cell that no spreadsheet takes for a formula: the name of a key is whatever somebody wrote.
fn inert(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell }
}
