//! A cloud in this process with machines that are only pretended, and how a call is shown.

use std::collections::HashSet;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use expect_test::Expect;
use linodetool_sandbox::clock::{Clock, ManualClock, Time};
use linodetool_sandbox::faults::Faults;
use linodetool_sandbox::ledger::Ledger;
use linodetool_sandbox::limits::LimitMode;
use linodetool_sandbox::machines::{FirewallRules, MachineError, MachineExit, MachineSpec, Machines};
use linodetool_sandbox::wire::{Request, Response};
use linodetool_sandbox::world::Timing;
use linodetool_sandbox::{Execution, Sandbox, Settings};
use serde_json::Value;

/// Machines that remember what they were told and do nothing.
pub(crate) struct Pretended {
    told: Mutex<Vec<String>>,
    refused: Mutex<HashSet<&'static str>>,
    pub(crate) specs: Mutex<Vec<MachineSpec>>,
    exits: Mutex<Option<Receiver<MachineExit>>>,
    pub(crate) exit: Sender<MachineExit>,
}

impl Pretended {
    pub(crate) fn new() -> Arc<Self> {
        let (exit, exits) = channel();
        Arc::new(Self {
            told: Mutex::default(),
            refused: Mutex::default(),
            specs: Mutex::default(),
            exits: Mutex::new(Some(exits)),
            exit,
        })
    }

    /// From now on this is refused: `boot`, `power_off`, `set_firewalls`; `anything` makes a boot panic.
    pub(crate) fn refuse(&self, what: &'static str) {
        self.refused.lock().unwrap().insert(what);
    }

    pub(crate) fn allow(&self, what: &'static str) {
        self.refused.lock().unwrap().remove(what);
    }

    /// The number of the life that so many boots before the last one began.
    pub(crate) fn life(&self, before: usize) -> u64 {
        self.specs.lock().unwrap().iter().rev().nth(before).map_or(0, |spec| spec.life)
    }

    /// What they were told since the last time, one a line.
    pub(crate) fn told(&self) -> String {
        std::mem::take(&mut *self.told.lock().unwrap()).join("\n")
    }

    fn tell(&self, what: &'static str, detail: &str) -> Result<(), MachineError> {
        self.told.lock().unwrap().push(format!("{what} {detail}"));
        let refused = self.refused.lock().unwrap().contains(what);
        assert!(!self.refused.lock().unwrap().contains("anything") || what != "boot", "a fault in the machines");
        if refused { Err(MachineError(format!("no {what} today"))) } else { Ok(()) }
    }
}

impl Machines for Pretended {
    fn boot(&self, spec: &MachineSpec) -> Result<(), MachineError> {
        self.specs.lock().unwrap().push(spec.clone());
        self.tell("boot", &format!("{} {}", spec.id, spec.hostname))
    }

    fn power_off(&self, id: u64) -> Result<(), MachineError> {
        self.tell("power_off", &id.to_string())
    }

    fn delete(&self, id: u64) -> Result<(), MachineError> {
        self.tell("delete", &id.to_string())
    }

    fn set_firewalls(&self, firewalls: &[FirewallRules]) -> Result<(), MachineError> {
        let shown: Vec<String> = firewalls
            .iter()
            .map(|one| {
                let rules = |all: &[linodetool_sandbox::machines::Rule]| {
                    all.iter()
                        .map(|rule| {
                            format!(
                                "{} {} {} {:?}",
                                if rule.accept { "+" } else { "-" },
                                rule.protocol,
                                rule.ports,
                                rule.ipv4
                            )
                        })
                        .collect::<Vec<_>>()
                        .join("; ")
                };
                let policy = |accept: bool| if accept { "ACCEPT" } else { "DROP" };
                format!(
                    "{:?} in [{}] {} out [{}] {}",
                    one.machines,
                    rules(&one.inbound),
                    policy(one.inbound_accept),
                    rules(&one.outbound),
                    policy(one.outbound_accept)
                )
            })
            .collect();
        self.tell("set_firewalls", &shown.join(" | "))
    }

    fn exits(&self) -> Option<Receiver<MachineExit>> {
        self.exits.lock().unwrap().take()
    }
}

/// A sandbox whose time stands until it is moved: 2026-01-31T12:00:00.
pub(crate) struct Cloud {
    pub(crate) sandbox: Sandbox,
    pub(crate) machines: Arc<Pretended>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) token: String,
}

impl Cloud {
    pub(crate) fn new() -> Self {
        Self::with(Timing::fast(), LimitMode::Off)
    }

    pub(crate) fn with(timing: Timing, limits: LimitMode) -> Self {
        let clock = Arc::new(ManualClock::new(Time(1_769_860_800_000)));
        let machines = Pretended::new();
        let settings = Settings { timing, limits, faults: Faults::none(), execution: Execution::Inline };
        let clock_too: Arc<dyn Clock> = clock.clone();
        let machines_too: Arc<dyn Machines> = machines.clone();
        let sandbox = Sandbox::new(settings, clock_too, machines_too, Ledger::in_memory());
        let token = sandbox.add_token("*").unwrap();
        Self { sandbox, machines, clock, token }
    }

    /// Moves the time on, doing at each moment what is due then.
    pub(crate) fn pass(&self, seconds: f64) {
        let end = self.clock.now().after(Duration::from_secs_f64(seconds));
        while let Some(due) = self.sandbox.next_due().filter(|due| *due <= end) {
            self.clock.advance_to(due);
            self.sandbox.tick();
        }
        self.clock.advance_to(end);
        self.sandbox.tick();
    }

    /// `call` is `METHOD /path?query`, `X-Filter: ...` or `Authorization: ...` on lines of their own, then the body.
    pub(crate) fn ask(&self, call: &str) -> Response {
        let mut lines = call.lines().map(str::trim).filter(|line| !line.is_empty());
        let (method, rest) = lines.next().unwrap().split_once(' ').unwrap();
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut headers = vec![("authorization".to_owned(), format!("Bearer {}", self.token))];
        let mut body = String::new();
        for line in lines {
            if let Some(filter) = line.strip_prefix("X-Filter: ") {
                headers.push(("x-filter".to_owned(), filter.to_owned()));
            } else if let Some(credential) = line.strip_prefix("Authorization:") {
                headers.retain(|(name, _)| name != "authorization");
                if !credential.trim().is_empty() {
                    headers.push(("authorization".to_owned(), credential.trim().to_owned()));
                }
            } else {
                body.push_str(line);
                body.push('\n');
            }
        }
        self.sandbox.handle(&Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers,
            body: body.into_bytes(),
        })
    }

    /// An action of API v3: `linode.boot LinodeID=7`, with `~` for spaces.
    pub(crate) fn v3(&self, action: &str) -> Response {
        let mut form = vec![("api_key".to_owned(), self.token.clone())];
        for (at, word) in action.split_whitespace().enumerate() {
            let (name, value) = if at == 0 { ("api_action", word) } else { word.split_once('=').unwrap() };
            form.push((name.to_owned(), value.replace('~', " ")));
        }
        self.v3_form(&form)
    }

    pub(crate) fn v3_form(&self, form: &[(String, String)]) -> Response {
        let escaped = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
        let pairs: Vec<_> = form.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect();
        let body = pairs.join("&").into_bytes();
        let (method, path) = ("POST".to_owned(), "/".to_owned());
        self.sandbox.handle(&Request { method, path, body, ..Request::default() })
    }

    /// The data of an action that must go well.
    pub(crate) fn v3_data(&self, action: &str) -> Value {
        let body = self.v3(action).body.unwrap();
        let errors = body["ERRORARRAY"].as_array().unwrap();
        assert!(errors.iter().all(|error| error["ERRORCODE"] == 0), "{action}: {body}");
        body["DATA"].clone()
    }

    /// Actions a line each, and what each is answered with.
    pub(crate) fn v3_talk(&self, actions: &str, expected: &Expect) {
        let mut told = String::new();
        for action in actions.lines().map(str::trim).filter(|line| !line.is_empty()) {
            told += &format!("> {action}\n");
            for line in v3_told(&self.v3(action).body.unwrap()).lines() {
                told += &format!("  {line}\n");
            }
        }
        expected.assert_eq(&told);
    }

    /// The body of a call that must succeed.
    pub(crate) fn get(&self, call: &str) -> Value {
        let response = self.ask(call);
        assert_eq!(response.status, 200, "{call}: {:?}", response.body);
        response.body.unwrap()
    }

    /// Status and whole body of a call.
    pub(crate) fn check(&self, call: &str, expected: &Expect) {
        let response = self.ask(call);
        let body = response.body.map(|body| shown(&body)).unwrap_or_default();
        let body = body.replace(&format!("\"pid\": {}", std::process::id()), "\"pid\": PID");
        expected.assert_eq(&format!("{} {body}", response.status));
    }

    /// The problems of a call that must be refused: status, then `field: reason` a line.
    pub(crate) fn refused(&self, call: &str, expected: &Expect) {
        let response = self.ask(call);
        let body = response.body.unwrap();
        let told =
            |one: &Value| format!("{}: {}", one["field"].as_str().unwrap_or("-"), one["reason"].as_str().unwrap());
        let problems: Vec<String> = body["errors"].as_array().expect("errors").iter().map(told).collect();
        expected.assert_eq(&format!("{}\n{}", response.status, problems.join("\n")));
    }

    /// A running Linode of this label; its id.
    pub(crate) fn linode(&self, label: &str) -> u64 {
        let made = self.get(&format!(
            r#"POST /v4/linode/instances
            {{"region":"us-east","type":"g6-nanode-1","image":"linode/debian12","label":"{label}","root_pass":"Str0ng-enough"}}"#
        ));
        self.pass(1.0);
        made["id"].as_u64().unwrap()
    }

    pub(crate) fn status(&self, id: u64) -> String {
        self.get(&format!("GET /v4/linode/instances/{id}"))["status"].as_str().unwrap().to_owned()
    }

    /// The events, oldest first, one a line.
    pub(crate) fn events(&self) -> String {
        let page = self.get("GET /v4/account/events?page_size=500");
        let mut all: Vec<String> = page["data"].as_array().unwrap().iter().map(event_line).collect();
        all.reverse();
        all.join("\n")
    }
}

/// An error, or the data: each row of a list on a line of its own.
pub(crate) fn v3_told(body: &Value) -> String {
    let errors = body["ERRORARRAY"].as_array().unwrap();
    if let Some(error) = errors.first() {
        assert_eq!(body["DATA"], serde_json::json!({}));
        return format!("! {} {}", error["ERRORCODE"], error["ERRORMESSAGE"].as_str().unwrap());
    }
    match &body["DATA"] {
        Value::Array(rows) if rows.is_empty() => "[]".to_owned(),
        Value::Array(rows) => rows.iter().map(|row| format!("- {}", sorted(row))).collect::<Vec<_>>().join("\n"),
        data => format!("= {}", sorted(data)),
    }
}

fn event_line(event: &Value) -> String {
    let word = |value: &Value| match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let message = event["message"].as_str().unwrap();
    let label = word(&event["entity"]["label"]);
    let percent = word(&event["percent_complete"]);
    format!("{} {label} {} {percent} {message}", word(&event["action"]), word(&event["status"])).trim_end().to_owned()
}

/// Pretty JSON with sorted keys, whatever order serde_json keeps in this build.
pub(crate) fn shown(value: &Value) -> String {
    serde_json::to_string_pretty(&sorted(value)).unwrap()
}

/// With its keys in order.
pub(crate) fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut keys: Vec<&String> = object.keys().collect();
            keys.sort();
            Value::Object(keys.into_iter().map(|key| (key.clone(), sorted(&object[key]))).collect())
        }
        Value::Array(all) => Value::Array(all.iter().map(sorted).collect()),
        other => other.clone(),
    }
}
