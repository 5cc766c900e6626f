//! The table of operations: names, and one list of them all as people may read it.

use expect_test::expect_file;
use linodetool_plugin::operations::operation;
use linodetool_plugin::{Effect, OPERATIONS};
use std::collections::HashSet;

/// A change here is a change of the contract: operations may be added, never renamed or removed.
#[test]
fn the_table() {
    let mut table = String::new();
    for operation in OPERATIONS {
        let (name, arguments, answer) = (operation.name, operation.arguments, operation.answer);
        let effect = match operation.effect {
            Effect::Read => "read".to_owned(),
            Effect::Write => "write".to_owned(),
            Effect::Destroy => "destroy".to_owned(),
            Effect::Create(found) => format!("create, found by {found:?}").to_lowercase(),
        };
        table += &format!("{name}({arguments}) -> {answer}: {effect}\n    {}\n", operation.doc.trim());
    }
    expect_file!["../golden/operations-1.0.txt"].assert_eq(&table);
}

#[test]
fn names_are_unique_and_of_one_form() {
    let names: HashSet<_> = OPERATIONS.iter().map(|operation| operation.name).collect();
    assert_eq!(names.len(), OPERATIONS.len());
    for name in names {
        let parts: Vec<_> = name.split('.').collect();
        let word = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        assert!(parts.iter().all(word) && (parts.len() == 2 || name == "raw"), "{name}");
    }
}

#[test]
fn every_operation_says_in_one_sentence_what_it_does() {
    for operation in OPERATIONS {
        assert!(operation.doc.trim().ends_with('.'), "{}: {}", operation.name, operation.doc);
    }
}

#[test]
fn an_operation_is_found_by_its_name() {
    assert_eq!(operation("instances.get").map(|found| found.effect), Some(Effect::Read));
    assert_eq!(operation("instances.levitate"), None);
}
