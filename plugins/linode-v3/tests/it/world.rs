//! A small account with a memory: whatever happens at whichever request of a create, in the end there is one Linode that is
//! whole, or none, and never one that nobody knows of.

use crate::create::{wish, with};
use crate::{answer, fault, lists};
use linodetool_linode_v3::LinodeV3;
use linodetool_plugin::ProviderError;
use linodetool_plugin::message::{Body, In, Out};
use linodetool_plugin::testing::Driver;
use serde_json::value::to_raw_value;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What may befall a request.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    /// It never arrives.
    LostOnTheWay,
    /// It takes effect, and nobody hears of it.
    AnswerLost,
    /// A page of something in between, although it took effect.
    BadGateway,
    /// The API refuses it.
    Refused,
    /// The API has no time for it.
    TooMany,
    /// linodetool is killed before it is sent.
    KilledBefore,
    /// linodetool is killed before the answer comes.
    KilledAfter,
}

/// What became of a call.
#[derive(Debug)]
enum End {
    Done,
    Failed(ProviderError),
    Killed,
}

#[derive(Clone, Debug, Default)]
struct Linode {
    label: String,
    group: String,
    plan: u64,
    datacenter: u64,
    disks: u64,
    config: bool,
    boots: u64,
}

#[derive(Clone, Debug, Default)]
struct World {
    linodes: BTreeMap<u64, Linode>,
    last_id: u64,
}

impl World {
    /// With a Linode of somebody else.
    fn new() -> Self {
        let other = Linode { label: "other".to_owned(), plan: 4, datacenter: 6, ..Linode::default() };
        Self { linodes: BTreeMap::from([(5, other)]), last_id: 6 }
    }

    fn act(&mut self, fields: &Value) -> Value {
        let text = |name: &str| fields[name].as_str().unwrap_or_default().to_owned();
        let number = |name: &str| text(name).parse::<u64>().unwrap_or_default();
        let id = number("LinodeID");
        let action = text("api_action");
        self.last_id += 1;
        let new = self.last_id;
        if let Some(place) = ["datacenters", "linodeplans", "distributions", "kernels"]
            .iter()
            .position(|list| action == format!("avail.{list}"))
        {
            return lists()[place].clone();
        }
        match action.as_str() {
            "linode.list" => {
                let rows = self.linodes.iter().filter(|(own, _)| id == 0 || **own == id);
                return answer(rows.map(|(id, linode)| linode.row(*id)).collect::<Vec<_>>());
            }
            "linode.create" => {
                let (plan, datacenter) = (number("PlanID"), number("DatacenterID"));
                self.linodes
                    .insert(new, Linode { label: format!("linode{new}"), plan, datacenter, ..Linode::default() });
                return answer(json!({ "LinodeID": new }));
            }
            _ => {}
        }
        let Some(linode) = self.linodes.get_mut(&id) else {
            return fault(5, "Object not found");
        };
        match action.as_str() {
            "linode.update" => {
                fields["Label"].as_str().inspect(|label| linode.label = (*label).to_owned());
                fields["lpm_displayGroup"].as_str().inspect(|group| linode.group = (*group).to_owned());
            }
            "linode.delete" => drop(self.linodes.remove(&id)),
            "linode.disk.createfromdistribution" | "linode.disk.create" => {
                linode.disks += 1;
                return answer(json!({ "JobID": new, "DiskID": new }));
            }
            "linode.config.create" => {
                linode.config = true;
                return answer(json!({ "ConfigID": new }));
            }
            "linode.boot" => linode.boots += 1,
            "linode.ip.list" | "linode.job.list" => return answer(json!([])),
            other => panic!("this world has no {other}"),
        }
        answer(json!({ "LinodeID": id }))
    }

    /// Ids of Linodes that are not the other's.
    fn ours(&self) -> Vec<u64> {
        self.linodes.keys().copied().filter(|id| *id != 5).collect()
    }

    /// One of ours is there, and it is whole.
    fn assert_whole(&self, story: &str) {
        let ours = self.ours();
        assert_eq!(ours.len(), 1, "{story}: {:?}", self.linodes);
        let linode = &self.linodes[&ours[0]];
        let whole = (linode.label.as_str(), linode.disks, linode.config, linode.boots);
        assert_eq!(whole, ("web-1", 2, true, 1), "{story}: {:?}", self.linodes);
        assert!(linode.group.starts_with("@c-1,@s-"), "{story}: {:?}", self.linodes);
    }
}

impl Linode {
    fn row(&self, id: u64) -> Value {
        json!({ "LINODEID": id, "LABEL": self.label, "LPM_DISPLAYGROUP": self.group, "PLANID": self.plan,
            "DATACENTERID": self.datacenter, "STATUS": u64::from(self.boots > 0) })
    }
}

/// Runs a create; the fate of each request is chosen by its number.
fn create(
    driver: &mut Driver<LinodeV3>,
    world: &mut World,
    args: &Value,
    fate: impl Fn(usize) -> Option<Fate>,
) -> (End, usize) {
    let mut requests = 0;
    let args = to_raw_value(args).expect("JSON");
    let mut input = vec![In::Call { id: 1, op: "instances.create".to_owned(), args }];
    for _ in 0..1_000 {
        let mut answers = Vec::new();
        for message in driver.send(std::mem::take(&mut input)) {
            match message {
                Out::Http(http) => {
                    let fate = fate(requests);
                    requests += 1;
                    let form = http.body.form.expect("a form");
                    let Some(answer) = befall(world, &form, fate) else {
                        return (End::Killed, requests);
                    };
                    let (io, call, state) = (http.io, http.call, None);
                    answers.push(match answer {
                        Ok((status, body)) => In::Http { io, call, state, status, headers: BTreeMap::new(), body },
                        Err(why) => {
                            In::HttpFailed { io, call, state, kind: "timeout".to_owned(), message: why.to_owned() }
                        }
                    });
                }
                Out::Timer { io, call, .. } => answers.push(In::Timer { io, call, state: None }),
                Out::Done { .. } => return (End::Done, requests),
                Out::Failed { error, .. } => return (End::Failed(error), requests),
                _ => {}
            }
        }
        input = answers;
    }
    panic!("it does not end");
}

type Answer = Result<(u16, Body), &'static str>;

/// None: linodetool is killed.
fn befall(world: &mut World, form: &BTreeMap<String, String>, fate: Option<Fate>) -> Option<Answer> {
    let json = |value: &Value| Ok((200, Body { json: Some(to_raw_value(value).expect("JSON")), ..Body::default() }));
    match fate {
        Some(Fate::KilledBefore) => return None,
        Some(Fate::LostOnTheWay) => return Some(Err("no answer")),
        Some(Fate::Refused) => return Some(json(&fault(8, "Property is invalid"))),
        Some(Fate::TooMany) => return Some(json(&fault(14, "API rate limit exceeded"))),
        _ => {}
    }
    let answer = match form.get("api_requestArray") {
        Some(array) => {
            let items: Vec<Value> = serde_json::from_str(array).expect("an array");
            Value::Array(items.iter().map(|item| world.act(item)).collect())
        }
        None => world.act(&json!(form)),
    };
    match fate {
        Some(Fate::KilledAfter) => None,
        Some(Fate::AnswerLost) => Some(Err("no answer")),
        Some(Fate::BadGateway) => Some(Ok((502, Body { text: Some("<html>".to_owned()), ..Body::default() }))),
        _ => Some(json(&answer)),
    }
}

fn plugin() -> Driver<LinodeV3> {
    Driver::new(LinodeV3::at("https://api.linode.com").expect("a good address"))
}

/// How many requests a create takes when all goes well.
fn count() -> usize {
    let mut world = World::new();
    let (end, requests) = create(&mut plugin(), &mut world, &wish(), |_| None);
    assert!(matches!(end, End::Done), "{end:?}");
    world.assert_whole("all went well");
    requests
}

#[test]
fn one_fault_anywhere() {
    for fate in [Fate::LostOnTheWay, Fate::AnswerLost, Fate::BadGateway, Fate::Refused, Fate::TooMany] {
        for place in 0..count() {
            let story = format!("{fate:?} at request {place}");
            let (mut world, mut driver) = (World::new(), plugin());
            let (end, _) = create(&mut driver, &mut world, &wish(), |n| (n == place).then_some(fate));
            match end {
                End::Done => world.assert_whole(&story),
                // Nobody is told that it may have been made when it was not.
                End::Failed(error) => assert!(world.ours().is_empty(), "{story}: {error:?} {:?}", world.linodes),
                End::Killed => panic!("{story}"),
            }
            assert_eq!(world.linodes.get(&5).map(|other| other.label.as_str()), Some("other"), "{story}");
            let (end, _) = create(&mut driver, &mut world, &wish(), |_| None);
            match end {
                End::Done | End::Failed(_) => world.assert_whole(&story),
                End::Killed => panic!("{story}"),
            }
        }
    }
}

/// From a request on nothing arrives any more, not even the rollback; then all is well again.
#[test]
fn an_outage_that_begins_anywhere() {
    for fate in [Fate::LostOnTheWay, Fate::AnswerLost, Fate::BadGateway] {
        for place in 0..count() {
            let story = format!("{fate:?} from request {place} on");
            let (mut world, mut driver) = (World::new(), plugin());
            let (end, _) = create(&mut driver, &mut world, &wish(), |n| (n >= place).then_some(fate));
            assert!(matches!(end, End::Failed(_)), "{story}: {end:?}");
            let before = json!(["5"]);
            let (end, _) = create(&mut driver, &mut world, &with(wish(), "before", before), |_| None);
            assert!(matches!(end, End::Done), "{story}: {end:?}");
            world.assert_whole(&story);
        }
    }
}

/// Killed anywhere, and gone on with by another process, in another try with another tag.
#[test]
fn a_death_anywhere() {
    for fate in [Fate::KilledBefore, Fate::KilledAfter] {
        for place in 0..count() {
            let story = format!("{fate:?} request {place}");
            let mut world = World::new();
            let (end, _) = create(&mut plugin(), &mut world, &wish(), |n| (n == place).then_some(fate));
            assert!(matches!(end, End::Killed), "{story}: {end:?}");
            let whole = world.ours().iter().any(|id| world.linodes[id].group == "@c-1,@s-2");
            let again = with(with(wish(), "before", json!(["5"])), "tags", json!(["lt-c-1", "lt-s-3"]));
            let (end, _) = create(&mut plugin(), &mut world, &again, |_| None);
            match end {
                End::Done => assert!(!whole, "{story}"),
                // It was whole already, and is found by its label.
                End::Failed(error) => assert!(whole && error.field.as_deref() == Some("label"), "{story}: {error:?}"),
                End::Killed => panic!("{story}"),
            }
            world.assert_whole(&story);
        }
    }
}
