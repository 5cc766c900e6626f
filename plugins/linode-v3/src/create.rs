//! Making a Linode whole: `linode.create` makes a bare one, then come its label, disks, configuration and first boot. What
//! fails on the way is destroyed again. The same for new disks in an old one (rebuild), and for copies (clone).

use crate::LinodeV3;
use crate::action::Action;
use crate::api::number;
use crate::birth::{Wanted, begin, undo};
use crate::catalogue::{Catalogue, Source};
use crate::data::Data;
use crate::errors::{invalid, lacks, nonsense, of_code};
use crate::{group, instances, states};
use linodetool_plugin::{
    CloneInstance, CreateInstance, Cx, ErrorKind, Instance, ProviderError, RebuildInstance, Result, SecretRef, Text,
};
use serde_json::{Map, json};
use std::collections::BTreeMap;

/// MB of swap where nobody says how much; as much as API v4 gives.
const SWAP_MB: u64 = 512;

/// What goes onto the disks.
struct Filling<'a> {
    source: Source,
    stackscript: Option<u64>,
    answers: &'a BTreeMap<String, Text>,
    root_pass: &'a SecretRef,
    keys: String,
    swap_mb: u64,
    disk_mb: u64,
    label: String,
    kernel: u64,
    boot: bool,
}

pub(crate) async fn create(v3: &LinodeV3, cx: &Cx, args: CreateInstance) -> Result<Instance> {
    refuse_user_data(args.user_data.as_ref())?;
    if args.firewall_id.is_some() {
        return Err(lacks("firewall_id", "Cloud Firewalls"));
    }
    if args.subnet.is_some() {
        return Err(lacks("subnet", "VPCs"));
    }
    if args.placement_group.is_some() {
        return Err(lacks("placement_group", "placement groups"));
    }
    let (datacenter, plan, catalogue) =
        v3.shelf.find(&v3.api, cx, |c| Ok((c.region_id(&args.region)?, c.type_id(&args.type_id)?, c.clone()))).await?;
    let filling = match args.image.as_str() {
        "" if args.stackscript_id.is_some() => return Err(invalid("image", "a StackScript needs an image to run on")),
        "" => None,
        image => {
            let source = v3.shelf.find(&v3.api, cx, |c| c.source("image", image)).await?;
            let mut filling = Filling::of(&catalogue, plan, source, args.root_pass.as_ref(), &args.authorized_keys)?;
            filling.run(args.stackscript_id.as_deref(), &args.stackscript_data)?;
            filling.boot = args.booted != Some(false);
            Some(filling.with_swap(args.swap_mb.unwrap_or(SWAP_MB))?)
        }
    };
    let earlier = args.before.iter().flatten().map(|id| number("before", id)).collect::<Result<_>>()?;
    let earlier = args.before.is_some().then_some(earlier);
    let action = Action::new("linode.create").id("DatacenterID", datacenter).id("PlanID", plan);
    let wanted = Wanted { action, label: &args.label, tags: &args.tags, datacenter, plan, earlier };
    let begun = begin(v3, cx, &wanted).await?;
    let made = furnish(v3, cx, begun.id, args.private_ip, filling.as_ref());
    match finish(v3, cx, begun.id, &args.tags, made).await {
        Ok(instance) => Ok(Instance { image: args.image, ..instance }),
        Err(error) => Err(undo(v3, cx, begun, error).await),
    }
}

/// API v3 has no create with copies: the new one is made at once, and jobs copy the disks.
pub(crate) async fn clone(v3: &LinodeV3, cx: &Cx, args: CloneInstance) -> Result<Instance> {
    let old = number("id", &args.id)?;
    let row = v3.api.call(cx, Action::new("linode.list").id("LinodeID", old)).await?.row();
    row.id("linodeid").map_err(|_| of_code(5, "Object not found"))?;
    let (region, type_id) = (args.region.as_deref(), args.type_id.as_deref());
    let (datacenter, plan) = v3
        .shelf
        .find(&v3.api, cx, |c| {
            let datacenter = region.map_or_else(|| row.id("datacenterid"), |name| c.region_id(name))?;
            Ok((datacenter, type_id.map_or_else(|| row.id("planid"), |name| c.type_id(name))?))
        })
        .await?;
    let action = Action::new("linode.clone").id("LinodeID", old).id("DatacenterID", datacenter).id("PlanID", plan);
    let wanted = Wanted { action, label: &args.label, tags: &[], datacenter, plan, earlier: None };
    let begun = begin(v3, cx, &wanted).await?;
    let made = furnish(v3, cx, begun.id, args.private_ip, None);
    match finish(v3, cx, begun.id, &[], made).await {
        Ok(instance) => Ok(instance),
        Err(error) => Err(undo(v3, cx, begun, error).await),
    }
}

/// New disks in place of the old ones, by hand: API v3 has no such call. What fails leaves it without disks, and the same
/// call goes on from there.
pub(crate) async fn rebuild(v3: &LinodeV3, cx: &Cx, args: RebuildInstance) -> Result<Instance> {
    refuse_user_data(args.user_data.as_ref())?;
    let id = number("id", &args.id)?;
    let catalogue = v3.shelf.get(&v3.api, cx).await?;
    let of_it = |name: &str| Action::new(name).id("LinodeID", id);
    let looks = [of_it("linode.list"), of_it("linode.config.list"), of_it("linode.disk.list")];
    let mut there = v3.api.every(cx, &looks).await?.into_iter().map(Data::rows);
    let mut next = || there.next().unwrap_or_default();
    let (linodes, configs, disks) = (next(), next(), next());
    let Some(row) = linodes.first() else {
        return Err(of_code(5, "Object not found"));
    };
    let source = v3.shelf.find(&v3.api, cx, |c| c.source("image", &args.image)).await?;
    let plan = row.whole("planid");
    let mut filling = Filling::of(&catalogue, plan, source, args.root_pass.as_ref(), &args.authorized_keys)?;
    filling.disk_mb = row.whole("totalhd");
    filling.run(args.stackscript_id.as_deref(), &args.stackscript_data)?;
    filling.boot = args.booted != Some(false);
    let filling = filling.with_swap(SWAP_MB)?;
    if row.signed("status") == Some(states::RUNNING) {
        v3.api.call(cx, of_it("linode.shutdown")).await?;
    }
    states::settled(&v3.api, cx, id).await?;
    let mut old = Vec::new();
    for config in &configs {
        old.push(of_it("linode.config.delete").id("ConfigID", config.id("configid")?));
    }
    for disk in &disks {
        old.push(of_it("linode.disk.delete").id("DiskID", disk.id("diskid")?));
    }
    v3.api.every(cx, &old).await?;
    // Room is there when the jobs are done.
    states::settled(&v3.api, cx, id).await?;
    let config = furnish(v3, cx, id, false, Some(&filling)).await?;
    let mut last: Vec<_> = config.map(|config| of_it("linode.boot").id("ConfigID", config)).into_iter().collect();
    let from = last.len();
    last.extend(instances::looks(id));
    let answers = v3.api.every(cx, &last).await?;
    Ok(Instance { image: args.image, ..instances::read(&catalogue, &answers[from..])? })
}

fn refuse_user_data(user_data: Option<&SecretRef>) -> Result<()> {
    match user_data {
        Some(_) => Err(lacks("user_data", "user data (a StackScript is the only way into a new Linode)")),
        None => Ok(()),
    }
}

impl<'a> Filling<'a> {
    fn of(
        catalogue: &Catalogue,
        plan: u64,
        source: Source,
        root_pass: Option<&'a SecretRef>,
        keys: &[String],
    ) -> Result<Self> {
        let Some(root_pass) = root_pass else {
            return Err(invalid("root_pass", "API v3 makes no disk from an image without a password for root"));
        };
        const NONE: &BTreeMap<String, Text> = &BTreeMap::new();
        Ok(Self {
            source,
            stackscript: None,
            answers: NONE,
            root_pass,
            keys: keys.join("\n"),
            swap_mb: 0,
            disk_mb: catalogue.plan(plan).disk_mb,
            label: catalogue.label_of(source),
            kernel: catalogue.usual_kernel(Some(source))?,
            boot: true,
        })
    }

    fn run(&mut self, stackscript: Option<&str>, answers: &'a BTreeMap<String, Text>) -> Result<()> {
        self.stackscript = stackscript.map(|id| number("stackscript_id", id)).transpose()?;
        self.answers = answers;
        if self.stackscript.is_some() && matches!(self.source, Source::Image(_)) {
            return Err(lacks("stackscript_id", "StackScripts on images of one's own, only on distributions"));
        }
        Ok(())
    }

    fn with_swap(mut self, swap_mb: u64) -> Result<Self> {
        self.swap_mb = swap_mb;
        if self.disk_mb <= swap_mb {
            return Err(invalid(
                "swap_mb",
                format!("{swap_mb} MB of swap leave nothing of a disk of {} MB", self.disk_mb),
            ));
        }
        Ok(self)
    }

    /// The disk with the system.
    fn root(&self, linode: u64) -> Action {
        let label = format!("{} Disk", self.label);
        let action = match (self.source, self.stackscript) {
            (Source::Image(image), _) => Action::new("linode.disk.createfromimage").id("ImageID", image),
            (Source::Distribution(distribution), None) => {
                Action::new("linode.disk.createfromdistribution").id("DistributionID", distribution)
            }
            (Source::Distribution(distribution), Some(script)) => {
                let answers: Map<_, _> = self.answers.iter().map(|(name, text)| (name.clone(), json!(text))).collect();
                Action::new("linode.disk.createfromstackscript")
                    .id("DistributionID", distribution)
                    .id("StackScriptID", script)
                    .object("StackScriptUDFResponses", answers)
            }
        };
        let size = if matches!(self.source, Source::Image(_)) { "size" } else { "Size" };
        let action = action.id("LinodeID", linode).text("Label", label).id(size, self.disk_mb - self.swap_mb);
        action.secret("rootPass", Some(self.root_pass)).text("rootSSHKey", &self.keys)
    }
}

/// Address, disks and configuration; answers the configuration to boot, if it is to boot.
async fn furnish(
    v3: &LinodeV3,
    cx: &Cx,
    id: u64,
    private_ip: bool,
    filling: Option<&Filling<'_>>,
) -> Result<Option<u64>> {
    let of_it = |name: &str| Action::new(name).id("LinodeID", id);
    let mut actions = Vec::new();
    if let Some(filling) = filling {
        actions.push(filling.root(id));
        if filling.swap_mb > 0 {
            let swap = of_it("linode.disk.create").text("Type", "swap").id("Size", filling.swap_mb);
            actions.push(swap.text("Label", format!("{} MB Swap Image", filling.swap_mb)));
        }
    }
    let disks = actions.len();
    if private_ip {
        actions.push(of_it("linode.ip.addprivate"));
    }
    if actions.is_empty() {
        return Ok(None);
    }
    let made = v3.api.every(cx, &actions).await?;
    let Some(filling) = filling else { return Ok(None) };
    let mut slots: Vec<_> =
        made.into_iter().take(disks).map(|disk| Ok(disk.row().id("diskid")?.to_string())).collect::<Result<_>>()?;
    slots.resize(9, String::new());
    let config = of_it("linode.config.create")
        .text("Label", format!("My {} Disk Profile", filling.label))
        .id("KernelID", filling.kernel)
        .text("DiskList", slots.join(","))
        // Writes the addresses into the system, the private one too.
        .flag("helper_network", true);
    let config = v3.api.call(cx, config).await?.row().id("configid")?;
    Ok(filling.boot.then_some(config))
}

/// Boots it, takes the mark of the half-made off and reads it, all in one request.
async fn finish(
    v3: &LinodeV3,
    cx: &Cx,
    id: u64,
    tags: &[String],
    made: impl Future<Output = Result<Option<u64>>>,
) -> Result<Instance> {
    let config = made.await?;
    let group = group::join(tags)?;
    let mut last = Vec::new();
    last.extend(config.map(|config| Action::new("linode.boot").id("LinodeID", id).id("ConfigID", config)));
    last.push(Action::new("linode.update").id("LinodeID", id).set("lpm_displayGroup", &group));
    let from = last.len();
    last.extend(instances::looks(id));
    let answers = v3.api.every(cx, &last).await?;
    let catalogue = v3.shelf.get(&v3.api, cx).await?;
    let instance = instances::read(&catalogue, &answers[from..])?;
    if instance.tags != tags || instance.label.ends_with(instances::HALF_MADE) {
        let message = format!("the provider has not kept the tags: `{group}` has become `{}`", instance.tags.join(","));
        return Err(ProviderError::new(ErrorKind::Invalid, message));
    }
    if instance.id != id.to_string() {
        return Err(nonsense(format!("the provider answered with Linode {} instead of {id}", instance.id)));
    }
    Ok(instance)
}
