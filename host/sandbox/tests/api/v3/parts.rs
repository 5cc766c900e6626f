//! What a Linode is made of, and what is offered, through API v3.

use crate::support::Cloud;
use expect_test::expect;
use linodetool_sandbox::limits::LimitMode;
use linodetool_sandbox::world::Timing;

const BARE: &str = "linode.create DatacenterID=6 PlanID=1";

#[test]
fn what_is_offered() {
    let cloud = Cloud::new();
    cloud.v3_talk(
        "avail.datacenters
         avail.linodeplans PlanID=4
         avail.linodeplans PlanID=3
         avail.distributions DistributionID=211
         avail.distributions DistributionID=5
         avail.nodebalancers
         account.info
         account.estimateinvoice mode=linode_new PlanID=2 PaymentTerm=12
         account.estimateinvoice mode=other",
        &expect![[r#"
            > avail.datacenters
              - {"ABBR":"dallas","DATACENTERID":2,"LOCATION":"Dallas, TX, USA"}
              - {"ABBR":"fremont","DATACENTERID":3,"LOCATION":"Fremont, CA, USA"}
              - {"ABBR":"atlanta","DATACENTERID":4,"LOCATION":"Atlanta, GA, USA"}
              - {"ABBR":"newark","DATACENTERID":6,"LOCATION":"Newark, NJ, USA"}
              - {"ABBR":"london","DATACENTERID":7,"LOCATION":"London, England, UK"}
              - {"ABBR":"singapore","DATACENTERID":9,"LOCATION":"Singapore, SG"}
              - {"ABBR":"frankfurt","DATACENTERID":10,"LOCATION":"Frankfurt, DE"}
              - {"ABBR":"shinagawa1","DATACENTERID":11,"LOCATION":"Tokyo 2, JP"}
            > avail.linodeplans PlanID=4
              - {"AVAIL":{"10":500,"11":500,"2":500,"3":500,"4":500,"6":500,"7":500,"9":500},"CORES":2,"DISK":80,"HOURLY":0.036,"LABEL":"Linode 4096","PLANID":4,"PRICE":24.0,"RAM":4096,"XFER":4000}
            > avail.linodeplans PlanID=3
              []
            > avail.distributions DistributionID=211
              - {"CREATE_DT":"2023-06-11 00:00:00.0","DISTRIBUTIONID":211,"IS64BIT":1,"LABEL":"Debian 12","MINIMAGESIZE":1800,"REQUIRESPVOPSKERNEL":1}
            > avail.distributions DistributionID=5
              ! 5 Object not found
            > avail.nodebalancers
              - {"CONNECTIONS":10000,"HOURLY":0.015,"MONTHLY":10.0}
            > account.info
              = {"ACTIVE_SINCE":"2026-01-31 07:00:00.0","BALANCE":0.0,"BILLING_METHOD":"metered","MANAGED":false,"TRANSFER_BILLABLE":0,"TRANSFER_POOL":0,"TRANSFER_USED":0}
            > account.estimateinvoice mode=linode_new PlanID=2 PaymentTerm=12
              = {"INVOICE_TO":"2026-01-31 23:59:59","PRICE":144.0}
            > account.estimateinvoice mode=other
              ! 8 mode must be one of linode_new, linode_resize, nodebalancer_new
        "#]],
    );
    let kernels = cloud.v3_data("avail.kernels");
    let told: Vec<_> =
        kernels.as_array().unwrap().iter().map(|one| format!("{} {}", one["KERNELID"], one["LABEL"])).collect();
    expect![[r#"
        138 "Latest 64 bit (6.15.7-x86_64-linode169)"
        137 "Latest 32 bit (6.8.9-x86-linode184)"
        210 "GRUB 2"
        213 "Direct Disk"
        306 "6.15.7-x86_64-linode169"
        307 "6.8.9-x86_64-linode164"
        308 "6.8.9-x86-linode184"
        309 "6.1.10-x86_64-linode159"
        310 "5.15.10-x86_64-linode151"
        311 "Latest 2.6 (2.6.39.1-linode34)""#]]
    .assert_eq(&told.join("\n"));
}

#[test]
fn disks() {
    let cloud = Cloud::new();
    cloud.v3_data(BARE);
    cloud.v3_talk(
        "linode.disk.create LinodeID=1001 Type=ext4 Label=data Size=1000
         linode.disk.create LinodeID=1001 Type=btrfs Label=data Size=1000
         linode.disk.create LinodeID=1001 Type=raw Label=data Size=25000
         linode.disk.create LinodeID=1001 Type=raw Label=data
         linode.disk.createfromdistribution LinodeID=1001 DistributionID=211 Label=sys Size=500 rootPass=Str0ng-enough
         linode.disk.createfromdistribution LinodeID=1001 DistributionID=211 Label=sys Size=5000
         linode.disk.createfromdistribution LinodeID=1001 DistributionID=211 Label=sys Size=5000 rootPass=weak
         linode.disk.createfromdistribution LinodeID=1001 DistributionID=5 Label=sys Size=5000 rootPass=Str0ng-enough
         linode.disk.createfromdistribution LinodeID=1001 DistributionID=211 Label=sys Size=5000 rootPass=Str0ng-enough rootSSHKey=none
         linode.disk.resize LinodeID=1001 DiskID=1001 size=2000
         linode.disk.resize LinodeID=1001 DiskID=1001 size=30000
         linode.disk.duplicate LinodeID=1001 DiskID=1001
         linode.disk.update DiskID=1002 Label=copy isReadOnly=true
         linode.disk.delete LinodeID=1001 DiskID=1001
         linode.disk.delete LinodeID=1001 DiskID=1001
         linode.disk.list LinodeID=1001",
        &expect![[r#"
            > linode.disk.create LinodeID=1001 Type=ext4 Label=data Size=1000
              = {"DiskID":1001,"JobID":1001}
            > linode.disk.create LinodeID=1001 Type=btrfs Label=data Size=1000
              ! 8 Type must be ext4, ext3, swap or raw
            > linode.disk.create LinodeID=1001 Type=raw Label=data Size=25000
              ! 8 Insufficient space: 25000 MB are wanted, 24600 MB are free
            > linode.disk.create LinodeID=1001 Type=raw Label=data
              ! 6 Size is required but was not passed in
            > linode.disk.createfromdistribution LinodeID=1001 DistributionID=211 Label=sys Size=500 rootPass=Str0ng-enough
              ! 8 Size: Debian 12 needs at least 1800 MB
            > linode.disk.createfromdistribution LinodeID=1001 DistributionID=211 Label=sys Size=5000
              ! 6 rootPass is required but was not passed in
            > linode.disk.createfromdistribution LinodeID=1001 DistributionID=211 Label=sys Size=5000 rootPass=weak
              ! 8 rootPass: Must be 7-128 characters
            > linode.disk.createfromdistribution LinodeID=1001 DistributionID=5 Label=sys Size=5000 rootPass=Str0ng-enough
              ! 8 DistributionID is not one of avail.distributions
            > linode.disk.createfromdistribution LinodeID=1001 DistributionID=211 Label=sys Size=5000 rootPass=Str0ng-enough rootSSHKey=none
              ! 8 rootSSHKey is not a valid public key
            > linode.disk.resize LinodeID=1001 DiskID=1001 size=2000
              = {"DiskID":1001,"JobID":1002}
            > linode.disk.resize LinodeID=1001 DiskID=1001 size=30000
              ! 8 Insufficient space: 28000 MB are wanted, 23600 MB are free
            > linode.disk.duplicate LinodeID=1001 DiskID=1001
              = {"DiskID":1002,"JobID":1003}
            > linode.disk.update DiskID=1002 Label=copy isReadOnly=true
              = {"DiskID":1002}
            > linode.disk.delete LinodeID=1001 DiskID=1001
              = {"DiskID":1001,"JobID":1004}
            > linode.disk.delete LinodeID=1001 DiskID=1001
              ! 5 Object not found
            > linode.disk.list LinodeID=1001
              - {"CREATE_DT":"2026-01-31 07:00:00.0","DISKID":1002,"ISREADONLY":1,"LABEL":"copy","LINODEID":1001,"SIZE":2000,"STATUS":1,"TYPE":"ext4","UPDATE_DT":"2026-01-31 07:00:00.0"}
        "#]],
    );
}

#[test]
fn images_of_ones_own() {
    let cloud = Cloud::with(Timing::real(), LimitMode::Off);
    cloud.v3_data(BARE);
    cloud.v3_data("linode.disk.create LinodeID=1001 Type=ext4 Label=data Size=1000");
    cloud.v3_talk(
        "linode.disk.imagize LinodeID=1001 DiskID=1001 Label=gold
         linode.disk.imagize LinodeID=1001 DiskID=9
         image.list
         image.list pending=1
         linode.disk.createfromimage LinodeID=1001 ImageID=1001 rootPass=Str0ng-enough",
        &expect![[r#"
            > linode.disk.imagize LinodeID=1001 DiskID=1001 Label=gold
              = {"ImageID":1001,"JobID":1002}
            > linode.disk.imagize LinodeID=1001 DiskID=9
              ! 5 Object not found
            > image.list
              []
            > image.list pending=1
              - {"CREATE_DT":"2026-01-31 07:00:00.0","CREATOR":"sandbox","DESCRIPTION":"","FS_TYPE":"ext4","IMAGEID":1001,"ISPUBLIC":0,"LABEL":"gold","LAST_USED_DT":"","MINSIZE":1000,"STATUS":"pending","TYPE":"manual"}
            > linode.disk.createfromimage LinodeID=1001 ImageID=1001 rootPass=Str0ng-enough
              ! 5 Object not found
        "#]],
    );
    cloud.pass(60.0);
    cloud.v3_talk(
        "image.list
         image.update ImageID=1001 description=first
         linode.disk.createfromimage LinodeID=1001 ImageID=1001 rootPass=Str0ng-enough Label=copy size=10
         linode.disk.createfromimage LinodeID=1001 ImageID=1001 rootPass=Str0ng-enough Label=copy
         image.delete ImageID=1001
         image.list ImageID=1001",
        &expect![[r#"
            > image.list
              - {"CREATE_DT":"2026-01-31 07:00:00.0","CREATOR":"sandbox","DESCRIPTION":"","FS_TYPE":"ext4","IMAGEID":1001,"ISPUBLIC":0,"LABEL":"gold","LAST_USED_DT":"","MINSIZE":1000,"STATUS":"available","TYPE":"manual"}
            > image.update ImageID=1001 description=first
              = {"create_dt":"2026-01-31 07:00:00.0","creator":"sandbox","description":"first","fs_type":"ext4","imageID":1001,"isPublic":0,"label":"gold","last_used_dt":"","minSize":1000,"status":"available","type":"manual"}
            > linode.disk.createfromimage LinodeID=1001 ImageID=1001 rootPass=Str0ng-enough Label=copy size=10
              ! 8 Size: gold needs at least 1000 MB
            > linode.disk.createfromimage LinodeID=1001 ImageID=1001 rootPass=Str0ng-enough Label=copy
              = {"DISKID":1002,"JOBID":1003}
            > image.delete ImageID=1001
              = {"create_dt":"2026-01-31 07:00:00.0","creator":"sandbox","description":"first","fs_type":"ext4","imageID":1001,"isPublic":0,"label":"gold","last_used_dt":"","minSize":1000,"status":"deleted","type":"manual"}
            > image.list ImageID=1001
              ! 5 Object not found
        "#]],
    );
}

#[test]
fn configurations() {
    let cloud = Cloud::new();
    cloud.v3_data(BARE);
    cloud.v3_data("linode.disk.create LinodeID=1001 Type=ext4 Label=data Size=1000");
    cloud.v3_talk(
        "linode.config.create LinodeID=1001 KernelID=138 Label=first DiskList=,1001,,,,,,,
         linode.config.create LinodeID=1001 KernelID=138 Label=first DiskList=1009,,,,,,,,
         linode.config.create LinodeID=1001 KernelID=1 Label=first DiskList=1001
         linode.config.create LinodeID=1001 KernelID=138 Label=first DiskList=,,,
         linode.config.update ConfigID=1001 RootDeviceNum=2 Comments=mine helper_distro=0 RunLevel=single KernelID=210
         linode.config.update ConfigID=1001 RootDeviceNum=0 RootDeviceCustom=/dev/md0
         linode.config.update ConfigID=1001 virt_mode=other
         linode.config.update ConfigID=9 Label=x
         linode.config.list LinodeID=1001 ConfigID=1001",
        &expect![[r#"
            > linode.config.create LinodeID=1001 KernelID=138 Label=first DiskList=,1001,,,,,,,
              = {"ConfigID":1001}
            > linode.config.create LinodeID=1001 KernelID=138 Label=first DiskList=1009,,,,,,,,
              ! 8 DiskList: 1009 is no disk of this Linode
            > linode.config.create LinodeID=1001 KernelID=1 Label=first DiskList=1001
              ! 8 KernelID is not one of avail.kernels
            > linode.config.create LinodeID=1001 KernelID=138 Label=first DiskList=,,,
              ! 8 DiskList names no disk
            > linode.config.update ConfigID=1001 RootDeviceNum=2 Comments=mine helper_distro=0 RunLevel=single KernelID=210
              = {"ConfigID":1001}
            > linode.config.update ConfigID=1001 RootDeviceNum=0 RootDeviceCustom=/dev/md0
              = {"ConfigID":1001}
            > linode.config.update ConfigID=1001 virt_mode=other
              ! 8 virt_mode must be one of paravirt, fullvirt
            > linode.config.update ConfigID=9 Label=x
              ! 5 Object not found
            > linode.config.list LinodeID=1001 ConfigID=1001
              - {"Comments":"mine","ConfigID":1001,"DiskList":",1001,,,,,,,","KernelID":210,"Label":"first","LinodeID":1001,"RAMLimit":0,"RootDeviceCustom":"/dev/md0","RootDeviceNum":0,"RootDeviceRO":true,"RunLevel":"single","__validationErrorArray":[],"apiColumnFilterStruct":"","devtmpfs_automount":true,"helper_depmod":1,"helper_disableUpdateDB":1,"helper_distro":0,"helper_libtls":false,"helper_network":1,"helper_xen":0,"isRescue":0,"virt_mode":"paravirt"}
        "#]],
    );
    let config = cloud.get("GET /v4/linode/instances/1001/configs/1001");
    expect![[r#""linode/grub2" "/dev/md0" "mine" null {"disk_id":1001,"volume_id":null}"#]].assert_eq(&format!(
        "{} {} {} {} {}",
        config["kernel"], config["root_device"], config["comments"], config["devices"]["sda"], config["devices"]["sdb"]
    ));
    cloud.v3_talk(
        "linode.config.delete LinodeID=1001 ConfigID=1001\nlinode.config.list LinodeID=1001",
        &expect![[r#"
        > linode.config.delete LinodeID=1001 ConfigID=1001
          = {"ConfigID":1001}
        > linode.config.list LinodeID=1001
          []
    "#]],
    );
}

#[test]
fn addresses() {
    let cloud = Cloud::new();
    cloud.v3_data(BARE);
    cloud.v3_data(BARE);
    cloud.v3_talk(
        "linode.ip.list LinodeID=1001
         linode.ip.addprivate LinodeID=1001
         linode.ip.addprivate LinodeID=1001
         linode.ip.addpublic LinodeID=1001
         linode.ip.setrdns IPAddressID=258 Hostname=web.example.org
         linode.ip.setrdns IPAddressID=258 Hostname=web
         linode.ip.swap IPAddressID=258 withIPAddressID=259
         linode.ip.swap IPAddressID=258
         linode.ip.swap IPAddressID=258 toLinodeID=1001
         linode.ip.list
         linode.ip.list LinodeID=9",
        &expect![[r#"
            > linode.ip.list LinodeID=1001
              - {"IPADDRESS":"198.18.1.2","IPADDRESSID":258,"ISPUBLIC":1,"LINODEID":1001,"RDNS_NAME":"198-18-1-2.ip.sandbox.invalid"}
            > linode.ip.addprivate LinodeID=1001
              = {"IPADDRESS":"192.168.129.2","IPADDRESSID":262402}
            > linode.ip.addprivate LinodeID=1001
              ! 8 This Linode already has a private IP address
            > linode.ip.addpublic LinodeID=1001
              ! 8 Additional IPv4 addresses require technical justification. Please open a support ticket.
            > linode.ip.setrdns IPAddressID=258 Hostname=web.example.org
              = {"HOSTNAME":"web.example.org","IPADDRESS":"198.18.1.2","IPADDRESSID":258}
            > linode.ip.setrdns IPAddressID=258 Hostname=web
              ! 8 Hostname is not a domain name
            > linode.ip.swap IPAddressID=258 withIPAddressID=259
              - {"IPADDRESS":"198.18.1.2","IPADDRESSID":258,"LINODEID":1002}
              - {"IPADDRESS":"198.18.1.3","IPADDRESSID":259,"LINODEID":1001}
            > linode.ip.swap IPAddressID=258
              ! 8 One of withIPAddressID and toLinodeID is required
            > linode.ip.swap IPAddressID=258 toLinodeID=1001
              - {"IPADDRESS":"198.18.1.2","IPADDRESSID":258,"LINODEID":1001}
              - {"IPADDRESS":"198.18.1.3","IPADDRESSID":259,"LINODEID":1002}
            > linode.ip.list
              - {"IPADDRESS":"198.18.1.2","IPADDRESSID":258,"ISPUBLIC":1,"LINODEID":1001,"RDNS_NAME":"198-18-1-2.ip.sandbox.invalid"}
              - {"IPADDRESS":"192.168.129.2","IPADDRESSID":262402,"ISPUBLIC":0,"LINODEID":1001,"RDNS_NAME":""}
              - {"IPADDRESS":"198.18.1.3","IPADDRESSID":259,"ISPUBLIC":1,"LINODEID":1002,"RDNS_NAME":"198-18-1-3.ip.sandbox.invalid"}
            > linode.ip.list LinodeID=9
              ! 5 Object not found
        "#]],
    );
}

#[test]
fn a_stackscript_gets_its_answers() {
    let cloud = Cloud::new();
    cloud.v3_data(BARE);
    let script = "#!/bin/bash\n# <UDF name=\"name\" label=\"Who?\">\n# <UDF name=\"size\" label=\"How big?\" default=\"small\">\n";
    let form = |fields: &[(&str, &str)]| {
        let key = ("api_key", cloud.token.as_str());
        let fields: Vec<_> =
            [key].iter().chain(fields).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        crate::support::v3_told(&cloud.v3_form(&fields).body.unwrap())
    };
    let made = form(&[
        ("api_action", "stackscript.create"),
        ("Label", "hello"),
        ("script", script),
        ("DistributionIDList", "211,"),
        ("isPublic", "0"),
    ]);
    let disk = |answers: &str, distribution: &str| {
        form(&[
            ("api_action", "linode.disk.createfromstackscript"),
            ("LinodeID", "1001"),
            ("StackScriptID", "1001"),
            ("StackScriptUDFResponses", answers),
            ("DistributionID", distribution),
            ("Label", "sys"),
            ("Size", "5000"),
            ("rootPass", "Str0ng-enough"),
            ("rootSSHKey", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBg me@here\n"),
        ])
    };
    let told = [
        made,
        disk("{}", "211"),
        disk("no JSON", "211"),
        disk(r#"{"name":"x"}"#, "212"),
        disk(r#"{\"name\":\"me & you\"}"#, "211"),
    ];
    expect![[r#"
          = {"StackScriptID":1001}
          ! 8 StackScriptUDFResponses: name is required
          ! 8 StackScriptUDFResponses must be a JSON object
          ! 8 The distribution is not among those of the StackScript
          = {"DiskID":1001,"JobID":1001}"#]]
    .assert_eq(&told.join("\n"));
    cloud.v3_data("linode.config.create LinodeID=1001 KernelID=210 Label=first DiskList=1001");
    cloud.v3_data("linode.boot LinodeID=1001");
    let specs = cloud.machines.specs.lock().unwrap();
    let script = specs[0].stackscript.as_ref().unwrap();
    expect![[r#"{"name": "me & you", "size": "small"} ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBg me@here"]"#]]
        .assert_eq(&format!("{:?} {:?}", script.data, specs[0].authorized_keys));
    drop(specs);
    cloud.v3_talk(
        "stackscript.list
         stackscript.update StackScriptID=1001 isPublic=1 Description=says~hello
         avail.stackscripts keywords=hello DistributionVendor=Debian
         avail.stackscripts keywords=bye
         stackscript.update StackScriptID=1001 isPublic=0
         stackscript.delete StackScriptID=1001
         stackscript.delete StackScriptID=1001
         stackscript.create Label=x script=echo DistributionIDList=211
         stackscript.create Label=x script=#! DistributionIDList=5",
        &expect![[r##"
            > stackscript.list
              - {"CREATE_DT":"2026-01-31 07:00:00.0","DEPLOYMENTSACTIVE":0,"DEPLOYMENTSTOTAL":1,"DESCRIPTION":"","DISTRIBUTIONIDLIST":211,"ISPUBLIC":0,"LABEL":"hello","LATESTREV":1001,"REV_DT":"2026-01-31 07:00:00.0","REV_NOTE":"","SCRIPT":"#!/bin/bash\n# <UDF name=\"name\" label=\"Who?\">\n# <UDF name=\"size\" label=\"How big?\" default=\"small\">\n","STACKSCRIPTID":1001,"USERID":1}
            > stackscript.update StackScriptID=1001 isPublic=1 Description=says~hello
              = {"StackScriptID":1001}
            > avail.stackscripts keywords=hello DistributionVendor=Debian
              - {"CREATE_DT":"2026-01-31 07:00:00.0","DEPLOYMENTSACTIVE":0,"DEPLOYMENTSTOTAL":1,"DESCRIPTION":"says hello","DISTRIBUTIONIDLIST":211,"ISPUBLIC":1,"LABEL":"hello","LATESTREV":1001,"REV_DT":"2026-01-31 07:00:00.0","REV_NOTE":"","SCRIPT":"#!/bin/bash\n# <UDF name=\"name\" label=\"Who?\">\n# <UDF name=\"size\" label=\"How big?\" default=\"small\">\n","STACKSCRIPTID":1001,"USERID":1}
            > avail.stackscripts keywords=bye
              []
            > stackscript.update StackScriptID=1001 isPublic=0
              ! 8 A public StackScript cannot be made private
            > stackscript.delete StackScriptID=1001
              = {"StackScriptID":1001}
            > stackscript.delete StackScriptID=1001
              ! 5 Object not found
            > stackscript.create Label=x script=echo DistributionIDList=211
              ! 8 script must begin with a shebang
            > stackscript.create Label=x script=#! DistributionIDList=5
              ! 8 DistributionIDList: 5 is no distribution
        "##]],
    );
}
