//! The facts of all actions of API v3.

use expect_test::expect;
use linodetool_linode_v3::LinodeV3;
use std::collections::BTreeSet;

#[test]
fn every_action_is_there_once_and_says_whether_it_reads_or_destroys() {
    let all = LinodeV3::raw_operations();
    let ids: BTreeSet<_> = all.iter().map(|one| one.id.as_str()).collect();
    assert_eq!((all.len(), ids.len()), (78, 78));
    let destroys: Vec<_> = all.iter().filter(|one| one.destructive).map(|one| one.id.as_str()).collect();
    expect!["domain.delete domain.resource.delete image.delete linode.config.delete linode.delete linode.disk.delete nodebalancer.config.delete nodebalancer.delete nodebalancer.node.delete stackscript.delete volume.delete"].assert_eq(&destroys.join(" "));
    let resize = all.iter().find(|one| one.id == "linode.disk.resize").expect("it is there");
    expect![[r#"{"id":"linode.disk.resize","method":"POST","path":"/linode.disk.resize","parameters":[{"name":"DiskID","place":"body","type":"number","required":true},{"name":"LinodeID","place":"body","type":"number","required":true},{"name":"size","place":"body","type":"number","required":true}]}"#]].assert_eq(&serde_json::to_string(resize).expect("JSON"));
    let list = all.iter().find(|one| one.id == "linode.list").expect("it is there");
    expect![[r#"{"id":"linode.list","method":"GET","path":"/linode.list","parameters":[{"name":"LinodeID","place":"body","type":"number"}]}"#]].assert_eq(&serde_json::to_string(list).expect("JSON"));
}
