//! Messages as peers of all releases say them. Each release adds golden files and removes none.

use linodetool_plugin::message::{In, Out, read_in, read_out};
use linodetool_plugin::{Auth, ErrorKind, ProviderError, Retry};
use serde_json::{Value, json};

const IN_1_0: &str = include_str!("../golden/in-1.0.jsonl");
const OUT_1_0: &str = include_str!("../golden/out-1.0.jsonl");

fn in_alike(line: &str) -> String {
    let read = read_in(format!("[{line}]").as_bytes()).expect(line);
    serde_json::to_string(&read[0]).expect("JSON")
}

fn out_alike(line: &str) -> String {
    let read = read_out(format!("[{line}]").as_bytes()).expect(line);
    serde_json::to_string(&read[0]).expect("JSON")
}

/// Puts a field nobody knows into an object, first, in the middle and last.
fn with_junk(line: &str) -> [String; 3] {
    let junk = r#""of_tomorrow":{"deep":[1,{"t":"call"}]}"#;
    let inner = &line[1..line.len() - 1];
    let (first, rest) = inner.split_once(',').expect("more than one field");
    [format!("{{{junk},{inner}}}"), format!("{{{first},{junk},{rest}}}"), format!("{{{inner},{junk}}}")]
}

#[test]
fn every_golden_message_is_read_and_written_alike() {
    for line in IN_1_0.lines() {
        assert_eq!(in_alike(line), line);
    }
    for line in OUT_1_0.lines() {
        assert_eq!(out_alike(line), line);
    }
}

#[test]
fn every_kind_has_a_golden_message() {
    let kinds = |golden: &str| {
        let mut kinds: Vec<_> = golden.lines().filter_map(|line| line.split('"').nth(3)).collect();
        kinds.dedup();
        kinds.join(" ")
    };
    assert_eq!(kinds(IN_1_0), "call http http_failed timer cancel");
    assert_eq!(kinds(OUT_1_0), "http timer forget progress log done failed fatal");
}

#[test]
fn unknown_fields_are_ignored_everywhere() {
    for line in IN_1_0.lines() {
        for junk in with_junk(line) {
            assert_eq!(in_alike(&junk), line);
        }
    }
    for line in OUT_1_0.lines() {
        for junk in with_junk(line) {
            assert_eq!(out_alike(&junk), line);
        }
    }
}

#[test]
fn unknown_kinds_are_ignored_and_their_neighbours_read() {
    let read = read_in(br#"[{"t":"of_tomorrow","x":1},{"t":"cancel","id":1},{}]"#).expect("readable");
    assert!(matches!(read[..], [In::Unknown, In::Cancel { id: 1 }, In::Unknown]));
    let read = read_out(br#"[{"t":"of_tomorrow","x":1},{"t":"fatal","message":"m"}]"#).expect("readable");
    assert!(matches!(read[..], [Out::Unknown, Out::Fatal { .. }]));
}

/// So nobody may ever give a known field another type.
#[test]
fn a_known_field_of_another_type_is_unreadable() {
    assert!(read_in(br#"[{"t":"of_tomorrow","id":"seven"}]"#).is_err());
    assert!(read_out(br#"[{"t":"timer","after_ms":-1}]"#).is_err());
}

#[test]
fn an_error_kind_of_tomorrow_is_other_and_the_call_fails_all_the_same() {
    let read =
        read_out(br#"[{"t":"failed","id":1,"error":{"kind":"of_tomorrow","message":"m"}},{"t":"failed","id":2}]"#);
    let read = read.expect("readable");
    assert!(matches!(&read[0], Out::Failed { id: 1, error } if error.kind == ErrorKind::Other));
    assert!(matches!(&read[1], Out::Failed { id: 2, error } if error.kind == ErrorKind::Plugin));
}

#[test]
fn an_error_says_what_it_can_and_advice_of_tomorrow_is_none() {
    let read = read_out(
        br#"[{"t":"failed","id":1,"error":{}},{"t":"failed","id":2,"error":{"kind":"busy","retry":"of_tomorrow"}},
            {"t":"failed","id":3,"error":{"kind":"busy","retry":{"at_full_moon":1}}},{"t":"failed","id":4,"error":{"retry":null}},
            {"t":"failed","id":5,"error":{"kind":"busy","message":"m","retry":{"after_ms":7}}}]"#,
    );
    let told = |out: &Out| match out {
        Out::Failed { error, .. } => (error.kind, error.retry),
        _ => (ErrorKind::Plugin, None),
    };
    let read: Vec<_> = read.expect("readable").iter().map(told).collect();
    let busy = (ErrorKind::Busy, None);
    let other = (ErrorKind::Other, None);
    assert_eq!(read, [other, busy, busy, other, (ErrorKind::Busy, Some(Retry::AfterMs(7)))]);
}

/// The request is still one: the host refuses it, and the rest of the batch goes on.
#[test]
fn a_place_of_tomorrow_for_the_credential_is_unknown() {
    let read = read_out(
        br#"[{"t":"http","io":1,"auth":"smoke_signals"},{"t":"http","io":2,"auth":{"cookie":"c"}},{"t":"http","io":3,"auth":{"form":"k"}},
            {"t":"http","io":4,"auth":null},{"t":"http","io":5,"auth":7}]"#,
    );
    let auth = |out: &Out| if let Out::Http(http) = out { http.auth.clone() } else { None };
    let read: Vec<_> = read.expect("readable").iter().map(auth).collect();
    let unknown = Some(Auth::Unknown);
    assert_eq!(read, [unknown.clone(), unknown.clone(), Some(Auth::Form("k".to_owned())), None, unknown]);
}

#[test]
fn every_error_kind_has_its_word() {
    let words = [
        "unsupported",
        "invalid",
        "unauthorized",
        "forbidden",
        "not_found",
        "conflict",
        "busy",
        "limit",
        "rate_limited",
        "unavailable",
        "network",
        "timeout",
        "cancelled",
        "plugin",
        "other",
    ];
    for word in words {
        let kind: ErrorKind = serde_json::from_value(json!(word)).expect(word);
        assert_eq!(serde_json::to_value(kind).expect("JSON"), json!(word));
        assert_eq!(kind == ErrorKind::Other, word == "other", "{word} has a kind of its own");
    }
}

#[test]
fn an_error_that_may_have_had_its_effect_says_so() {
    let advised = |kind, status, retry| ProviderError { status, retry, ..ProviderError::new(kind, "m") }.is_ambiguous();
    let ambiguous = |kind, status| advised(kind, status, None);
    for kind in [ErrorKind::Network, ErrorKind::Timeout, ErrorKind::Cancelled, ErrorKind::Plugin] {
        assert!(ambiguous(kind, None), "{kind:?}");
    }
    assert!(ambiguous(ErrorKind::Unavailable, Some(502)));
    assert!(ambiguous(ErrorKind::Other, Some(408)));
    assert!(advised(ErrorKind::Unavailable, Some(503), Some(Retry::Backoff)), "it may come from a front end");
    assert!(!advised(ErrorKind::Unavailable, Some(503), Some(Retry::Never)), "maintenance does nothing");
    for kind in [ErrorKind::Invalid, ErrorKind::Conflict, ErrorKind::Busy, ErrorKind::RateLimited] {
        assert!(!ambiguous(kind, Some(400)), "{kind:?}");
    }
}

#[test]
fn an_error_reads_as_a_sentence() {
    let mut error = ProviderError::new(ErrorKind::Conflict, "Label must be unique");
    error.retry = Some(Retry::Never);
    assert_eq!(error.to_string(), "Label must be unique");
    error.field = Some("label".to_owned());
    assert_eq!(error.to_string(), "label: Label must be unique");
}

#[test]
fn json_crosses_as_it_stands() {
    let line = r#"{"t":"done","id":1,"value":{ "b" : 1.10 , "a":12345678901234567890123 }}"#;
    assert_eq!(out_alike(line), line);
    let value: Value = serde_json::from_str(line).expect("JSON");
    assert_ne!(value.to_string(), line, "a Value would have changed it");
}
