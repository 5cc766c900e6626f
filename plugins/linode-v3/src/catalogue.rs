//! What API v3 offers: datacenters, plans, distributions, kernels. Read in one request and kept, since every Linode names
//! them by number; the operations that show them read them anew.

use crate::LinodeV3;
use crate::action::Action;
use crate::api::{Api, number};
use crate::data::{Data, Row};
use crate::errors::{invalid, nonsense};
use crate::lock::Lock;
use crate::names::{self, Names};
use linodetool_plugin::{Cx, Image, Kernel, NoArguments, Page, Price, Region, Result, Type};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// All of it, and the names under which it is known.
#[derive(Debug, Default)]
pub(crate) struct Catalogue {
    regions: Vec<Region>,
    types: Vec<Type>,
    distributions: Vec<Distribution>,
    kernels: Vec<Kernel>,
    region_names: Names,
    type_names: Names,
    image_names: Names,
    kernel_names: Names,
    plans: HashMap<u64, Plan>,
}

/// What a plan is for whoever fills a Linode.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Plan {
    pub(crate) disk_mb: u64,
    pub(crate) cores: u32,
}

#[derive(Debug, Default)]
struct Distribution {
    id: u64,
    is_64_bit: bool,
    image: Image,
}

/// What an image is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Distribution(u64),
    /// One of the account's own.
    Image(u64),
}

/// The catalogue as it was read last.
#[derive(Default)]
pub(crate) struct Shelf {
    kept: RefCell<Option<Rc<Catalogue>>>,
    reading: Lock,
}

impl Shelf {
    /// As it was read last; read when it was not.
    pub(crate) async fn get(&self, api: &Api, cx: &Cx) -> Result<Rc<Catalogue>> {
        let _one_reads = self.reading.hold().await;
        let kept = self.kept.borrow().clone();
        match kept {
            Some(kept) => Ok(kept),
            None => self.read(api, cx).await,
        }
    }

    /// As it is now.
    pub(crate) async fn fresh(&self, api: &Api, cx: &Cx) -> Result<Rc<Catalogue>> {
        let _one_reads = self.reading.hold().await;
        self.read(api, cx).await
    }

    /// What is looked up and not there may be new: then it is looked up once more in a fresh catalogue.
    pub(crate) async fn find<T>(&self, api: &Api, cx: &Cx, look: impl Fn(&Rc<Catalogue>) -> Result<T>) -> Result<T> {
        let known = self.kept.borrow().is_some();
        match look(&self.get(api, cx).await?) {
            Err(_) if known => look(&self.fresh(api, cx).await?),
            found => found,
        }
    }

    async fn read(&self, api: &Api, cx: &Cx) -> Result<Rc<Catalogue>> {
        let asked = ["avail.datacenters", "avail.linodeplans", "avail.distributions", "avail.kernels"].map(Action::new);
        let mut lists = api.every(cx, &asked).await?.into_iter().map(Data::rows);
        let mut next = || lists.next().ok_or_else(|| nonsense("the provider's catalogue is not whole"));
        let catalogue = Rc::new(Catalogue::of(&next()?, &next()?, &next()?, &next()?)?);
        *self.kept.borrow_mut() = Some(catalogue.clone());
        Ok(catalogue)
    }
}

impl Catalogue {
    fn of(datacenters: &[Row], plans: &[Row], distributions: &[Row], kernels: &[Row]) -> Result<Self> {
        let region_names = named(datacenters, "datacenterid", |row, id| {
            let abbreviation = row.text("abbr").to_ascii_lowercase();
            let own = if abbreviation.is_empty() { id.to_string() } else { abbreviation.clone() };
            (names::region(&abbreviation).map(str::to_owned), own)
        })?;
        let type_names =
            named(plans, "planid", |row, id| (names::plan(row.whole("ram")).map(str::to_owned), id.to_string()))?;
        let image_names = named(distributions, "distributionid", |row, id| {
            (names::image(&row.text("label")), format!("distribution/{id}"))
        })?;
        let kernel_names =
            named(kernels, "kernelid", |row, id| (names::kernel(&row.text("label")), format!("kernel/{id}")))?;
        Ok(Self {
            regions: datacenters.iter().map(|row| region(row, region_names.name(row.whole("datacenterid")))).collect(),
            types: plans.iter().map(|row| plan(row, type_names.name(row.whole("planid")))).collect(),
            plans: plans.iter().map(|row| (row.whole("planid"), Plan::of(row))).collect(),
            distributions: distributions
                .iter()
                .map(|row| {
                    let id = row.whole("distributionid");
                    let image = distribution(row, image_names.name(id));
                    Distribution { id, is_64_bit: row.flag("is64bit"), image }
                })
                .collect(),
            kernels: kernels.iter().map(|row| kernel(row, kernel_names.name(row.whole("kernelid")))).collect(),
            region_names,
            type_names,
            image_names,
            kernel_names,
        })
    }

    pub(crate) fn region_name(&self, id: u64) -> String {
        self.region_names.name(id)
    }

    pub(crate) fn region_id(&self, name: &str) -> Result<u64> {
        self.region_names.id("region", name)
    }

    pub(crate) fn type_name(&self, id: u64) -> String {
        self.type_names.name(id)
    }

    pub(crate) fn type_id(&self, name: &str) -> Result<u64> {
        self.type_names.id("type", name)
    }

    pub(crate) fn plan(&self, id: u64) -> Plan {
        self.plans.get(&id).copied().unwrap_or_default()
    }

    pub(crate) fn image_name(&self, distribution: u64) -> String {
        self.image_names.name(distribution)
    }

    /// `linode/debian12`, `distribution/140`, `140`, or one of the account's own, `private/15`.
    pub(crate) fn source(&self, field: &str, name: &str) -> Result<Source> {
        if let Some(own) = name.strip_prefix("private/") {
            return Ok(Source::Image(number(field, own)?));
        }
        let plain = name.strip_prefix("distribution/").unwrap_or(name);
        self.image_names.id(field, if plain.parse::<u64>().is_ok() { plain } else { name }).map(Source::Distribution)
    }

    pub(crate) fn all_distributions(&self) -> impl Iterator<Item = u64> {
        self.distributions.iter().map(|distribution| distribution.id)
    }

    pub(crate) fn label_of(&self, source: Source) -> String {
        let own = |id| format!("Image {id}");
        match source {
            Source::Image(id) => own(id),
            Source::Distribution(id) => {
                self.distributions.iter().find(|d| d.id == id).map_or_else(|| own(id), |d| d.image.label.clone())
            }
        }
    }

    pub(crate) fn kernel_name(&self, id: u64) -> String {
        self.kernel_names.name(id)
    }

    pub(crate) fn kernel_id(&self, name: &str) -> Result<u64> {
        let plain = name.strip_prefix("kernel/").unwrap_or(name);
        self.kernel_names.id("kernel", if plain.parse::<u64>().is_ok() { plain } else { name })
    }

    /// Linode's own newest one of as many bits, which starts whatever the disk holds.
    pub(crate) fn usual_kernel(&self, source: Option<Source>) -> Result<u64> {
        let is_32_bit = self.distributions.iter().any(|d| Some(Source::Distribution(d.id)) == source && !d.is_64_bit);
        self.kernel_id(if is_32_bit { "linode/latest-32bit" } else { "linode/latest-64bit" })
            .map_err(|error| invalid("kernel", format!("no kernel was named, and {}", error.message)))
    }
}

/// The names of a list: of each row the one it would like, and the one nobody else can have.
fn named(rows: &[Row], key: &str, names: impl Fn(&Row, u64) -> (Option<String>, String)) -> Result<Names> {
    let wishes = rows.iter().map(|row| {
        let id = row.id(key)?;
        let (wish, own) = names(row, id);
        Ok((id, wish, own))
    });
    Ok(Names::new(wishes.collect::<Result<Vec<_>>>()?))
}

impl Plan {
    fn of(row: &Row) -> Self {
        Self { disk_mb: row.whole("disk") * 1024, cores: row.small("cores") }
    }
}

fn region(row: &Row, id: String) -> Region {
    let place = row.text("location");
    let country = match place.rsplit(',').next().unwrap_or_default().trim() {
        "USA" => "us".to_owned(),
        "UK" => "gb".to_owned(),
        two if two.len() == 2 => two.to_ascii_lowercase(),
        _ => String::new(),
    };
    Region { id, label: place, country, status: "ok".to_owned(), ..Region::default() }
}

fn plan(row: &Row, id: String) -> Type {
    let class = id.strip_prefix("g6-").and_then(|rest| rest.split('-').next()).unwrap_or_default();
    Type {
        class: class.to_owned(),
        id,
        label: row.text("label"),
        memory_mb: row.whole("ram"),
        disk_mb: Plan::of(row).disk_mb,
        vcpus: row.small("cores"),
        transfer_gb: row.whole("xfer"),
        price: Price { hourly: row.amount("hourly"), monthly: row.amount("price") },
        ..Type::default()
    }
}

fn distribution(row: &Row, id: String) -> Image {
    let label = row.text("label");
    Image {
        id,
        vendor: label.split(' ').next().unwrap_or_default().to_owned(),
        label,
        size_mb: row.whole("minimagesize"),
        public: true,
        status: "available".to_owned(),
        ..Image::default()
    }
}

fn kernel(row: &Row, id: String) -> Kernel {
    let label = row.text("label");
    let version = label.rsplit('(').next().unwrap_or_default().trim_end_matches(')');
    let version = version.split('-').next().unwrap_or_default();
    let is_version = version.contains('.') && version.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let is_64_bit = label.contains("x86_64") || label.contains("64 bit");
    let is_32_bit = label.contains("x86_32") || label.contains("-x86-") || label.contains("32 bit");
    Kernel {
        id,
        version: if is_version { version.to_owned() } else { String::new() },
        architecture: if is_64_bit {
            "x86_64"
        } else if is_32_bit {
            "i386"
        } else {
            ""
        }
        .to_owned(),
        label,
        ..Kernel::default()
    }
}

pub(crate) async fn regions(v3: &LinodeV3, cx: &Cx, _: NoArguments) -> Result<Page<Region>> {
    Ok(Page::whole(v3.shelf.fresh(&v3.api, cx).await?.regions.clone()))
}

pub(crate) async fn types(v3: &LinodeV3, cx: &Cx, _: NoArguments) -> Result<Page<Type>> {
    Ok(Page::whole(v3.shelf.fresh(&v3.api, cx).await?.types.clone()))
}

pub(crate) async fn kernels(v3: &LinodeV3, cx: &Cx, _: NoArguments) -> Result<Page<Kernel>> {
    Ok(Page::whole(v3.shelf.fresh(&v3.api, cx).await?.kernels.clone()))
}

impl Catalogue {
    /// Distributions as images.
    pub(crate) fn images(&self) -> impl Iterator<Item = Image> {
        self.distributions.iter().map(|distribution| distribution.image.clone())
    }
}
