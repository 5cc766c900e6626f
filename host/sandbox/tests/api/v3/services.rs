//! Volumes, domains and NodeBalancers through API v3.

use crate::support::{Cloud, sorted};
use expect_test::expect;

#[test]
fn api_v4_shows_them_too() {
    let cloud = Cloud::new();
    for action in [
        "linode.create DatacenterID=6 PlanID=1",
        "volume.create Label=data Size=20 LinodeID=1001",
        "domain.create Domain=example.org Type=master SOA_Email=me@example.org",
        "domain.resource.create DomainID=1001 Type=A Name=www Target=192.0.2.5",
        "nodebalancer.create DatacenterID=6 Label=front",
        "nodebalancer.config.create NodeBalancerID=1001 Port=80",
        "nodebalancer.node.create ConfigID=1001 Label=web-1 Address=192.168.130.9:80",
    ] {
        cloud.v3_data(action);
    }
    let shown = |path: &str| format!("{path} {}\n", sorted(&cloud.get(&format!("GET /v4/{path}"))["data"][0]));
    let told = [
        shown("volumes"),
        shown("linode/instances/1001/volumes"),
        shown("domains"),
        shown("domains/1001/records"),
        shown("nodebalancers"),
        shown("nodebalancers/1001/configs"),
        shown("nodebalancers/1001/configs/1001/nodes"),
    ];
    expect![[r#"
        volumes {"created":"2026-01-31T12:00:00","encryption":"disabled","filesystem_path":"/dev/disk/by-id/scsi-0Linode_Volume_data","hardware_type":"nvme","id":1001,"io_ready":true,"label":"data","linode_id":1001,"linode_label":"linode1001","region":"us-east","size":20,"status":"active","tags":[],"updated":"2026-01-31T12:00:00"}
        linode/instances/1001/volumes {"created":"2026-01-31T12:00:00","encryption":"disabled","filesystem_path":"/dev/disk/by-id/scsi-0Linode_Volume_data","hardware_type":"nvme","id":1001,"io_ready":true,"label":"data","linode_id":1001,"linode_label":"linode1001","region":"us-east","size":20,"status":"active","tags":[],"updated":"2026-01-31T12:00:00"}
        domains {"axfr_ips":[],"description":"","domain":"example.org","expire_sec":0,"group":"","id":1001,"master_ips":[],"refresh_sec":0,"retry_sec":0,"soa_email":"me@example.org","status":"active","tags":[],"ttl_sec":0,"type":"master"}
        domains/1001/records {"id":1001,"name":"www","port":0,"priority":0,"protocol":null,"service":null,"tag":null,"target":"192.0.2.5","ttl_sec":0,"type":"A","weight":0}
        nodebalancers {"client_conn_throttle":0,"hostname":"nb-198-18-1-3.sandbox.invalid","id":1001,"ipv4":"198.18.1.3","ipv6":"fd98:1a0d:1::3e9","label":"front","region":"us-east","tags":[],"transfer":{"in":0.0,"out":0.0,"total":0.0},"type":"common"}
        nodebalancers/1001/configs {"algorithm":"roundrobin","check":"connection","check_attempts":2,"check_body":"","check_interval":5,"check_passive":true,"check_path":"","check_timeout":3,"cipher_suite":"recommended","id":1001,"nodebalancer_id":1001,"nodes_status":{"down":0,"up":0},"port":80,"protocol":"http","proxy_protocol":"none","ssl_cert":null,"ssl_commonname":"","ssl_fingerprint":"","ssl_key":null,"stickiness":"table"}
        nodebalancers/1001/configs/1001/nodes {"address":"192.168.130.9:80","config_id":1001,"id":1001,"label":"web-1","mode":"accept","nodebalancer_id":1001,"status":"Unknown","weight":100}
    "#]].assert_eq(&told.concat());
    assert_eq!(cloud.ask("GET /v4/volumes/7").status, 404);
}

#[test]
fn volumes() {
    let cloud = Cloud::new();
    cloud.v3_data("linode.create DatacenterID=6 PlanID=1");
    cloud.v3_talk(
        "volume.create Label=data Size=20 DatacenterID=6
         volume.create Label=data Size=20 DatacenterID=6
         volume.create Label=small Size=5 DatacenterID=6
         volume.create Label=nowhere Size=20
         volume.create Label=away Size=20 DatacenterID=7 LinodeID=1001
         volume.create Label=more Size=20 LinodeID=1001
         volume.list
         volume.update VolumeID=1001 LinodeID=1001 Size=30
         volume.update VolumeID=1001 Size=20
         volume.delete VolumeID=1001
         volume.clone CloneFromID=1001 Label=copy
         volume.update VolumeID=1001 LinodeID=0
         volume.delete VolumeID=1001
         linode.delete LinodeID=1001
         volume.list
         volume.list VolumeID=1001",
        &expect![[r#"
            > volume.create Label=data Size=20 DatacenterID=6
              = {"VolumeID":1001}
            > volume.create Label=data Size=20 DatacenterID=6
              ! 8 A volume with that label exists already
            > volume.create Label=small Size=5 DatacenterID=6
              ! 8 Size must be 10-16384
            > volume.create Label=nowhere Size=20
              ! 8 One of DatacenterID and LinodeID is required
            > volume.create Label=away Size=20 DatacenterID=7 LinodeID=1001
              ! 8 The Linode is in another datacenter than the volume
            > volume.create Label=more Size=20 LinodeID=1001
              = {"VolumeID":1002}
            > volume.list
              - {"CREATE_DT":"2026-01-31 07:00:00.0","DATACENTERID":6,"LABEL":"data","LINODEID":0,"SIZE":20,"STATUS":"active","UPDATE_DT":"2026-01-31 07:00:00.0","VOLUMEID":1001}
              - {"CREATE_DT":"2026-01-31 07:00:00.0","DATACENTERID":6,"LABEL":"more","LINODEID":1001,"SIZE":20,"STATUS":"active","UPDATE_DT":"2026-01-31 07:00:00.0","VOLUMEID":1002}
            > volume.update VolumeID=1001 LinodeID=1001 Size=30
              = {"VolumeID":1001}
            > volume.update VolumeID=1001 Size=20
              ! 8 Volumes can only be made larger
            > volume.delete VolumeID=1001
              ! 8 The volume is attached to a Linode: detach it first
            > volume.clone CloneFromID=1001 Label=copy
              = {"VolumeID":1003}
            > volume.update VolumeID=1001 LinodeID=0
              = {"VolumeID":1001}
            > volume.delete VolumeID=1001
              = {"VolumeID":1001}
            > linode.delete LinodeID=1001
              = {"LinodeID":1001}
            > volume.list
              - {"CREATE_DT":"2026-01-31 07:00:00.0","DATACENTERID":6,"LABEL":"more","LINODEID":0,"SIZE":20,"STATUS":"active","UPDATE_DT":"2026-01-31 07:00:00.0","VOLUMEID":1002}
              - {"CREATE_DT":"2026-01-31 07:00:00.0","DATACENTERID":6,"LABEL":"copy","LINODEID":0,"SIZE":30,"STATUS":"active","UPDATE_DT":"2026-01-31 07:00:00.0","VOLUMEID":1003}
            > volume.list VolumeID=1001
              ! 5 Object not found
        "#]],
    );
}

#[test]
fn domains() {
    let cloud = Cloud::new();
    cloud.v3_talk(
        "domain.create Domain=example.org Type=master
         domain.create Domain=example.org Type=master SOA_Email=me@example.org TTL_sec=50 lpm_displayGroup=prod
         domain.create Domain=Example.org Type=master SOA_Email=me@example.org
         domain.create Domain=example.net Type=slave master_ips=192.0.2.1;192.0.2.2
         domain.update DomainID=1001 axfr_ips=192.0.2.9 status=2
         domain.update DomainID=1001 master_ips=here
         domain.list
         domain.list DomainID=9
         domain.resource.create DomainID=1001 Type=A Name=www Target=192.0.2.5 TTL_sec=20
         domain.resource.create DomainID=1001 Type=A Name=www Target=www
         domain.resource.create DomainID=1001 Type=MX Target=mail.example.org Priority=10
         domain.resource.create DomainID=1001 Type=LOC Target=x
         domain.resource.update ResourceID=1001 Target=192.0.2.6
         domain.resource.list DomainID=1001
         domain.resource.delete DomainID=1001 ResourceID=1001
         domain.resource.delete DomainID=1001 ResourceID=1001
         domain.delete DomainID=1001
         domain.resource.list DomainID=1001",
        &expect![[r#"
            > domain.create Domain=example.org Type=master
              ! 8 SOA_Email is required when Type=master
            > domain.create Domain=example.org Type=master SOA_Email=me@example.org TTL_sec=50 lpm_displayGroup=prod
              = {"DomainID":1001}
            > domain.create Domain=Example.org Type=master SOA_Email=me@example.org
              ! 8 Domain already exists in our database
            > domain.create Domain=example.net Type=slave master_ips=192.0.2.1;192.0.2.2
              = {"DomainID":1002}
            > domain.update DomainID=1001 axfr_ips=192.0.2.9 status=2
              = {"DomainID":1001}
            > domain.update DomainID=1001 master_ips=here
              ! 8 master_ips: here is no address
            > domain.list
              - {"AXFR_IPS":"192.0.2.9;","DESCRIPTION":"","DOMAIN":"example.org","DOMAINID":1001,"EXPIRE_SEC":0,"LPM_DISPLAYGROUP":"prod","MASTER_IPS":"","REFRESH_SEC":0,"RETRY_SEC":0,"SOA_EMAIL":"me@example.org","STATUS":2,"TTL_SEC":300,"TYPE":"master"}
              - {"AXFR_IPS":"none","DESCRIPTION":"","DOMAIN":"example.net","DOMAINID":1002,"EXPIRE_SEC":0,"LPM_DISPLAYGROUP":"","MASTER_IPS":"192.0.2.1;192.0.2.2;","REFRESH_SEC":0,"RETRY_SEC":0,"SOA_EMAIL":"","STATUS":1,"TTL_SEC":0,"TYPE":"slave"}
            > domain.list DomainID=9
              ! 5 Object not found
            > domain.resource.create DomainID=1001 Type=A Name=www Target=192.0.2.5 TTL_sec=20
              = {"ResourceID":1001}
            > domain.resource.create DomainID=1001 Type=A Name=www Target=www
              ! 8 Target is not valid for this type
            > domain.resource.create DomainID=1001 Type=MX Target=mail.example.org Priority=10
              = {"ResourceID":1002}
            > domain.resource.create DomainID=1001 Type=LOC Target=x
              ! 8 Type must be one of a, aaaa, ns, mx, cname, txt, srv, ptr, caa
            > domain.resource.update ResourceID=1001 Target=192.0.2.6
              = {"ResourceID":1001}
            > domain.resource.list DomainID=1001
              - {"DOMAINID":1001,"NAME":"www","PORT":0,"PRIORITY":0,"PROTOCOL":"","RESOURCEID":1001,"TARGET":"192.0.2.6","TTL_SEC":300,"TYPE":"a","WEIGHT":0}
              - {"DOMAINID":1001,"NAME":"","PORT":0,"PRIORITY":10,"PROTOCOL":"","RESOURCEID":1002,"TARGET":"mail.example.org","TTL_SEC":0,"TYPE":"mx","WEIGHT":0}
            > domain.resource.delete DomainID=1001 ResourceID=1001
              = {"ResourceID":1001}
            > domain.resource.delete DomainID=1001 ResourceID=1001
              ! 5 Object not found
            > domain.delete DomainID=1001
              = {"DomainID":1001}
            > domain.resource.list DomainID=1001
              ! 5 Object not found
        "#]],
    );
}

#[test]
fn nodebalancers() {
    let cloud = Cloud::new();
    cloud.v3_talk(
        "nodebalancer.create DatacenterID=6 Label=front ClientConnThrottle=5
         nodebalancer.create DatacenterID=6 Label=front
         nodebalancer.create DatacenterID=6 ClientConnThrottle=21
         nodebalancer.update NodeBalancerID=1001 ClientConnThrottle=0
         nodebalancer.list
         nodebalancer.config.create NodeBalancerID=1001 Port=80 Protocol=http check=http check_path=/
         nodebalancer.config.create NodeBalancerID=1001 Port=80
         nodebalancer.config.create NodeBalancerID=1001 Port=443 Protocol=https
         nodebalancer.config.create NodeBalancerID=1001 Port=81 Algorithm=random
         nodebalancer.config.create NodeBalancerID=1001 Port=81 check_passive=true
         nodebalancer.config.update ConfigID=1001 Algorithm=leastconn check_timeout=31
         nodebalancer.config.update ConfigID=1001 Algorithm=leastconn check_timeout=30
         nodebalancer.config.list NodeBalancerID=1001
         nodebalancer.node.create ConfigID=1001 Label=web-1 Address=192.168.130.9:80
         nodebalancer.node.create ConfigID=1001 Label=web-2 Address=198.18.0.9:80
         nodebalancer.node.update NodeID=1001 Mode=drain Weight=50
         nodebalancer.node.list ConfigID=1001
         nodebalancer.node.delete NodeID=1001
         nodebalancer.node.list ConfigID=1001
         nodebalancer.config.delete NodeBalancerID=1001 ConfigID=1001
         nodebalancer.delete NodeBalancerID=1001
         nodebalancer.list NodeBalancerID=1001",
        &expect![[r#"
            > nodebalancer.create DatacenterID=6 Label=front ClientConnThrottle=5
              - {"NodeBalancerID":1001}
            > nodebalancer.create DatacenterID=6 Label=front
              ! 8 A NodeBalancer with that label exists already
            > nodebalancer.create DatacenterID=6 ClientConnThrottle=21
              ! 8 ClientConnThrottle must be 0-20
            > nodebalancer.update NodeBalancerID=1001 ClientConnThrottle=0
              - {"NodeBalancerID":1001}
            > nodebalancer.list
              - {"ADDRESS4":"198.18.1.2","ADDRESS6":"fd98:1a0d:1::3e9","CLIENTCONNTHROTTLE":0,"DATACENTERID":6,"HOSTNAME":"nb-198-18-1-2.sandbox.invalid","LABEL":"front","NODEBALANCERID":1001,"STATUS":"active"}
            > nodebalancer.config.create NodeBalancerID=1001 Port=80 Protocol=http check=http check_path=/
              = {"ConfigID":1001}
            > nodebalancer.config.create NodeBalancerID=1001 Port=80
              ! 8 This NodeBalancer has a configuration for port 80 already
            > nodebalancer.config.create NodeBalancerID=1001 Port=443 Protocol=https
              ! 8 ssl_cert and ssl_key are required when Protocol=https
            > nodebalancer.config.create NodeBalancerID=1001 Port=81 Algorithm=random
              ! 8 algorithm must be one of roundrobin, leastconn, source
            > nodebalancer.config.create NodeBalancerID=1001 Port=81 check_passive=true
              ! 7 check_passive must be 0 or 1
            > nodebalancer.config.update ConfigID=1001 Algorithm=leastconn check_timeout=31
              ! 8 check_timeout must be 1-30
            > nodebalancer.config.update ConfigID=1001 Algorithm=leastconn check_timeout=30
              = {"ConfigID":1001}
            > nodebalancer.config.list NodeBalancerID=1001
              - {"ALGORITHM":"leastconn","CHECK":"http","CHECK_ATTEMPTS":2,"CHECK_BODY":"","CHECK_INTERVAL":5,"CHECK_PASSIVE":1,"CHECK_PATH":"/","CHECK_TIMEOUT":30,"CIPHER_SUITE":"recommended","CONFIGID":1001,"NODEBALANCERID":1001,"PORT":80,"PROTOCOL":"http","SSL_COMMONNAME":"","SSL_FINGERPRINT":"","STICKINESS":"table"}
            > nodebalancer.node.create ConfigID=1001 Label=web-1 Address=192.168.130.9:80
              = {"NodeID":1001}
            > nodebalancer.node.create ConfigID=1001 Label=web-2 Address=198.18.0.9:80
              ! 8 Address must be a private address and a port, 192.168.x.y:port
            > nodebalancer.node.update NodeID=1001 Mode=drain Weight=50
              = {"NodeID":1001}
            > nodebalancer.node.list ConfigID=1001
              - {"ADDRESS":"192.168.130.9:80","CONFIGID":1001,"LABEL":"web-1","MODE":"drain","NODEBALANCERID":1001,"NODEID":1001,"STATUS":"Unknown","WEIGHT":50}
            > nodebalancer.node.delete NodeID=1001
              = {"NodeID":1001}
            > nodebalancer.node.list ConfigID=1001
              []
            > nodebalancer.config.delete NodeBalancerID=1001 ConfigID=1001
              = {"ConfigID":1001}
            > nodebalancer.delete NodeBalancerID=1001
              = {"NodeBalancerID":1001}
            > nodebalancer.list NodeBalancerID=1001
              ! 5 Object not found
        "#]],
    );
}
