//! What nodes have been configured to: the journal of all runs, done again on the rehearsal's machines, where it costs no time.
//!
//! Owns: what each recorded step leaves on a machine. Does not know what people did there by hand.

use super::Stage;
use super::seed::Present;
use crate::core::Failure;
use crate::core::digest::sha256_of;
use crate::nodes::states::{File as FileState, State, Upload};
use crate::runs::{StepRecord, past};
use crate::toolkit::artifacts::{Artifact, Source, mark_in};
use crate::toolkit::commands::RUN;
use crate::toolkit::states::{recorded, with_secret};
use linodetool_sandbox::act::{Act, Command, File, Request, Wish};
use linodetool_sandbox::clock::Time;
use linodetool_sandbox::machines::Machines;
use serde_json::Value;
use std::collections::HashMap;
use std::path::Path;
use std::time::UNIX_EPOCH;

/// All of it happened so long before: what was started then has come up.
const BEFORE_MS: u64 = 3_600_000;

/// Does again what the journal has of nodes that are there. Gives the members that each firewall was told last.
pub(super) fn replay(
    stage: &Stage,
    state: &Path,
    context: &str,
    present: &Present,
) -> Result<HashMap<String, Vec<String>>, Failure> {
    let mut replay = Replay { stage, present, run: String::new(), members: HashMap::new() };
    if !present.nodes.is_empty() {
        let wanted = |op: &str| {
            op.starts_with("node.") || op.starts_with("artifacts.") || ["nodes.power", MEMBERS].contains(&op)
        };
        past(state, context, &wanted, &mut |run, step| replay.step(run.as_str(), &step))?;
    }
    Ok(replay.members)
}

const MEMBERS: &str = "firewalls.set_members";

struct Replay<'a> {
    stage: &'a Stage,
    present: &'a Present,
    run: String,
    members: HashMap<String, Vec<String>>,
}

impl Replay<'_> {
    fn step(&mut self, run: &str, step: &StepRecord) {
        if self.run != run {
            run.clone_into(&mut self.run);
        }
        let args = &step.args;
        match step.op.as_str() {
            "artifacts.prepare" => self.artifact(step),
            MEMBERS => {
                let members = args["members"].as_array().into_iter().flatten();
                let members = members.filter_map(|address| address.as_str().map(str::to_owned)).collect();
                self.members.insert(args["firewall"].as_str().unwrap_or_default().to_owned(), members);
            }
            "nodes.power" => {
                // Whoever wanted it off finds it so in the inventory.
                if args["power"] != "shutdown"
                    && step.outcome == Some(Value::Bool(true))
                    && let Some((_, id)) = self.machine(args["name"].as_str(), step)
                {
                    self.stage.cloud.machines.restarted(id);
                }
            }
            op => {
                if let Some((address, _)) = self.machine(args["node"].as_str(), step) {
                    for act in self.acts(op, step) {
                        let request = Request { address: address.clone(), act };
                        self.stage.cloud.machines.act(request, Time(self.stage.began_ms.saturating_sub(BEFORE_MS)));
                    }
                }
            }
        }
    }

    /// Address and id of the machine that a node's step was done on, if that is still the same machine.
    fn machine(&self, name: Option<&str>, step: &StepRecord) -> Option<(String, u64)> {
        let node = self.present.nodes.get(name?)?;
        let address = node.public_ip.as_ref().or(node.private_ip.as_ref())?.clone();
        (step.started_ms >= node.created_ms).then_some((address, node.id.parse().ok()?))
    }

    fn artifact(&self, step: &StepRecord) {
        let source = serde_json::from_value::<Source>(step.args["source"].clone());
        let made = step.outcome.clone().map(serde_json::from_value::<Artifact>);
        if let (Ok(source), Some(Ok(made))) = (source, made)
            && !matches!(&source, Source::Local(local) if !self.is_as_it_was(&local.path, step))
        {
            self.stage.toolkit().assume_artifact(&source, &made);
        }
    }

    /// What it left, as acts on a simulated machine.
    fn acts(&self, op: &str, step: &StepRecord) -> Vec<Act> {
        let args = &step.args;
        let apply = |wish: Wish| vec![Act::Apply(Box::new(wish))];
        let write = |path: String, file: File| vec![Act::Write { path, file }];
        match op {
            RUN if step.outcome.as_ref().is_some_and(|outcome| outcome["changed"] == true) => {
                let text = |value: &Value| value.as_str().map(str::to_owned);
                vec![Act::Run(Box::new(Command {
                    place: format!("{}/{}.{}", self.run, step.path, step.attempt),
                    command: text(&args["command"]).unwrap_or_default(),
                    creates: text(&args["options"]["creates"]),
                    takes_ms: Some(0),
                    ..Command::default()
                }))]
            }
            "node.secret_file" => {
                let file = serde_json::from_value::<FileState>(args["file"].clone()).ok();
                let secret = args["secret"].as_str().unwrap_or_default();
                let file = file.and_then(|file| with_secret(self.stage.toolkit(), &file, secret).ok());
                file.map(|file| apply(file.wish())).unwrap_or_default()
            }
            "node.upload" => {
                let Ok(upload) = serde_json::from_value::<Upload>(args["upload"].clone()) else { return Vec::new() };
                // The journal does not hold what was in it then.
                let content = self.is_as_it_was(&upload.source, step).then(|| self.digest_of(&upload.source)).flatten();
                write(upload.path, File { digest: content, ..File::default() })
            }
            "artifacts.install" => {
                let (digest, dest) = (args["digest"].as_str().map(str::to_owned), args["dest"].as_str());
                dest.map(|dest| write(mark_in(dest), File { digest, ..File::default() })).unwrap_or_default()
            }
            _ => recorded(op, args).map(|state| apply(state.wish())).unwrap_or_default(),
        }
    }

    /// Whether a file of this computer has not been written since a step.
    fn is_as_it_was(&self, path: &str, step: &StepRecord) -> bool {
        let modified = std::fs::metadata(self.stage.toolkit().here(path)).and_then(|meta| meta.modified()).ok();
        let modified = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        modified.is_some_and(|since| since.as_millis() <= u128::from(step.ended_ms.unwrap_or(step.started_ms)))
    }

    fn digest_of(&self, path: &str) -> Option<String> {
        Some(sha256_of(std::fs::File::open(self.stage.toolkit().here(path)).ok()?).ok()?.0)
    }
}
