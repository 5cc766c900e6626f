//! StackScripts.

use crate::{one, whole};
use expect_test::expect;
use linodetool_plugin::testing::Reply;
use serde_json::{Value, json};

fn script(id: u64, label: &str, mine: bool) -> Value {
    json!({ "id": id, "label": label, "description": "", "images": ["any/all"], "script": "#!/bin/bash\n", "is_public": !mine,
        "mine": mine, "rev_note": "lt-s-1", "user_defined_fields": [] })
}

#[test]
fn only_own_ones_are_listed() {
    let items = json!([script(1, "setup", true), script(2, "setup", false), script(3, "other", true)]);
    let request = "GET /linode/stackscripts?page=1&page_size=500";
    expect![[r##"
        > GET https://api.linode.com/v4/linode/stackscripts?page=1&page_size=500
          auth bearer, class stackscripts, safe to repeat
          x-filter: {"label":"setup","mine":true}
        < 200
        = {"description":"","id":"1","images":["any/all"],"label":"setup","public":false,"revision_note":"lt-s-1","script":"#!/bin/bash\n"}
    "##]].assert_eq(&one("stackscripts.list", json!({ "label": "setup" }), request, whole(items)));
}

#[test]
fn create() {
    let args = json!({ "label": "setup", "images": ["linode/debian12"], "script": "#!/bin/bash\n", "revision_note": "lt-s-1" });
    let reply = Reply::json(200, script(1, "setup", true));
    expect![[r##"
        > POST https://api.linode.com/v4/linode/stackscripts
          auth bearer, class default
          {"label":"setup","images":["linode/debian12"],"script":"#!/bin/bash\n","rev_note":"lt-s-1","is_public":false}
        < 200
        = {"description":"","id":"1","images":["any/all"],"label":"setup","public":false,"revision_note":"lt-s-1","script":"#!/bin/bash\n"}
    "##]].assert_eq(&one("stackscripts.create", args, "POST /linode/stackscripts", reply));
}
