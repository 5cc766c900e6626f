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

#[test]
fn update_and_delete() {
    let script = || Reply::json(200, json!({ "id": 10, "label": "web", "script": "#!/bin/sh\n", "mine": true }));
    let all = json!({ "id": "10", "label": "web", "description": "", "images": ["any/all"], "script": "#!/bin/sh\n", "revision_note": "2" });
    let shown = one("stackscripts.update", all, "PUT /linode/stackscripts/10", script())
        + &one("stackscripts.update", json!({ "id": "10" }), "GET /linode/stackscripts/10", script())
        + &one("stackscripts.delete", json!({ "id": "10" }), "DELETE /linode/stackscripts/10", crate::accepted());
    expect![[r##"
        > PUT https://api.linode.com/v4/linode/stackscripts/10
          auth bearer, class default, safe to repeat
          {"description":"","images":["any/all"],"label":"web","rev_note":"2","script":"#!/bin/sh\n"}
        < 200
        = {"description":"","id":"10","images":[],"label":"web","public":false,"revision_note":"","script":"#!/bin/sh\n"}
        > GET https://api.linode.com/v4/linode/stackscripts/10
          auth bearer, class default, safe to repeat
        < 200
        = {"description":"","id":"10","images":[],"label":"web","public":false,"revision_note":"","script":"#!/bin/sh\n"}
        > DELETE https://api.linode.com/v4/linode/stackscripts/10
          auth bearer, class default, safe to repeat
        < 200
        = {}
    "##]].assert_eq(&shown);
}
