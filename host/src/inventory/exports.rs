//! The inventory in other tools' formats.
