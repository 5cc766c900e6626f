//! All methods of API v3: their parameters, and which the sandbox does.
//!
//! Owns: the table, checking parameters against it, and the reference made of it. What is not emulated is known all the same:
//! it is answered with code 9 and a sentence.

use super::call::{Answer, Call, number};
use super::fault::Fault;
use super::{
    account, avail, configs, disks, domains, images, ips, jobs, linodes, nodebalancers, stackscripts, utility, volumes,
};

/// One method.
pub(super) struct Method {
    /// As an answer echoes it; asked for without case.
    pub(super) name: &'static str,
    /// `*` before what is required; behind the colon `n` for numbers, `s` for text, `b` for 0, 1, true and false, `f` for 0 and 1.
    pub(super) parameters: &'static str,
    /// It needs no key.
    pub(super) open: bool,
    run: Option<fn(&mut Call<'_>) -> Answer>,
}

const fn method(name: &'static str, parameters: &'static str, run: fn(&mut Call<'_>) -> Answer) -> Method {
    Method { name, parameters, open: false, run: Some(run) }
}

/// One that anybody may call.
const fn open(name: &'static str, parameters: &'static str, run: fn(&mut Call<'_>) -> Answer) -> Method {
    Method { name, parameters, open: true, run: Some(run) }
}

/// Known and not emulated.
const fn known(name: &'static str, parameters: &'static str) -> Method {
    Method { name, parameters, open: false, run: None }
}

const CONFIG: &str = "Comments:s RAMLimit:n virt_mode:s RunLevel:s RootDeviceNum:n RootDeviceCustom:s RootDeviceRO:b \
     helper_disableUpdateDB:b helper_distro:b helper_xen:b helper_depmod:b helper_network:b devtmpfs_automount:b";

/// What a method's parameters are, with the long list that two share.
fn parameters(method: &Method) -> impl Iterator<Item = Parameter> {
    let shared =
        if method.name.starts_with("linode.config.") && method.parameters.contains("DiskList") { CONFIG } else { "" };
    method.parameters.split_whitespace().chain(shared.split_whitespace()).map(|word| {
        let (name, kind) = word.split_once(':').unwrap_or((word, "s"));
        Parameter { name: name.trim_start_matches('*'), required: name.starts_with('*'), kind: kind.as_bytes()[0] }
    })
}

/// One parameter.
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) required: bool,
    kind: u8,
}

impl Parameter {
    pub(super) fn kind(&self) -> &'static str {
        match self.kind {
            b'n' => "numeric",
            b'b' | b'f' => "boolean",
            _ => "string",
        }
    }

    fn check(&self, value: &str) -> Result<(), Fault> {
        let value = value.trim();
        if value.is_empty() {
            return if self.required { Err(Fault::missing(self.name)) } else { Ok(()) };
        }
        let word = value.to_ascii_lowercase();
        match self.kind {
            b'n' if number(value).is_none() => Err(Fault::improper(self.name, "numeric")),
            b'b' if !matches!(word.as_str(), "0" | "1" | "true" | "false" | "yes" | "no") => {
                Err(Fault::improper(self.name, "boolean"))
            }
            b'f' if !matches!(value, "0" | "1") => Err(Fault::improper(self.name, "0 or 1")),
            _ => Ok(()),
        }
    }
}

impl Method {
    pub(super) fn parameters(&self) -> impl Iterator<Item = Parameter> {
        parameters(self)
    }

    pub(super) fn answer(&self, call: &mut Call<'_>) -> Answer {
        for parameter in self.parameters() {
            parameter.check(call.text(&parameter.name.to_ascii_lowercase()))?;
        }
        match self.run {
            Some(run) => run(call),
            None => Err(Fault::new(9, format!("The sandbox does not emulate {}.", self.name))),
        }
    }
}

/// The method of this name.
pub(super) fn find(action: &str) -> Result<&'static Method, Fault> {
    if let Some(method) = METHODS.iter().find(|method| method.name.eq_ignore_ascii_case(action)) {
        return Ok(method);
    }
    let class = |name: &str| name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let wanted = class(action);
    match METHODS.iter().any(|method| class(method.name) == wanted) {
        true => Err(Fault::new(9, "Method Not Implemented")),
        false => Err(Fault::new(3, "The requested class does not exist")),
    }
}

/// All of them, by name.
#[rustfmt::skip]
pub(super) static METHODS: &[Method] = &[
    method("account.estimateinvoice", "PaymentTerm:n *mode:s LinodeID:n PlanID:n", account::estimate_invoice),
    method("account.info", "", account::info),
    known("account.paybalance", ""),
    known("account.updatecard", "*ccExpMonth:n *ccExpYear:n *ccNumber:n"),
    open("api.spec", "", utility::spec),
    method("avail.datacenters", "", avail::datacenters),
    method("avail.distributions", "DistributionID:n", avail::distributions),
    method("avail.kernels", "isXen:b isKVM:b", avail::kernels),
    method("avail.linodeplans", "PlanID:n", avail::plans),
    method("avail.nodebalancers", "", avail::nodebalancers),
    method("avail.stackscripts", "DistributionID:n keywords:s DistributionVendor:s", stackscripts::library),
    method("domain.create", "SOA_Email:s Description:s TTL_sec:n Retry_sec:n Expire_sec:n *Domain:s status:n *Type:s Refresh_sec:n lpm_displayGroup:s master_ips:s axfr_ips:s", domains::create),
    method("domain.delete", "*DomainID:n", domains::delete),
    method("domain.list", "DomainID:n", domains::list),
    method("domain.resource.create", "*DomainID:n Port:n Name:s Weight:n Target:s Priority:n TTL_sec:n Protocol:s *Type:s tag:s", domains::create_record),
    method("domain.resource.delete", "*DomainID:n *ResourceID:n", domains::delete_record),
    method("domain.resource.list", "*DomainID:n ResourceID:n", domains::records),
    method("domain.resource.update", "DomainID:n Port:n *ResourceID:n Name:s Weight:n Target:s Priority:n TTL_sec:n Protocol:s tag:s", domains::update_record),
    method("domain.update", "*DomainID:n Description:s Retry_sec:n Expire_sec:n status:n Refresh_sec:n lpm_displayGroup:s master_ips:s SOA_Email:s TTL_sec:n Domain:s Type:s axfr_ips:s", domains::update),
    method("image.delete", "*ImageID:n", images::delete),
    method("image.list", "ImageID:n pending:n", images::list),
    method("image.update", "label:s description:s *ImageID:n", images::update),
    method("linode.boot", "*LinodeID:n ConfigID:n", linodes::boot),
    method("linode.clone", "PaymentTerm:n *DatacenterID:n *LinodeID:n *PlanID:n", linodes::clone),
    method("linode.config.create", "*LinodeID:n *KernelID:n *Label:s *DiskList:s", configs::create),
    method("linode.config.delete", "*LinodeID:n *ConfigID:n", configs::delete),
    method("linode.config.list", "*LinodeID:n ConfigID:n", configs::list),
    method("linode.config.update", "LinodeID:n *ConfigID:n KernelID:n Label:s DiskList:s", configs::update),
    method("linode.create", "*PlanID:n *DatacenterID:n PaymentTerm:n", linodes::create),
    method("linode.delete", "skipChecks:b *LinodeID:n", linodes::delete),
    method("linode.disk.create", "isReadOnly:b rootPass:s *Label:s rootSSHKey:s FromDistributionID:n *Size:n *LinodeID:n *Type:s", disks::create),
    method("linode.disk.createFromDistribution", "*Label:s rootSSHKey:s *Size:n *DistributionID:n *LinodeID:n *rootPass:s", disks::create_from_distribution),
    method("linode.disk.createFromImage", "Label:s rootSSHKey:s size:n *LinodeID:n rootPass:s *ImageID:n", disks::create_from_image),
    method("linode.disk.createFromStackScript", "*StackScriptUDFResponses:s *DistributionID:n *rootPass:s rootSSHKey:s *Label:s *Size:n *LinodeID:n *StackScriptID:n", disks::create_from_stackscript),
    method("linode.disk.delete", "*LinodeID:n *DiskID:n", disks::delete),
    method("linode.disk.duplicate", "*LinodeID:n *DiskID:n", disks::duplicate),
    method("linode.disk.imagize", "Label:s *LinodeID:n Description:s *DiskID:n", images::imagize),
    method("linode.disk.list", "*LinodeID:n DiskID:n", disks::list),
    method("linode.disk.resize", "*size:n *LinodeID:n *DiskID:n", disks::resize),
    method("linode.disk.update", "Label:s LinodeID:n isReadOnly:b *DiskID:n", disks::update),
    method("linode.ip.addprivate", "*LinodeID:n", ips::add_private),
    method("linode.ip.addpublic", "*LinodeID:n", ips::add_public),
    method("linode.ip.list", "IPAddressID:n LinodeID:n", ips::list),
    method("linode.ip.setrdns", "*IPAddressID:n *Hostname:s", ips::set_rdns),
    method("linode.ip.swap", "toLinodeID:n *IPAddressID:n withIPAddressID:n", ips::swap),
    method("linode.job.list", "JobID:n *LinodeID:n pendingOnly:f", jobs::list),
    known("linode.kvmify", "*LinodeID:n"),
    method("linode.list", "LinodeID:n", linodes::list),
    known("linode.mutate", "*LinodeID:n"),
    method("linode.reboot", "*LinodeID:n ConfigID:n", linodes::reboot),
    method("linode.resize", "*LinodeID:n *PlanID:n", linodes::resize),
    method("linode.shutdown", "*LinodeID:n", linodes::shutdown),
    method("linode.update", "*LinodeID:n Label:s lpm_displayGroup:s watchdog:b Alert_cpu_enabled:b Alert_cpu_threshold:n Alert_diskio_enabled:b Alert_diskio_threshold:n Alert_bwin_enabled:b Alert_bwin_threshold:n Alert_bwout_enabled:b Alert_bwout_threshold:n Alert_bwquota_enabled:b Alert_bwquota_threshold:n backupWindow:n backupWeeklyDay:n ms_ssh_disabled:b ms_ssh_user:s ms_ssh_ip:s ms_ssh_port:n", linodes::update),
    known("linode.webconsoletoken", "*LinodeID:n"),
    method("nodebalancer.config.create", "*NodeBalancerID:n Port:n Protocol:s Algorithm:s Stickiness:s check:s check_interval:n check_timeout:s check_attempts:s check_path:s check_body:s check_passive:f cipher_suite:s ssl_cert:s ssl_key:s", nodebalancers::create_config),
    method("nodebalancer.config.delete", "*NodeBalancerID:n *ConfigID:n", nodebalancers::delete_config),
    method("nodebalancer.config.list", "*NodeBalancerID:n ConfigID:n", nodebalancers::configs),
    method("nodebalancer.config.update", "*ConfigID:n Port:n Protocol:s Algorithm:s Stickiness:s check:s check_interval:n check_timeout:s check_attempts:s check_path:s check_body:s check_passive:f cipher_suite:s ssl_cert:s ssl_key:s", nodebalancers::update_config),
    method("nodebalancer.create", "Label:s ClientConnThrottle:n *DatacenterID:n", nodebalancers::create),
    method("nodebalancer.delete", "*NodeBalancerID:n", nodebalancers::delete),
    method("nodebalancer.list", "NodeBalancerID:n", nodebalancers::list),
    method("nodebalancer.node.create", "*Label:s *ConfigID:n Mode:s Weight:n *Address:s", nodebalancers::create_node),
    method("nodebalancer.node.delete", "*NodeID:n", nodebalancers::delete_node),
    method("nodebalancer.node.List", "NodeID:n *ConfigID:n", nodebalancers::nodes),
    method("nodebalancer.node.update", "Label:s *NodeID:n Mode:s Weight:n Address:s", nodebalancers::update_node),
    method("nodebalancer.update", "Label:s ClientConnThrottle:n *NodeBalancerID:n", nodebalancers::update),
    known("professionalservices.scope.create", "customer_name:s email_address:s phone_number:s ticket_number:s linode_datacenter:s linode_plan:s server_quantity:s application_quantity:s current_provider:s provider_access:s requested_service:s web_server:s web_cache:s mail_filtering:s mail_transfer:s mail_retrieval:s webmail:s database_server:s replication:s crossover:s content_management:s system_administration:s monitoring:s managed:s notes:s"),
    method("stackscript.create", "*Label:s rev_note:s *script:s isPublic:f Description:s *DistributionIDList:s", stackscripts::create),
    method("stackscript.delete", "*StackScriptID:n", stackscripts::delete),
    method("stackscript.list", "StackScriptID:n", stackscripts::list),
    method("stackscript.update", "rev_note:s script:s DistributionIDList:s Description:s Label:s *StackScriptID:n isPublic:f", stackscripts::update),
    method("test.echo", "", utility::echo),
    open("user.getapikey", "label:s expires:n *username:s *password:s token:s", utility::get_api_key),
    method("volume.clone", "*CloneFromID:n *Label:s", volumes::clone),
    method("volume.create", "DatacenterID:n *Label:s LinodeID:n *Size:n", volumes::create),
    method("volume.delete", "*VolumeID:n", volumes::delete),
    method("volume.list", "VolumeID:n", volumes::list),
    method("volume.update", "Label:s LinodeID:n Size:n *VolumeID:n", volumes::update),
];

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use expect_test::expect_file;

    use super::*;

    /// A page that says which methods the sandbox does, and which it only knows.
    fn reference() -> String {
        let mut page = String::from(
            "# API v3 in the sandbox\n\n\
             Linode has retired this API; the sandbox still speaks it, at the address of its API v4 without `/v4`, over the same account.\n\
             `GET` and `POST`, one action or a batch of up to 25, the sandbox's token as `api_key` or as the password of Basic\n\
             authentication. What is not emulated is answered with code 9 and a sentence.\n",
        );
        let mut section = |title: &str, wanted: bool| {
            let _ = write!(page, "\n## {title}\n"); // writing to a String cannot fail
            for method in METHODS.iter().filter(|method| method.run.is_some() == wanted) {
                let words: Vec<_> = method
                    .parameters()
                    .map(|one| if one.required { one.name.to_owned() } else { format!("[{}]", one.name) })
                    .collect();
                let _ =
                    writeln!(page, "- {}", format!("`{} {}", method.name, words.join(" ")).trim_end().to_owned() + "`");
            }
        };
        section("Emulated", true);
        section("Known, not emulated", false);
        page
    }

    #[test]
    fn the_page_is_as_generated() {
        expect_file!["../../../docs/sandbox-v3.md"].assert_eq(&reference());
    }

    #[test]
    fn all_seventy_eight_are_known_once() {
        let mut names: Vec<_> = METHODS.iter().map(|method| method.name.to_ascii_lowercase()).collect();
        assert_eq!(names.len(), 78);
        names.dedup();
        assert_eq!(names.len(), 78);
        assert!(names.is_sorted());
    }

    #[test]
    fn a_method_is_found_without_case_and_missed_by_class() {
        let name = |action: &str| find(action).map(|method| method.name).map_err(|fault| fault.code);
        assert_eq!(name("LINODE.DISK.createfromdistribution"), Ok("linode.disk.createFromDistribution"));
        assert_eq!(name("linode.frobnicate"), Err(9));
        assert_eq!(name("firewall.list"), Err(3));
    }
}
