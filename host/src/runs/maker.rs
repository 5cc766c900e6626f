//! Which run made a thing that the account has: found by the tag that a step puts on what it makes.

use super::entry::EntryKind;
use super::records::{RunSummary, step_path};
use super::registry::Runs;
use super::tags::step_tag;
use crate::core::Failure;
use rusqlite::{Connection, params};

impl Runs {
    /// The run, of any context, one of whose steps of this operation put one of these tags on something.
    pub fn maker_of(&self, operation: &str, tags: &[String]) -> Result<Option<RunSummary>, Failure> {
        if !tags.iter().any(|tag| tag.starts_with("lt-s-")) {
            return Ok(None);
        }
        self.barrier()?;
        let found = self.0.read(|reader| maker(reader, operation, tags))?;
        let Some(run) = found else { return Ok(None) };
        Ok(Some(self.summary(&run)?))
    }
}

fn maker(reader: &Connection, operation: &str, tags: &[String]) -> rusqlite::Result<Option<crate::core::RunId>> {
    let sql = "select run, lane, seq, attempt from entry where kind = ?1 and op = ?2";
    let mut query = reader.prepare_cached(sql)?;
    let mut rows = query.query(params![EntryKind::Intent as i64, operation])?;
    while let Some(row) = rows.next()? {
        let (run, lane): (String, String) = (row.get(0)?, row.get(1)?);
        let tag = step_tag(&run, &step_path(&lane, row.get(2)?), row.get(3)?);
        if tags.contains(&tag) {
            return super::load::run_id(&run).map(Some);
        }
    }
    Ok(None)
}
