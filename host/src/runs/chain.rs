//! The hash chain of a run: each line is hashed together with the hash before it, in the order of commits, so that
//! whoever knows the head knows whether a line was changed, added or removed.

use super::entry::Entry;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Head of a chain.
pub(super) type Head = [u8; 32];

/// Head of a run without lines.
pub(super) const EMPTY: Head = [0; 32];

/// The head after this line.
pub(super) fn link(head: &Head, n: u64, entry: &Entry) -> Head {
    let mut hasher = Sha256::new();
    hasher.update(head);
    hasher.update(n.to_le_bytes());
    hasher.update([entry.kind as u8]);
    hasher.update(entry.seq.to_le_bytes());
    hasher.update(entry.attempt.to_le_bytes());
    hasher.update(entry.began_ms.unwrap_or(u64::MAX).to_le_bytes());
    hasher.update(entry.ms.to_le_bytes());
    // With its length, so that nothing can move from one field into the next; absent differs from empty.
    let mut field = |bytes: Option<&[u8]>| {
        hasher.update(bytes.map_or(u64::MAX, |bytes| bytes.len() as u64).to_le_bytes());
        hasher.update(bytes.unwrap_or_default());
    };
    field(Some(entry.lane.as_bytes()));
    field(entry.op.as_deref().map(str::as_bytes));
    field(entry.digest.as_ref().map(<[u8; 16]>::as_slice));
    field(entry.place.as_deref().map(str::as_bytes));
    field(entry.args.as_deref().map(str::as_bytes));
    field(entry.body.as_deref().map(str::as_bytes));
    hasher.finalize().into()
}

/// Digest that identifies a step's operation and arguments.
pub(super) fn step_digest(op: &str, canonical_args: &str) -> super::entry::StepDigest {
    let mut hasher = Sha256::new();
    hasher.update((op.len() as u64).to_le_bytes());
    hasher.update(op);
    hasher.update(canonical_args);
    let mut digest = [0; 16];
    digest.copy_from_slice(&hasher.finalize()[..16]);
    digest
}

/// JSON with sorted keys and no spaces, whatever features `serde_json` was built with: it is hashed and stored.
pub(super) fn canonical_json(value: &impl Serialize) -> Result<String, serde_json::Error> {
    let mut bytes = Vec::with_capacity(128);
    write_canonical(&mut bytes, &serde_json::to_value(value)?)?;
    String::from_utf8(bytes).map_err(serde::ser::Error::custom)
}

fn write_canonical(bytes: &mut Vec<u8>, value: &Value) -> Result<(), serde_json::Error> {
    match value {
        Value::Array(items) => {
            bytes.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    bytes.push(b',');
                }
                write_canonical(bytes, item)?;
            }
            bytes.push(b']');
        }
        Value::Object(map) => {
            let mut pairs: Vec<_> = map.iter().collect();
            pairs.sort_by_key(|(key, _)| *key);
            bytes.push(b'{');
            for (index, (key, item)) in pairs.into_iter().enumerate() {
                if index > 0 {
                    bytes.push(b',');
                }
                serde_json::to_writer(&mut *bytes, key)?;
                bytes.push(b':');
                write_canonical(bytes, item)?;
            }
            bytes.push(b'}');
        }
        plain => serde_json::to_writer(bytes, plain)?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::entry::EntryKind;
    use super::*;
    use expect_test::expect;

    #[test]
    fn canonical_json_sorts_keys_at_every_depth() {
        let value = serde_json::json!({"b": [1, {"z": null, "a": "é\"\n"}], "a": 1.5});
        expect![[r#"{"a":1.5,"b":[1,{"a":"é\"\n","z":null}]}"#]].assert_eq(&canonical_json(&value).unwrap());
    }

    #[test]
    fn the_chain_notices_every_field() {
        let entry = Entry { args: Some("x".into()), ..Entry::of_run(EntryKind::Output, 5) };
        let head = link(&EMPTY, 0, &entry);
        let others = [
            (EMPTY, 1, entry.clone()),
            ([1; 32], 0, entry.clone()),
            (EMPTY, 0, Entry { kind: EntryKind::Done, ..entry.clone() }),
            (EMPTY, 0, Entry { ms: 6, ..entry.clone() }),
            (EMPTY, 0, Entry { began_ms: Some(5), ..entry.clone() }),
            (EMPTY, 0, Entry { args: None, body: Some("x".into()), ..entry.clone() }),
            (EMPTY, 0, Entry { body: Some(String::new()), ..entry.clone() }),
        ];
        for (before, n, other) in others {
            assert_ne!(link(&before, n, &other), head, "{other:?}");
        }
    }

    #[test]
    fn step_digests_are_fixed_for_ever() {
        // Journals hold them: another value would make every old run diverge.
        expect!["b1410d67b8fbee42aeb4360f829329d4"]
            .assert_eq(&crate::core::ids::hex(&step_digest("node.run", r#"{"command":"uptime"}"#)));
    }
}
