//! What things look like: tables, the live board, plain progress lines, the summary of a run.
//!
//! Pure functions from data to text, but for the thread that redraws the board. Does not know where data comes from.

pub(crate) mod board;
pub(crate) mod failures;
pub(crate) mod plain;
pub(crate) mod progress;
pub(crate) mod rehearsal;
pub(crate) mod summary;
pub(crate) mod table;
