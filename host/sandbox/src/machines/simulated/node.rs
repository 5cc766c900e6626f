//! What one simulated machine remembers: files, settings of things, services, and the records of commands.
//!
//! Owns: what a machine answers. Does not know addresses nor other machines.

use std::collections::BTreeMap;

use super::cost::Pace;
use crate::act::{Act, Acted, Command, File, What, Wish};
use crate::clock::Time;
use crate::faults::USUAL;
use crate::machines::{MachineFaults, MachineSpec};

/// Commands that are remembered with their text, for a machine that is asked for ever.
const MOST_COMMANDS: usize = 10_000;

/// What anything takes on a disk, however small it is.
const BLOCK: u64 = 4096;

/// What a package of the distribution takes there, with what it needs.
const PACKAGE: u64 = 30 << 20;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Node {
    pace: Pace,
    files: BTreeMap<String, File>,
    /// By kind and name: settings.
    things: BTreeMap<(String, String), BTreeMap<String, String>>,
    /// By place.
    records: BTreeMap<String, Record>,
    /// What came of wishes, by place.
    granted: BTreeMap<String, What>,
    /// In their order.
    commands: Vec<String>,
    /// Places of commands that make a file, until it is known whether they did.
    making: Vec<String>,
    /// How often each command with a record was begun, less those that were cut and forgotten, to be begun again.
    ran: BTreeMap<String, u32>,
    /// When a service was started last.
    started: Option<Time>,
    /// When a port was first asked for.
    asked: BTreeMap<u16, Time>,
    pub(super) boots: u64,
    /// When it was booted last.
    pub(super) booted: Time,
    /// What goes wrong in this boot.
    pub(super) faults: MachineFaults,
    /// Thousandths of the usual time that its work takes.
    slowness: Option<u32>,
    /// When the connection of this boot's first work is cut.
    hangs_up: Option<Time>,
    /// Bytes on its disk.
    used: u64,
}

#[derive(Debug)]
struct Record {
    command: Command,
    ends: Time,
    interrupted: bool,
}

impl Node {
    /// One that works so fast.
    pub(super) fn at(pace: Pace) -> Self {
        Self { pace, ..Self::default() }
    }

    /// It was off, or is started anew: what ran was cut, and only what is enabled runs again.
    pub(super) fn boot(&mut self, spec: &MachineSpec, now: Time) {
        self.boots += 1;
        self.booted = now;
        self.faults = spec.faults;
        self.slowness = spec.pace;
        self.hangs_up = None;
        self.cut(now);
        self.asked.clear();
        self.started = None;
        for ((kind, _), settings) in &mut self.things {
            if kind == "service" && settings.contains_key("started") {
                let starts = settings.get("enabled").is_some_and(|word| word == "yes");
                settings.insert("started".into(), if starts { "yes" } else { "no" }.into());
                self.started = self.started.max(starts.then_some(now));
            }
        }
    }

    /// For long: what was started with it takes connections.
    pub(super) fn has_run(&mut self) {
        self.started = self.started.map(|_| Time(0));
    }

    /// What a command makes is there once it has ended, and not if it was cut.
    fn make(&mut self, now: Time) {
        let Self { making, records, files, .. } = self;
        making.retain(|place| match records.get(place) {
            Some(Record { interrupted: false, ends, .. }) if *ends > now => true,
            Some(Record { interrupted: false, command: Command { creates: Some(path), .. }, .. }) => {
                files.entry(path.clone()).or_default();
                false
            }
            _ => false,
        });
    }

    pub(super) fn cut(&mut self, now: Time) {
        for record in self.records.values_mut().filter(|record| record.ends > now) {
            record.interrupted = true;
        }
    }

    /// Commands so far.
    pub(super) fn commands(&self) -> &[String] {
        &self.commands
    }

    /// What it has come to, by what each thing is called: files, things, and how often each command was begun, not
    /// counting those that were cut and begun again.
    pub(super) fn memory(&mut self, now: Time) -> BTreeMap<String, String> {
        self.make(now);
        let files = self.files.iter().map(|(path, file)| {
            (format!("file {path}"), file.digest.clone().unwrap_or_else(|| "made by a command".to_owned()))
        });
        let things = self.things.iter().map(|((kind, name), settings)| {
            let settings: Vec<_> = settings.iter().map(|(key, value)| format!("{key}={value}")).collect();
            (format!("{kind} {name}"), settings.join(" "))
        });
        let ran = self.ran.iter().map(|(command, times)| (format!("ran {command}"), times.to_string()));
        files.chain(things).chain(ran).collect()
    }

    pub(super) fn file(&mut self, path: &str, now: Time) -> Option<&File> {
        self.make(now);
        self.files.get(path)
    }

    pub(super) fn act(&mut self, act: Act, now: Time) -> Acted {
        self.make(now);
        if !matches!(act, Act::Connect) {
            let after = self.faults.ssh_cut;
            self.hangs_up = self.hangs_up.or_else(|| after.map(|after| now.after(after)));
        }
        let mut acted = self.perform(act, now);
        acted.takes_ms = self.slowed(acted.takes_ms);
        self.cut_short(acted, now)
    }

    fn slowed(&self, ms: u64) -> u64 {
        ms.saturating_mul(u64::from(self.slowness.unwrap_or(USUAL))) / u64::from(USUAL)
    }

    /// Without its answer, if its connection is cut before that: what a command does it does to its end.
    pub(super) fn cut_short(&self, acted: Acted, now: Time) -> Acted {
        let lasts = match acted.what {
            What::Running { left_ms } => left_ms,
            _ => acted.takes_ms,
        };
        match self.hangs_up {
            Some(then) if then >= now && then.0 - now.0 < lasts => Acted { takes_ms: then.0 - now.0, what: What::Lost },
            _ => acted,
        }
    }

    fn perform(&mut self, act: Act, now: Time) -> Acted {
        let (takes_ms, what) = match act {
            Act::Connect => (self.pace.login, What::Done),
            Act::Exec { command } => {
                self.note(command);
                (self.pace.command, What::Exited { code: 0, output: String::new() })
            }
            Act::Run(command) => self.run(*command, now),
            Act::Inspect { place } => (0, self.inspect(&place, now)),
            Act::Stop { place } => {
                let is = self.inspect(&place, now);
                if let (What::Running { .. }, Some(record)) = (&is, self.records.get_mut(&place)) {
                    record.interrupted = true;
                }
                (self.pace.command, is)
            }
            Act::Forget { place } => {
                if let Some(record) = self.records.get(&place).filter(|record| record.interrupted) {
                    if let Some(times) = self.ran.get_mut(&record.command.command) {
                        *times = times.saturating_sub(1);
                    }
                    self.records.remove(&place);
                }
                (self.pace.command, What::Done)
            }
            Act::Apply(wish) => self.grant(&wish, now),
            Act::Write { path, file } => self.write(path, file),
            Act::Look { path } => (self.pace.state, self.look(&path)),
            Act::Copy { .. } | Act::Facts | Act::Port { .. } => (0, What::Absent), // of more than this machine
        };
        Acted { takes_ms, what }
    }

    /// Puts a file there that came from elsewhere.
    pub(super) fn receive(&mut self, path: String, file: File) -> Acted {
        let takes_ms = self.slowed(self.pace.state + file.size / self.pace.copy_bytes);
        let what = if self.put(path, file) { What::Done } else { What::Full };
        Acted { takes_ms, what }
    }

    /// `false`: there is no room for it, and what was there stays.
    fn put(&mut self, path: String, file: File) -> bool {
        let before = self.files.get(&path).map_or(0, |old| old.size + BLOCK);
        let fits = self.take((file.size + BLOCK).saturating_sub(before));
        if fits {
            self.used = self.used.saturating_sub(before.saturating_sub(file.size + BLOCK));
            self.files.insert(path, file);
        }
        fits
    }

    /// Room on the disk; `false`: there is not so much.
    fn take(&mut self, bytes: u64) -> bool {
        let used = self.used.saturating_add(bytes);
        let fits = self.faults.disk.is_none_or(|room| used <= room);
        if fits {
            self.used = used;
        }
        fits
    }

    fn drop_file(&mut self, path: &str) -> bool {
        let gone = self.files.remove(path);
        self.used = self.used.saturating_sub(gone.as_ref().map_or(0, |file| file.size + BLOCK));
        gone.is_some()
    }

    /// Whether something takes connections there: a service that was started some time ago, or nobody knows what.
    pub(super) fn listens(&mut self, port: u16, now: Time) -> bool {
        let asked = *self.asked.entry(port).or_insert(now);
        let up = self.started.is_some_and(|then| now.since(then).as_millis() >= u128::from(self.pace.listen));
        up || now.since(asked).as_millis() >= u128::from(self.pace.patience)
    }

    fn run(&mut self, command: Command, now: Time) -> (u64, What) {
        if self.records.contains_key(&command.place) {
            return (0, self.inspect(&command.place, now));
        }
        if command.creates.as_ref().is_some_and(|path| self.exists(path)) {
            return (self.pace.state, What::Skipped);
        }
        if !self.take(BLOCK) {
            return (self.pace.command, What::Full);
        }
        self.note(command.command.clone());
        *self.ran.entry(command.command.clone()).or_default() += 1;
        let left_ms = self.slowed(command.takes_ms.unwrap_or(self.pace.command));
        if command.creates.is_some() {
            self.making.push(command.place.clone());
        }
        let ends = Time(now.0.saturating_add(left_ms));
        self.records.insert(command.place.clone(), Record { command, ends, interrupted: false });
        (0, What::Running { left_ms })
    }

    fn inspect(&self, place: &str, now: Time) -> What {
        match self.records.get(place) {
            None => What::Absent,
            Some(record) if record.interrupted => What::Interrupted,
            Some(record) if record.ends > now => What::Running { left_ms: record.ends.0 - now.0 },
            Some(record) => What::Exited { code: 0, output: record.command.output.clone() },
        }
    }

    /// Once for each place.
    fn grant(&mut self, wish: &Wish, now: Time) -> (u64, What) {
        let Some(place) = &wish.place else { return self.apply(wish, now) };
        if let Some(known) = self.granted.get(place) {
            return (self.pace.state, known.clone());
        }
        let (takes_ms, what) = self.apply(wish, now);
        if what != What::Full {
            self.granted.insert(place.clone(), what.clone());
        }
        (takes_ms, what)
    }

    fn apply(&mut self, wish: &Wish, now: Time) -> (u64, What) {
        let key = (wish.kind.clone(), wish.name.clone());
        if wish.absent {
            let below = format!("{}/", wish.name.trim_end_matches('/'));
            let mut was_there = self.things.remove(&key).is_some();
            was_there |= self.drop_file(&wish.name);
            if wish.kind == "directory" {
                let inside: Vec<_> = self.files.keys().filter(|path| path.starts_with(&below)).cloned().collect();
                was_there |= inside.iter().filter(|path| self.drop_file(path)).count() > 0;
                self.things.retain(|(_, name), _| !name.starts_with(&below));
            }
            return (self.pace.state, applied(was_there, "removed"));
        }
        let is_new = !self.things.contains_key(&key);
        if !self.take(self.needs(wish)) {
            return (self.pace.state, What::Full);
        }
        let present = self.things.entry(key).or_default();
        let runs = |settings: &BTreeMap<String, String>| settings.get("started").is_some_and(|word| word == "yes");
        let ran = runs(present);
        let mut changed = Vec::new();
        for (name, value) in &wish.settings {
            // What is said for the first time of a thing that was there may have been so: it is said to change.
            if present.insert(name.clone(), value.clone()).as_ref() != Some(value) {
                changed.push(name.as_str());
            }
        }
        let is_service = wish.kind == "service";
        let does = match (ran, runs(present)) {
            (false, true) if is_service => Some("started"),
            (true, false) if is_service => Some("stopped"),
            (true, true) if is_service && (wish.restart || changed.contains(&"unit")) => Some("restarted"),
            _ => None,
        };
        if matches!(does, Some("started" | "restarted")) {
            self.started = Some(now.after(std::time::Duration::from_millis(self.pace.service)));
        }
        let changes = is_new || does.is_some() || !changed.is_empty();
        let words =
            if is_new { vec!["created"] } else { changed.into_iter().filter(|name| *name != "started").collect() };
        let detail = words.into_iter().chain(does).collect::<Vec<_>>().join(", ");
        let takes = match (wish.kind.as_str(), changes) {
            ("package", true) => self.pace.package,
            ("service", true) => self.pace.service,
            _ => self.pace.state,
        };
        (takes, applied(changes, &detail))
    }

    /// Bytes of disk that a wish takes if it is granted for the first time.
    fn needs(&self, wish: &Wish) -> u64 {
        let known = self.things.get(&(wish.kind.clone(), wish.name.clone()));
        let holds = |(name, value): (&String, &String)| known.is_some_and(|known| known.get(name) == Some(value));
        if known.is_some() && wish.settings.iter().all(holds) {
            return 0;
        }
        let unpacked = wish.settings.get("archive").and_then(|path| self.files.get(path)).map_or(0, |file| file.size);
        let package = if wish.kind == "package" { PACKAGE } else { 0 };
        BLOCK + wish.size + unpacked + package
    }

    fn write(&mut self, path: String, file: File) -> (u64, What) {
        let same = self.files.get(&path).is_some_and(|known| known.digest.is_some() && known.digest == file.digest);
        if same {
            return (self.pace.state, applied(false, ""));
        }
        let takes_ms = self.pace.state + file.size / self.pace.upload_bytes;
        let detail = if self.files.contains_key(&path) { "content" } else { "created" };
        let what = if self.put(path, file) { applied(true, detail) } else { What::Full };
        (takes_ms, what)
    }

    fn look(&self, path: &str) -> What {
        if let Some(file) = self.files.get(path) {
            return What::File(file.clone());
        }
        let thing = |kind: &str| self.things.get(&(kind.to_owned(), path.to_owned()));
        match (thing("file"), thing("directory")) {
            (Some(settings), _) => What::File(File { digest: settings.get("content").cloned(), ..File::default() }),
            (None, Some(_)) => What::Directory,
            (None, None) => What::Absent,
        }
    }

    fn exists(&self, path: &str) -> bool {
        self.look(path) != What::Absent
    }

    fn note(&mut self, command: String) {
        if self.commands.len() < MOST_COMMANDS {
            self.commands.push(command);
        }
    }
}

fn applied(changed: bool, detail: &str) -> What {
    What::Applied { changed, detail: if changed { detail.to_owned() } else { String::new() } }
}
