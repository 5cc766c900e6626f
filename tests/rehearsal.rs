//! Recipes against an emulator in this process, in virtual time with simulated machines.

#![allow(clippy::unwrap_used, reason = "a test may fail so")]

#[allow(dead_code, reason = "each target uses its part of it")]
#[path = "toolkit/support.rs"]
mod support;

#[path = "rehearsal/ends.rs"]
mod ends;
#[path = "rehearsal/passing.rs"]
mod passing;
#[path = "rehearsal/unreadable.rs"]
mod unreadable;

use expect_test::expect;
use linodetool::app::emulated::Emulator;
use linodetool::app::{self, Options};
use linodetool::core::{Clock, Failure, Secret, SystemClock, VirtualTime};
use linodetool::rehearsal::{Asked, Cloud, Outcome, rehearse};
use linodetool::runs::{NewRun, Run, Status};
use linodetool::script;
use linodetool::secrets::SecretStore;
use std::collections::BTreeSet;
use std::sync::Arc;
use support::{options, paths};

const BEGAN: u64 = 1_800_000_000_000;

/// A user's empty folders, and a cloud of their own.
struct Stage {
    dir: tempfile::TempDir,
    cloud: Emulator,
}

impl Stage {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), cloud: Emulator::new(VirtualTime::new(BEGAN)) }
    }

    /// By a process of its own.
    fn run(&self, recipe: &str, set: &[(&str, &str)]) -> Arc<Run> {
        let emulated = Some(self.cloud.access().unwrap());
        let app = app::build(Options { emulated, ..options(paths(self.dir.path())) }).unwrap();
        let recipe = script::find_recipe(recipe, &app.scripts.places).unwrap();
        let new = NewRun {
            title: "test".into(),
            context: "default/default".into(),
            provider: "linode-v4".into(),
            ..NewRun::default()
        };
        let run = app.toolkit.runs().begin(new).unwrap();
        let set: Vec<_> = set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let outcome = script::run(&run, &recipe, &set, &app.scripts);
        outcome.map_err(|error| format!("{error:#?}")).unwrap();
        run.finish(Status::Done).unwrap();
        run
    }

    /// With what this user has; nothing of it changes.
    fn rehearse(&self, recipe: &str, set: &[(&str, &str)]) -> Outcome {
        self.try_to_rehearse(recipe, set).unwrap()
    }

    fn try_to_rehearse(&self, recipe: &str, set: &[(&str, &str)]) -> Result<Outcome, Failure> {
        let paths = paths(self.dir.path());
        let before = self.files();
        let recipe = script::find_recipe(recipe, &app::scripts(&paths).places).unwrap();
        let set: Vec<_> = set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let outcome = rehearse(&Asked {
            paths: &paths,
            context: "default/default",
            provider: "linode-v4",
            cloud: Cloud::Real,
            recipe: &recipe,
            set: &set,
            now_ms: self.cloud.time.now_ms() + 60_000,
            cancel: &|_| {},
        });
        assert_eq!(self.files(), before);
        outcome
    }

    /// All files with their sizes, but for those that SQLite keeps while a database is open.
    fn files(&self) -> BTreeSet<(String, u64)> {
        let (mut found, mut folders) = (BTreeSet::new(), vec![self.dir.path().to_owned()]);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().flatten() {
                let (path, size) = (entry.path(), entry.metadata().unwrap().len());
                if path.is_dir() {
                    folders.push(path.clone());
                }
                let name = path.display().to_string();
                if !name.ends_with("-shm") && !name.ends_with("-wal") {
                    found.insert((name, size));
                }
            }
        }
        found
    }

    /// What a recipe of these lines says is wrong with it.
    fn fails(&self, text: &str) -> String {
        let emulated = Some(self.cloud.access().unwrap());
        let app = app::build(Options { emulated, ..options(paths(self.dir.path())) }).unwrap();
        let file = self.dir.path().join("bad.rhai");
        std::fs::write(&file, text).unwrap();
        let recipe = script::find_recipe(file.to_str().unwrap(), &app.scripts.places).unwrap();
        let run = support::begin(&app);
        let failure = script::run(&run, &recipe, &[], &app.scripts).unwrap_err().failure;
        run.finish(Status::Failed).unwrap();
        format!("{:?}: {}; {}", failure.kind, failure.message, failure.hint.unwrap_or_default())
    }

    fn seconds(&self) -> u64 {
        (self.cloud.time.now_ms() - BEGAN) / 1000
    }
}

#[test]
fn hadoop_comes_to_its_end_without_network_token_or_root() {
    let stage = Stage::new();
    let run = stage.run("hadoop", &[("workers", "3")]);
    let outputs = run.outputs();
    assert_eq!(
        (&outputs["live_datanodes"], &outputs["active_nodemanagers"]),
        (&serde_json::json!(3), &serde_json::json!(3))
    );
    let seconds = stage.seconds();
    // A create takes 65 s, a boot 24 s, the word count 25 s; the rest are packages, Java's starts, and copies.
    assert!((150..400).contains(&seconds), "{seconds} s");
    let made = stage.cloud.sandbox.ledger();
    let linodes = made.iter().filter(|entry| entry.kind == "linode");
    let nodes: BTreeSet<_> = linodes.map(|entry| entry.label.as_str()).collect();
    assert_eq!(Vec::from_iter(nodes), ["hadoop-master-1", "hadoop-worker-1", "hadoop-worker-2", "hadoop-worker-3"]);
    // The same cluster again: nothing is left to do.
    let again = stage.run("hadoop", &[("workers", "3")]);
    assert_eq!(again.outputs()["changed"], serde_json::json!(false));
    assert_eq!(stage.cloud.sandbox.ledger().len(), made.len());
}

/// What matters of a rehearsal, a line each.
fn told(of: &Outcome) -> String {
    let told = &of.rehearsal;
    let create = told.create.iter().map(|made| format!("create {} {} ${}\n", made.kind, made.name, made.hourly));
    let passing = told.passing.iter().map(|made| format!("for a while {} {} ${}\n", made.kind, made.name, made.hourly));
    let change = told.change.iter().map(|one| format!("change {} ({}) {}\n", one.what, one.how, one.on.join(" ")));
    let destroy = told.destroy.iter().map(|gone| format!("destroy {} {} {}\n", gone.kind, gone.name, gone.lost));
    let impact = told.impact.iter().map(|means| format!("so {means}\n"));
    let failure = told.failure.iter().map(|failure| format!("failed: {failure}\n"));
    let cost = &told.cost;
    let peak = if cost.hourly_peak > cost.hourly_before.max(cost.hourly_after) {
        format!(", at most {}", cost.hourly_peak)
    } else {
        String::new()
    };
    let cost = format!("{} an hour, was {}{peak}\n", cost.hourly_after, cost.hourly_before);
    create.chain(passing).chain(change).chain(destroy).chain(impact).chain(failure).chain([cost]).collect()
}

#[test]
fn a_cluster_is_rehearsed_before_it_is_there_and_when_it_is() {
    let stage = Stage::new();
    let fresh = stage.rehearse("hadoop", &[]);
    expect![[r#"
        create linode hadoop-master-1 $0.036
        create linode hadoop-worker-1 $0.036
        create linode hadoop-worker-2 $0.036
        create firewall lt-hadoop $0
        0.108 an hour, was 0
    "#]]
    .assert_eq(&told(&fresh));
    let work = |role: usize| {
        let work = &fresh.rehearsal.work[role];
        let line = |of: &linodetool::rehearsal::Counted| format!("{} {} {}\n", of.what, of.times, of.changed);
        let lines: String = work.operations.iter().chain(&work.commands).map(line).collect();
        format!("{} {}\n{lines}", work.role, work.nodes)
    };
    expect![[r#"
        worker 2
        names in /etc/hosts 2 2
        package openjdk-17-jre-headless 2 2
        user hdfs 2 2
        user yarn 2 2
        software in /opt/hadoop 2 2
        directory /var/lib/hadoop 2 2
        directory /var/lib/hadoop/hdfs 2 2
        directory /var/lib/hadoop/yarn 2 2
        directory /var/lib/hadoop/tmp 2 2
        directory /var/log/hadoop 2 2
        directory /etc/hadoop 2 2
        file /etc/hadoop/capacity-scheduler.xml 2 2
        file /etc/hadoop/core-site.xml 2 2
        file /etc/hadoop/hdfs-site.xml 2 2
        file /etc/hadoop/log4j.properties 2 2
        file /etc/hadoop/mapred-site.xml 2 2
        file /etc/hadoop/yarn-site.xml 2 2
        service hdfs-datanode 4 4
        service yarn-nodemanager 4 4
    "#]]
    .assert_eq(&work(1));
    expect![[r#"
        Course {
            seconds: 176.699,
            shares: [
                Share {
                    what: "creating and booting Linodes",
                    seconds: 85.048,
                },
                Share {
                    what: "copies of files",
                    seconds: 34.901,
                },
                Share {
                    what: "command: word count",
                    seconds: 25.0,
                },
                Share {
                    what: "packages",
                    seconds: 20.0,
                },
                Share {
                    what: "waiting for services to answer",
                    seconds: 5.0,
                },
                Share {
                    what: "command: format HDFS",
                    seconds: 3.0,
                },
                Share {
                    what: "calls of the provider's API",
                    seconds: 1.6,
                },
                Share {
                    what: "starting services",
                    seconds: 0.9,
                },
                Share {
                    what: "configuring nodes",
                    seconds: 0.75,
                },
                Share {
                    what: "the account's limit on creates",
                    seconds: 0.4,
                },
                Share {
                    what: "questions to nodes",
                    seconds: 0.1,
                },
            ],
        }
        [
            "question `[ -e /opt/hadoop ] || [ \"$(df -Pk /var/lib | awk 'NR == 2 { print $4 }')\" -ge 2097152 ]` (3 times): assumed to be answered with yes",
            "Linodes and limits of the account that the inventory does not have",
            "how large downloads are: each is taken for 150 MB",
        ]"#]]
    .assert_eq(&format!("{:#?}\n{:#?}", fresh.rehearsal.time, fresh.rehearsal.unknown));
    let estimated = fresh.rehearsal.time.seconds;
    stage.run("hadoop", &[]);
    let took = stage.seconds() as f64;
    assert!((estimated - took).abs() < 0.02 * took, "estimated {estimated} s, took {took} s");

    let again = stage.rehearse("hadoop", &[]);
    expect![[r#"
        0.108 an hour, was 0.108
    "#]]
    .assert_eq(&told(&again));
    let more = stage.rehearse("hadoop", &[("workers", "3")]);
    expect![[r#"
        create linode hadoop-worker-3 $0.036
        change file /etc/hadoop/hdfs-site.xml (content) hadoop-master-1 hadoop-worker-1 hadoop-worker-2
        change file /etc/hadoop/mapred-site.xml (content) hadoop-master-1 hadoop-worker-1 hadoop-worker-2
        change firewall lt-hadoop (members) 
        change names in /etc/hosts (entries) hadoop-master-1 hadoop-worker-1 hadoop-worker-2
        change service hdfs-datanode (unit, restarted) hadoop-worker-1 hadoop-worker-2
        change service hdfs-namenode (unit, restarted) hadoop-master-1
        change service yarn-nodemanager (unit, restarted) hadoop-worker-1 hadoop-worker-2
        change service yarn-resourcemanager (unit, restarted) hadoop-master-1
        so hadoop-master-1: service hdfs-namenode restarts
        so hadoop-master-1: service yarn-resourcemanager restarts
        so hadoop-worker-1, hadoop-worker-2: service hdfs-datanode restarts
        so hadoop-worker-1, hadoop-worker-2: service yarn-nodemanager restarts
        0.144 an hour, was 0.108
    "#]]
    .assert_eq(&told(&more));
}

#[test]
fn a_recipe_that_destroys_says_so_beforehand() {
    let stage = Stage::new();
    stage.run("hadoop", &[("workers", "1")]);
    let recipe = stage.dir.path().join("end.rhai");
    std::fs::write(&recipe, "nodes::delete(\"hadoop-worker-1\");").unwrap();
    let outcome = stage.rehearse(recipe.to_str().unwrap(), &[]);
    expect![[r#"
        change firewall lt-hadoop (members) 
        destroy linode hadoop-worker-1 all data on its disk
        so hadoop-worker-1: all data on its disk is lost
        0.036 an hour, was 0.072
    "#]]
    .assert_eq(&told(&outcome));
}

#[test]
fn a_recipe_that_fails_tells_what_it_reached() {
    let stage = Stage::new();
    let recipe = stage.dir.path().join("web.rhai");
    let text = r#"
        let n = nodes::create(#{ name: "web-1", region: "us-east", type: "g6-nanode-1", image: "linode/debian12" });
        n.file("/etc/motd", #{ content: "hello" });
        n.run("test -e /srv");
        fail("no such luck");
    "#;
    std::fs::write(&recipe, text).unwrap();
    let outcome = stage.rehearse(recipe.to_str().unwrap(), &[]);
    expect![[r#"
        create linode web-1 $0.0075
        failed: no such luck
        0.0075 an hour, was 0
    "#]]
    .assert_eq(&told(&outcome));
    assert_eq!(outcome.error.unwrap().spot.unwrap().line, 5);
    assert!(outcome.rehearsal.unknown[0].starts_with("command `test -e /srv`: assumed"));
}

#[test]
fn prices_are_those_that_the_account_showed_last() {
    let stage = Stage::new();
    let cache = paths(stage.dir.path()).cache;
    std::fs::create_dir_all(&cache).unwrap();
    let seen = serde_json::json!({
        "seen_ms": BEGAN - 40 * 86_400_000,
        "types": [{ "id": "g6-standard-2", "label": "Linode 4GB", "memory_mb": 4096, "vcpus": 2,
            "price": { "hourly": 1.0, "monthly": 700.0 }, "region_prices": { "xx-new": { "hourly": 2.0, "monthly": 1400.0 } } }],
        "regions": [{ "id": "xx-new", "label": "New", "country": "xx", "capabilities": ["Linodes", "Metadata", "Cloud Firewall"] }],
        "images": [{ "id": "linode/debian12", "label": "Debian 12", "public": true, "capabilities": ["cloud-init"] }],
    });
    std::fs::write(cache.join("catalogue-linode-v4.json"), seen.to_string()).unwrap();
    let outcome = stage.rehearse("hadoop", &[("region", "xx-new"), ("workers", "1")]);
    expect![[r#"
        create linode hadoop-master-1 $2
        create linode hadoop-worker-1 $2
        create firewall lt-hadoop $0
        4 an hour, was 0
    "#]]
    .assert_eq(&told(&outcome));
    let known = format!("{}\n{}", outcome.rehearsal.catalogue, outcome.rehearsal.unknown[0]);
    expect![[r#"
        as the account showed them on 2026-12-06
        prices, types and regions since 2026-12-06, 40 days ago"#]]
    .assert_eq(&known);
}

/// Everything that a node can be brought to, read back from the journal.
const WEB: &str = r#"
let p = params(#{ text: param("v1", "content") });
let c = clusters::ensure(#{ name: "w", region: "us-east", image: "linode/debian12",
    roles: [#{ role: "web", type: "g6-nanode-1" }] });
let n = c.nodes[0];
n.packages(#{ names: ["nginx"] });
n.user("web", #{ system: true });
n.directory("/srv/web", #{ owner: "web" });
n.file("/srv/web/index.html", #{ content: p.text });
n.file("/srv/web/key", #{ content_secret: "db" });
n.line("/etc/hosts", #{ line: "192.0.2.1 other" });
n.sysctl(#{ settings: #{ "net.core.somaxconn": "1024" } });
n.upload(words::bundled(), "/srv/web/text", #{});
n.upload("own.txt", #{ path: "/srv/web/own" });
n.run("make it", #{ creates: "/srv/web/made", rehearse: "" });
n.service("web", #{ unit: `[Service]\nExecStart=/srv/web/run ${p.text}\n`, enabled: true, started: true });
if p.text != "v1" { nodes::reboot(n.name); }
"#;

#[test]
fn what_a_node_was_brought_to_is_known() {
    let stage = Stage::new();
    let recipe = stage.dir.path().join("web.rhai");
    std::fs::write(&recipe, WEB).unwrap();
    // Relative to where the run was begun, which is not where this process is.
    std::fs::write(paths(stage.dir.path()).work.join("own.txt"), "own").unwrap();
    let recipe = recipe.to_str().unwrap();
    // Something is used in place of a secret that is not there.
    let fresh = stage.rehearse(recipe, &[]);
    let missing = fresh.rehearsal.unknown.iter().find(|line| line.starts_with("secret"));
    assert_eq!(missing.unwrap(), "secret `db`: not in the store; something was used in its place");
    let secrets = SecretStore::open(&paths(stage.dir.path()).state, "default/default", Arc::new(SystemClock)).unwrap();
    secrets.set("db", &Secret::new("hidden".into())).unwrap();
    stage.run(recipe, &[]);
    expect![[r#"
        0.0075 an hour, was 0.0075
    "#]]
    .assert_eq(&told(&stage.rehearse(recipe, &[])));
    let other = stage.rehearse(recipe, &[("text", "v2")]);
    expect![[r#"
        change file /srv/web/index.html (content) w-web-1
        change reboot () w-web-1
        change service web (unit, restarted) w-web-1
        so w-web-1: service web restarts
        so w-web-1: the node reboots
        0.0075 an hour, was 0.0075
    "#]]
    .assert_eq(&told(&other));
    assert!(!format!("{:?}", other.rehearsal).contains("hidden"));
}

/// Names of the nodes whose daemons a run has restarted.
fn restarted(stage: &Stage, run: &Run) -> BTreeSet<String> {
    let app = app::build(options(paths(stage.dir.path()))).unwrap();
    let steps = app.toolkit.runs().show(run.id()).unwrap().steps;
    let restarts = steps.iter().filter(|step| {
        let detail = step.outcome.as_ref().and_then(|outcome| outcome["detail"].as_str()).unwrap_or_default();
        // A simulated machine says what has changed of a service that runs, and restarts it then.
        step.op == "node.service" && detail.split(' ').any(|word| word == "unit" || word == "restarted")
    });
    restarts.map(|step| step.args["node"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn daemons_are_restarted_when_what_they_read_has_changed_and_only_then() {
    let stage = Stage::new();
    let first = stage.run("hadoop", &[("workers", "2")]);
    let again = stage.run("hadoop", &[("workers", "2")]);
    assert_eq!(again.outputs()["changed"], false);
    // One more worker is one more line in /etc/hosts of the others.
    let grown = stage.run("hadoop", &[("workers", "3"), ("replication", "2")]);
    for run in [&first, &again, &grown] {
        assert_eq!(restarted(&stage, run), BTreeSet::new());
    }
    let other = stage.run("hadoop", &[("workers", "3"), ("replication", "1")]);
    let all = ["hadoop-master-1", "hadoop-worker-1", "hadoop-worker-2", "hadoop-worker-3"];
    assert_eq!(restarted(&stage, &other), all.map(str::to_owned).into());
}

#[test]
fn a_misspelt_option_is_explained_for_many_nodes_as_for_one() {
    let stage = Stage::new();
    let make = r#"let c = clusters::ensure(#{ name: "c", region: "us-east", image: "linode/debian12",
        roles: [#{ role: "node", count: 2, type: "g6-nanode-1" }] });"#;
    let said =
        ["c.nodes", "c.nodes[0]"].map(|nodes| stage.fails(&format!("{make} {nodes}.run(\"x\", #{{ cretes: 1 }});")));
    expect_test::expect![[r#"
        Script: unknown option `cretes` of run (and 1 more failed); did you mean `creates`?
        Script: unknown option `cretes` of run; did you mean `creates`?"#]]
    .assert_eq(&said.join("\n"));
}

#[test]
fn changes_are_not_counted_in_a_lane() {
    expect_test::expect!["Script: `changes` counts what all lanes do, and cannot be used in one; use it after `lanes`, or the `changed` of what an operation answers"].assert_eq(&Stage::new().fails("lanes([1], |x| changes());"));
}
