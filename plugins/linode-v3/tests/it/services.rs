//! What is not part of a Linode: volumes, NodeBalancers, domains, StackScripts, images, the account.

use crate::instances::linode;
use crate::{answer, bad, batch, fault, good, show};
use expect_test::expect;
use linodetool_plugin::testing::Reply;
use serde_json::{Value, json};

#[test]
fn volumes() {
    let rows = json!([
        { "VOLUMEID": 5, "LABEL": "data", "DATACENTERID": 6, "LINODEID": 7, "SIZE": 20, "STATUS": "active", "CREATE_DT": "2018-01-15 12:00:00.0" },
        { "volumeid": "6", "label": "free", "datacenterid": "7", "linodeid": "", "size": "10", "status": "creating" },
    ]);
    let list = |args: Value| show("volumes.list", args, [good(rows.clone())]);
    let shown = [
        list(json!({})),
        list(json!({ "instance": "7" })),
        list(json!({ "label": "free" })),
        list(json!({ "tag": "x" })),
        show("volumes.get", json!({ "id": "5" }), [good(rows.clone())]),
        show("volumes.get", json!({ "id": "9" }), [good(json!([]))]),
    ];
    expect![[r#"
        > volume.list
        = {"created":"2018-01-15T17:00:00","id":"5","instance":"7","label":"data","path":"/dev/disk/by-id/scsi-0Linode_Volume_data","region":"us-east","size_gb":20,"status":"active","tags":[]}
        = {"created":"","id":"6","instance":null,"label":"free","path":"/dev/disk/by-id/scsi-0Linode_Volume_free","region":"eu-west","size_gb":10,"status":"creating","tags":[]}
        > volume.list
        = {"created":"2018-01-15T17:00:00","id":"5","instance":"7","label":"data","path":"/dev/disk/by-id/scsi-0Linode_Volume_data","region":"us-east","size_gb":20,"status":"active","tags":[]}
        > volume.list
        = {"created":"","id":"6","instance":null,"label":"free","path":"/dev/disk/by-id/scsi-0Linode_Volume_free","region":"eu-west","size_gb":10,"status":"creating","tags":[]}
        > volume.list
        = {"items":[]}
        > volume.list VolumeID=5
        = {"created":"2018-01-15T17:00:00","id":"5","instance":"7","label":"data","path":"/dev/disk/by-id/scsi-0Linode_Volume_data","region":"us-east","size_gb":20,"status":"active","tags":[]}
        > volume.list VolumeID=9
        ! {"kind":"not_found","message":"Object not found","retry":"never","code":"5"}
    "#]].assert_eq(&shown.concat());
}

#[test]
fn volumes_are_made_attached_and_go() {
    let ok = || good(json!({ "VolumeID": 5 }));
    let shown = [
        show("volumes.create", json!({ "label": "data", "region": "us-east", "size_gb": 20 }), [ok()]),
        show("volumes.create", json!({ "label": "data", "region": "us-east", "size_gb": 20, "instance": "7" }), [ok()]),
        show("volumes.create", json!({ "label": "data", "region": "us-east", "size_gb": 20, "tags": ["lt-s-1"] }), []),
        show("volumes.attach", json!({ "id": "5", "instance": "7" }), [ok()]),
        show("volumes.detach", json!({ "id": "5" }), [ok()]),
        show("volumes.resize", json!({ "id": "5", "size_gb": 40 }), [bad(8, "Volume is busy")]),
        show("volumes.delete", json!({ "id": "5" }), [ok()]),
    ];
    expect![[r#"
        >! volume.create DatacenterID=6 Label=data Size=20
        = {"created":"","id":"5","instance":null,"label":"data","path":"/dev/disk/by-id/scsi-0Linode_Volume_data","region":"us-east","size_gb":20,"status":"creating","tags":[]}
        >! volume.create Label=data LinodeID=7 Size=20
        = {"created":"","id":"5","instance":"7","label":"data","path":"/dev/disk/by-id/scsi-0Linode_Volume_data","region":"us-east","size_gb":20,"status":"creating","tags":[]}
        ! {"kind":"unsupported","message":"Linode's API v3 has no tags of volumes: leave it out, or use the provider linode-v4","field":"tags"}
        > volume.update LinodeID=7 VolumeID=5
        = {}
        > volume.update LinodeID=0 VolumeID=5
        = {}
        > volume.update Size=40 VolumeID=5
        ! {"kind":"busy","message":"Volume is busy","retry":"backoff","code":"8"}
        > volume.delete VolumeID=5
        = {}
    "#]].assert_eq(&shown.concat());
}

#[test]
fn nodebalancers() {
    let rows = json!([{ "NODEBALANCERID": 53, "LABEL": "web", "DATACENTERID": 6, "HOSTNAME": "nb-1.newark.example.com",
        "ADDRESS4": "203.0.113.4", "ADDRESS6": "2001:db8::4", "CLIENTCONNTHROTTLE": 20 }]);
    let new = json!([{ "NODEBALANCERID": 75, "LABEL": "web", "DATACENTERID": 6, "ADDRESS4": "203.0.113.5", "CLIENTCONNTHROTTLE": 5 }]);
    // The documentation shows its answer in a list.
    let made = || good(json!([{ "NodeBalancerID": 75 }]));
    let create = |args: Value, replies: Vec<Reply>| show("nodebalancers.create", args, replies);
    let shown = [
        show("nodebalancers.list", json!({ "region": "us-east" }), [good(rows.clone())]),
        show("nodebalancers.list", json!({ "label": "db" }), [good(rows.clone())]),
        show("nodebalancers.get", json!({ "id": "53" }), [good(rows)]),
        create(json!({ "label": "web", "region": "us-east", "connection_throttle": 5 }), vec![made(), good(new)]),
        create(json!({ "label": "web", "region": "us-east" }), vec![made(), bad(13, "Permission denied")]),
        create(json!({ "label": "web", "region": "us-east", "tags": ["a"] }), vec![]),
        create(json!({ "label": "web", "region": "us-east", "firewall_id": "1" }), vec![]),
        show("nodebalancers.delete", json!({ "id": "53" }), [good(json!({ "NodeBalancerID": 53 }))]),
    ];
    expect![[r#"
        > nodebalancer.list
        = {"connection_throttle":20,"hostname":"nb-1.newark.example.com","id":"53","ipv4":"203.0.113.4","ipv6":"2001:db8::4","label":"web","region":"us-east","tags":[]}
        > nodebalancer.list
        = {"items":[]}
        > nodebalancer.list NodeBalancerID=53
        = {"connection_throttle":20,"hostname":"nb-1.newark.example.com","id":"53","ipv4":"203.0.113.4","ipv6":"2001:db8::4","label":"web","region":"us-east","tags":[]}
        >! nodebalancer.create ClientConnThrottle=5 DatacenterID=6 Label=web
        > nodebalancer.list NodeBalancerID=75
        = {"connection_throttle":5,"hostname":"","id":"75","ipv4":"203.0.113.5","ipv6":null,"label":"web","region":"us-east","tags":[]}
        >! nodebalancer.create DatacenterID=6 Label=web
        > nodebalancer.list NodeBalancerID=75
        = {"connection_throttle":0,"hostname":"","id":"75","ipv4":"","ipv6":null,"label":"web","region":"us-east","tags":[]}
        ! {"kind":"unsupported","message":"Linode's API v3 has no tags of NodeBalancers: leave it out, or use the provider linode-v4","field":"tags"}
        ! {"kind":"unsupported","message":"Linode's API v3 has no Cloud Firewalls: leave it out, or use the provider linode-v4","field":"firewall_id"}
        > nodebalancer.delete NodeBalancerID=53
        = {}
    "#]].assert_eq(&shown.concat());
}

#[test]
fn ports_of_nodebalancers() {
    let rows = json!([{ "CONFIGID": 38, "NODEBALANCERID": 53, "PORT": 443, "PROTOCOL": "https", "ALGORITHM": "roundrobin",
        "STICKINESS": "table", "CHECK": "http", "CHECK_PATH": "/up", "CHECK_BODY": "", "CHECK_INTERVAL": 5, "CHECK_TIMEOUT": "3",
        "CHECK_ATTEMPTS": 2, "CHECK_PASSIVE": 1, "SSL_COMMONNAME": "www.example.com" }]);
    let create = |args: Value, replies: Vec<Reply>| show("nodebalancer_configs.create", args, replies);
    let all = json!({ "nodebalancer": "53", "port": 443, "protocol": "https", "algorithm": "leastconn", "stickiness": "http_cookie",
        "check": { "kind": "http_body", "path": "/up", "body": "ok", "interval_s": 30, "timeout_s": 29, "attempts": 15 },
        "ssl_cert": "PEM", "ssl_key": { "secret": "s1" } });
    let made = || good(json!({ "ConfigID": 38 }));
    let shown = [
        show("nodebalancer_configs.list", json!({ "nodebalancer": "53" }), [good(rows.clone())]),
        create(json!({ "nodebalancer": "53", "port": 443 }), vec![made(), good(rows)]),
        create(all, vec![made(), Reply::text(502, "")]),
        create(json!({ "nodebalancer": "53", "port": 53, "protocol": "udp" }), vec![]),
        create(json!({ "nodebalancer": "53", "port": 80, "algorithm": "ring_hash" }), vec![]),
        create(json!({ "nodebalancer": "53", "port": 80, "stickiness": "source_ip" }), vec![]),
        show(
            "nodebalancer_configs.delete",
            json!({ "nodebalancer": "53", "config": "38" }),
            [good(json!({ "ConfigID": 38 }))],
        ),
    ];
    expect![[r#"
        > nodebalancer.config.list NodeBalancerID=53
        = {"algorithm":"roundrobin","check":{"attempts":2,"interval_s":5,"kind":"http","path":"/up","timeout_s":3},"id":"38","nodes_down":0,"nodes_up":0,"port":443,"protocol":"https","stickiness":"table"}
        >! nodebalancer.config.create NodeBalancerID=53 Port=443
        > nodebalancer.config.list ConfigID=38 NodeBalancerID=53
        = {"algorithm":"roundrobin","check":{"attempts":2,"interval_s":5,"kind":"http","path":"/up","timeout_s":3},"id":"38","nodes_down":0,"nodes_up":0,"port":443,"protocol":"https","stickiness":"table"}
        >! nodebalancer.config.create Algorithm=leastconn NodeBalancerID=53 Port=443 Protocol=https Stickiness=http_cookie check=http_body check_attempts=15 check_body=ok check_interval=30 check_path=/up check_timeout=29 ssl_cert=PEM ssl_key={"secret":"s1"}
        > nodebalancer.config.list ConfigID=38 NodeBalancerID=53
        < 502
        = {"algorithm":"leastconn","check":{"attempts":15,"body":"ok","interval_s":30,"kind":"http_body","path":"/up","timeout_s":29},"id":"38","nodes_down":0,"nodes_up":0,"port":443,"protocol":"https","stickiness":"http_cookie"}
        ! {"kind":"unsupported","message":"Linode's API v3 has no NodeBalancers for UDP: leave it out, or use the provider linode-v4","field":"protocol"}
        ! {"kind":"unsupported","message":"Linode's API v3 has no `ring_hash`: leave it out, or use the provider linode-v4","field":"algorithm"}
        ! {"kind":"unsupported","message":"Linode's API v3 has no stickiness but `none`, `table` and `http_cookie`: leave it out, or use the provider linode-v4","field":"stickiness"}
        > nodebalancer.config.delete ConfigID=38 NodeBalancerID=53
        = {}
    "#]].assert_eq(&shown.concat());
}

#[test]
fn backends_of_nodebalancers() {
    let rows = json!([{ "NODEID": 47, "CONFIGID": 38, "NODEBALANCERID": 53, "LABEL": "web-1", "ADDRESS": "192.168.130.9:80",
        "WEIGHT": 50, "MODE": "accept", "STATUS": "Unknown" }]);
    let of = json!({ "nodebalancer": "53", "config": "38" });
    let node =
        json!({ "nodebalancer": "53", "config": "38", "label": "web-1", "address": "192.168.130.9:80", "weight": 50 });
    let backup = json!({ "nodebalancer": "53", "config": "38", "label": "web-1", "address": "192.168.130.9:80", "mode": "backup" });
    let shown = [
        show("nodebalancer_nodes.list", of, [good(rows.clone())]),
        show("nodebalancer_nodes.create", node, [good(json!({ "NodeID": 47 })), good(rows)]),
        show("nodebalancer_nodes.create", backup, []),
        show(
            "nodebalancer_nodes.delete",
            json!({ "nodebalancer": "53", "config": "38", "id": "47" }),
            [good(json!({ "NodeID": 47 }))],
        ),
    ];
    expect![[r#"
        > nodebalancer.node.list ConfigID=38
        = {"address":"192.168.130.9:80","id":"47","label":"web-1","mode":"accept","status":"unknown","weight":50}
        >! nodebalancer.node.create Address=192.168.130.9:80 ConfigID=38 Label=web-1 Mode=accept Weight=50
        > nodebalancer.node.list ConfigID=38 NodeID=47
        = {"address":"192.168.130.9:80","id":"47","label":"web-1","mode":"accept","status":"unknown","weight":50}
        ! {"kind":"unsupported","message":"Linode's API v3 has no backends that only stand in for others: leave it out, or use the provider linode-v4","field":"mode"}
        > nodebalancer.node.delete NodeID=47
        = {}
    "#]].assert_eq(&shown.concat());
}

#[test]
fn domains() {
    let rows = json!([
        { "DOMAINID": 5093, "DOMAIN": "example.com", "TYPE": "master", "STATUS": 1, "SOA_EMAIL": "dns@example.com", "TTL_SEC": 0,
            "LPM_DISPLAYGROUP": "@c-1,web", "AXFR_IPS": "none", "MASTER_IPS": "" },
        { "DOMAINID": 5094, "DOMAIN": "example.org", "TYPE": "slave", "STATUS": "3", "TTL_SEC": 300, "MASTER_IPS": "203.0.113.4;" },
    ]);
    let create = |args: Value| show("domains.create", args, [good(json!({ "DomainID": 5093 }))]);
    let shown = [
        show("domains.list", json!({}), [good(rows.clone())]),
        show("domains.list", json!({ "domain": "EXAMPLE.org" }), [good(rows.clone())]),
        show("domains.list", json!({ "tag": "web" }), [good(rows)]),
        create(json!({ "domain": "example.com", "soa_email": "dns@example.com", "ttl_s": 300, "tags": ["lt-c-1"] })),
        create(json!({ "domain": "example.org", "kind": "slave", "master_ips": ["203.0.113.4", "203.0.113.5"] })),
        show("domains.delete", json!({ "id": "5093" }), [good(json!({ "DomainID": 5093 }))]),
    ];
    expect![[r#"
        > domain.list
        = {"domain":"example.com","id":"5093","kind":"master","soa_email":"dns@example.com","status":"active","tags":["lt-c-1","web"],"ttl_s":0}
        = {"domain":"example.org","id":"5094","kind":"slave","soa_email":"","status":"has_errors","tags":[],"ttl_s":300}
        > domain.list
        = {"domain":"example.org","id":"5094","kind":"slave","soa_email":"","status":"has_errors","tags":[],"ttl_s":300}
        > domain.list
        = {"domain":"example.com","id":"5093","kind":"master","soa_email":"dns@example.com","status":"active","tags":["lt-c-1","web"],"ttl_s":0}
        >! domain.create Domain=example.com SOA_Email=dns@example.com TTL_sec=300 Type=master lpm_displayGroup=@c-1 status=1
        = {"domain":"example.com","id":"5093","kind":"master","soa_email":"dns@example.com","status":"active","tags":["lt-c-1"],"ttl_s":300}
        >! domain.create Domain=example.org Type=slave master_ips=203.0.113.4;203.0.113.5 status=1
        = {"domain":"example.org","id":"5093","kind":"slave","soa_email":"","status":"active","tags":[],"ttl_s":0}
        > domain.delete DomainID=5093
        = {}
    "#]].assert_eq(&shown.concat());
}

#[test]
fn records_of_domains() {
    let rows = json!([{ "DOMAINID": 5093, "RESOURCEID": 28536, "TYPE": "srv", "NAME": "_foo._tcp", "TARGET": "www.example.com",
        "TTL_SEC": 300, "PRIORITY": 5, "WEIGHT": 10, "PORT": 15, "PROTOCOL": "tcp" }]);
    let create = |args: Value, replies: Vec<Reply>| show("domain_records.create", args, replies);
    let made = || vec![good(json!({ "ResourceID": 28537 }))];
    let srv = |name: &str| {
        json!({ "domain": "5093", "type": "SRV", "name": name, "target": "www.example.com", "priority": 0, "weight": 10,
        "port": 15, "ttl_s": 300 })
    };
    let shown = [
        show("domain_records.list", json!({ "domain": "5093" }), [good(rows)]),
        create(json!({ "domain": "5093", "type": "a", "name": "www", "target": "203.0.113.9" }), made()),
        create(srv("_foo._tcp.games"), made()),
        create(srv("foo"), vec![]),
        create(json!({ "domain": "5093", "type": "CAA", "target": "ca.example.com" }), vec![]),
        create(json!({ "domain": "5093", "type": "PTR", "target": "www.example.com" }), vec![]),
        show(
            "domain_records.delete",
            json!({ "domain": "5093", "id": "28537" }),
            [good(json!({ "ResourceID": 28537 }))],
        ),
    ];
    expect![[r#"
        > domain.resource.list DomainID=5093
        = {"id":"28536","name":"_foo._tcp","port":15,"priority":5,"target":"www.example.com","ttl_s":300,"type":"SRV","weight":10}
        >! domain.resource.create DomainID=5093 Name=www Target=203.0.113.9 Type=A
        = {"id":"28537","name":"www","port":0,"priority":0,"target":"203.0.113.9","ttl_s":0,"type":"A","weight":0}
        >! domain.resource.create DomainID=5093 Name=_foo._tcp.games Port=15 Priority=0 Protocol=tcp TTL_sec=300 Target=www.example.com Type=SRV Weight=10
        = {"id":"28537","name":"_foo._tcp.games","port":15,"priority":0,"target":"www.example.com","ttl_s":300,"type":"SRV","weight":10}
        ! {"kind":"invalid","message":"`foo` names no service: an SRV record is called like _http._tcp","field":"name"}
        ! {"kind":"unsupported","message":"Linode's API v3 has no place for a CAA record without its tag (raw domain.resource.create has one): leave it out, or use the provider linode-v4","field":"type"}
        ! {"kind":"unsupported","message":"Linode's API v3 has no records of the type `PTR`: leave it out, or use the provider linode-v4","field":"type"}
        > domain.resource.delete DomainID=5093 ResourceID=28537
        = {}
    "#]].assert_eq(&shown.concat());
}

#[test]
fn stackscripts() {
    let script = |id: u64, label: &str, list: Value| {
        json!({ "STACKSCRIPTID": id, "LABEL": label, "DESCRIPTION": "d", "SCRIPT": "#!/bin/bash\n",
        "DISTRIBUTIONIDLIST": list, "ISPUBLIC": 0, "REV_NOTE": "lt-s-1", "LATESTREV": 1, "USERID": 9 })
    };
    // One id may come as a number, a list may end with a comma, and a distribution may be gone.
    let rows =
        json!([script(1, "one", json!(140)), script(2, "two", json!("140,")), script(3, "all", json!("140,124,28"))]);
    let create = |images: Value, replies: Vec<Reply>| {
        let args = json!({ "label": "one", "images": images, "script": "#!/bin/bash\n", "revision_note": "lt-s-1" });
        show("stackscripts.create", args, replies)
    };
    let made = || vec![good(json!({ "StackScriptID": 3 }))];
    let shown = [
        show("stackscripts.list", json!({}), [good(rows.clone())]),
        show("stackscripts.list", json!({ "label": "two" }), [good(rows)]),
        create(json!(["linode/debian12", "linode/ubuntu14.04lts"]), made()),
        create(json!(["any/all"]), made()),
        create(json!([]), vec![]),
        create(json!(["private/15"]), vec![]),
        create(json!(["linode/debian12"]), vec![bad(42, "StackScript limit has been reached")]),
    ];
    expect![[r##"
        > stackscript.list
        = {"description":"d","id":"1","images":["linode/debian12"],"label":"one","public":false,"revision_note":"lt-s-1","script":"#!/bin/bash\n"}
        = {"description":"d","id":"2","images":["linode/debian12"],"label":"two","public":false,"revision_note":"lt-s-1","script":"#!/bin/bash\n"}
        = {"description":"d","id":"3","images":["linode/debian12","linode/ubuntu14.04lts","28"],"label":"all","public":false,"revision_note":"lt-s-1","script":"#!/bin/bash\n"}
        > stackscript.list
        = {"description":"d","id":"2","images":["linode/debian12"],"label":"two","public":false,"revision_note":"lt-s-1","script":"#!/bin/bash\n"}
        >! stackscript.create DistributionIDList=140,124 Label=one isPublic=0 rev_note=lt-s-1 script=#!/bin/bash\n
        = {"description":"","id":"3","images":["linode/debian12","linode/ubuntu14.04lts"],"label":"one","public":false,"revision_note":"lt-s-1","script":"#!/bin/bash\n"}
        >! stackscript.create DistributionIDList=140,124,77 Label=one isPublic=0 rev_note=lt-s-1 script=#!/bin/bash\n
        = {"description":"","id":"3","images":["any/all"],"label":"one","public":false,"revision_note":"lt-s-1","script":"#!/bin/bash\n"}
        ! {"kind":"invalid","message":"API v3 wants to know which images a StackScript is for; any/all: every one","field":"images"}
        ! {"kind":"unsupported","message":"Linode's API v3 has no StackScripts for images of one's own: leave it out, or use the provider linode-v4","field":"images"}
        >! stackscript.create DistributionIDList=140 Label=one isPublic=0 rev_note=lt-s-1 script=#!/bin/bash\n
        ! {"kind":"limit","message":"StackScript limit has been reached","retry":"never","code":"42"}
    "##]].assert_eq(&shown.concat());
}

#[test]
fn images_are_made_of_disks_whose_linode_is_looked_for() {
    let linodes = || good(json!([linode(7, "web-1", ""), linode(8, "web-2", "")]));
    let disks = || batch([answer(json!([{ "DISKID": 61 }])), answer(json!([{ "DISKID": 71 }]))]);
    let args = json!({ "disk": "71", "label": "golden", "description": "web", "tags": ["lt-s-1"] });
    let gone = batch([fault(5, "Object not found"), answer(json!([{ "DISKID": 61 }]))]);
    let shown = [
        show("images.create", args, [linodes(), disks(), good(json!({ "JobID": 1, "ImageID": 396235 }))]),
        show("images.create", json!({ "disk": "99" }), [linodes(), gone]),
        show("images.create", json!({ "disk": "71", "cloud_init": true }), []),
        show(
            "images.delete",
            json!({ "id": "private/396235" }),
            [good(json!({ "imageID": 396235, "status": "deleted" }))],
        ),
        show("images.delete", json!({ "id": "linode/debian12" }), []),
    ];
    expect![[r#"
        > linode.list
        > batch of 2
            linode.disk.list LinodeID=7
            linode.disk.list LinodeID=8
        >! linode.disk.imagize Description=web [lt-s-1] DiskID=71 Label=golden LinodeID=8
        = {"capabilities":[],"deprecated":false,"description":"web [lt-s-1]","id":"private/396235","label":"golden","public":false,"size_mb":0,"status":"creating","vendor":""}
        > linode.list
        > batch of 2
            linode.disk.list LinodeID=7
            linode.disk.list LinodeID=8
        ! {"kind":"not_found","message":"no Linode has a disk 99","retry":"never","code":"5"}
        ! {"kind":"unsupported","message":"Linode's API v3 has no user data: leave it out, or use the provider linode-v4","field":"cloud_init"}
        > image.delete ImageID=396235
        = {}
        ! {"kind":"invalid","message":"`linode/debian12` is not an id of this provider: its ids are whole numbers","field":"id"}
    "#]].assert_eq(&shown.concat());
}

#[test]
fn the_account() {
    let info = json!({ "TRANSFER_USED": 1, "BALANCE": -4.82, "BILLING_METHOD": "metered", "TRANSFER_POOL": 104, "MANAGED": true });
    expect![[r#"
        > account.info
        = {"capabilities":["Managed"],"company":"","email":"","id":""}
    "#]]
    .assert_eq(&show("account.get", json!({}), [good(info)]));
}
