//! The facts of all operations of API v4.

use crate::driver;
use expect_test::expect;
use linodetool_linode_v4::LinodeV4;
use linodetool_plugin::{RawOperation, RawPlace, RawType};
use serde_json::json;
use std::collections::HashSet;

#[test]
fn some_of_them_in_full() {
    let all = driver().call("raw.operations", json!({})).expect("it asks nobody");
    let wanted = ["get-linode-instances", "post-volume", "post-cancel-account", "delete-linode-interface"];
    let items = all["items"].as_array().cloned().unwrap_or_default();
    let shown: Vec<_> =
        wanted.iter().filter_map(|id| items.iter().find(|item| item["id"] == *id)).map(ToString::to_string).collect();
    expect![[r#"
        {"filterable":["group","id","image","ipv4","label","placement_group.label","placement_group.placement_group_type","region","tags"],"id":"get-linode-instances","method":"GET","paged":true,"path":"/linode/instances","scopes":["linodes:read_only"]}
        {"id":"post-volume","method":"POST","parameters":[{"name":"config_id","place":"body","type":"whole"},{"name":"encryption","place":"body","type":"text","values":["enabled","disabled"]},{"max":32,"min":1,"name":"label","place":"body","required":true,"type":"text"},{"name":"linode_id","place":"body","type":"whole"},{"name":"region","place":"body","type":"text"},{"name":"size","place":"body","type":"whole"},{"name":"tags","place":"body","type":"texts"}],"path":"/volumes","scopes":["volumes:read_write"]}
        {"destructive":true,"id":"post-cancel-account","method":"POST","parameters":[{"name":"comments","place":"body","type":"text"}],"path":"/account/cancel","scopes":["account:read_write"]}
        {"beta":true,"destructive":true,"id":"delete-linode-interface","method":"DELETE","parameters":[{"name":"linodeId","place":"path","required":true,"type":"whole"},{"name":"interfaceId","place":"path","required":true,"type":"whole"}],"path":"/linode/instances/{linodeId}/interfaces/{interfaceId}","scopes":["linodes:read_write"]}"#]].assert_eq(&shown.join("\n"));
}

#[test]
fn how_many_there_are() {
    let all = LinodeV4::raw_operations();
    let count = |is: fn(&RawOperation) -> bool| all.iter().filter(|operation| is(operation)).count();
    let shown = [
        ("all", all.len()),
        ("paged", count(|operation| operation.paged)),
        ("destructive", count(|operation| operation.destructive)),
        ("beta", count(|operation| operation.beta)),
        ("deprecated", count(|operation| operation.deprecated)),
        ("with a foreign body", count(|operation| operation.foreign_body)),
        ("filterable", count(|operation| !operation.filterable.is_empty())),
        ("parameters", all.iter().map(|operation| operation.parameters.len()).sum()),
    ];
    expect![[r#"
        all: 425
        paged: 94
        destructive: 63
        beta: 28
        deprecated: 10
        with a foreign body: 2
        filterable: 60
        parameters: 932"#]]
    .assert_eq(&shown.map(|(what, count)| format!("{what}: {count}")).join("\n"));
}

#[test]
fn every_one_can_be_called_from_what_is_said_of_it() {
    let all = LinodeV4::raw_operations();
    let ids: HashSet<_> = all.iter().map(|operation| &operation.id).collect();
    assert_eq!(ids.len(), all.len(), "ids are unique");
    for operation in &all {
        let id = &operation.id;
        assert!(["GET", "POST", "PUT", "DELETE"].contains(&operation.method.as_str()), "{id}: {}", operation.method);
        let in_path: HashSet<_> =
            operation.path.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect();
        let named = operation.parameters.iter().filter(|parameter| parameter.place == RawPlace::Path);
        let named: HashSet<_> = named.map(|parameter| parameter.name.as_str()).collect();
        assert_eq!(in_path, named, "{id}: the parameters of its path");
        let names: HashSet<_> =
            operation.parameters.iter().map(|parameter| (&parameter.name, parameter.place == RawPlace::Path)).collect();
        assert_eq!(names.len(), operation.parameters.len(), "{id}: each parameter once");
        for parameter in &operation.parameters {
            assert!(parameter.place != RawPlace::Path || parameter.required, "{id}: {}", parameter.name);
            assert!(parameter.kind != RawType::Any && !parameter.name.is_empty(), "{id}: {parameter:?}");
        }
        assert!(!operation.paged || operation.method == "GET", "{id}");
        assert!(operation.filterable.is_empty() || operation.paged, "{id}");
    }
}
