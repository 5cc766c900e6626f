//! What a fault makes of a request's answer.
//!
//! Owns: which requests a fault applies to, and the wrong answers, as they have been seen from the real API. Does not know
//! whether one is given.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Fault, Hit, Rule};
use crate::wire::{Mishap, Request, Response};
use crate::{v3, v4};

/// Tells a client of ours, and a person who looks, that the answer was made wrong on purpose.
const HEADER: &str = "X-Sandbox-Fault";

/// A request as the rules see it.
pub(super) struct Asked {
    method: String,
    /// `create`, `get`, `boot`, ...
    operation: &'static str,
    resource: String,
    /// Label of the Linode it makes or is about.
    label: Option<String>,
    region: Option<String>,
    linode_type: Option<String>,
    /// What tells it from others: its method, its path with names instead of ids, and the node.
    pub(super) place: String,
    reads: bool,
    pub(super) by_v3: bool,
}

impl Asked {
    /// None for what is not part of the emulated API.
    pub(super) fn of(request: &Request, label: Option<&str>) -> Option<Self> {
        if v3::is_at(&request.path) {
            return Some(Self::of_v3(&v3::actions(request), label));
        }
        let resource = v4::resource(&request.path)?.trim_end_matches('/');
        let segments: Vec<&str> = resource.split('/').collect();
        let method = request.method.as_str();
        let operation = match (method, segments.as_slice()) {
            ("POST", ["linode", "instances"]) => "create",
            ("POST", [.., "boot"]) => "boot",
            ("POST", [.., "reboot"]) => "reboot",
            ("POST", [.., "shutdown"]) => "shutdown",
            ("DELETE", _) => "delete",
            ("GET", [.., last]) if last.parse::<u64>().is_ok() => "get",
            ("GET", _) => "list",
            _ => "change",
        };
        let body: Value = match operation {
            "create" => serde_json::from_slice(&request.body).unwrap_or_default(),
            _ => Value::Null,
        };
        let text = |field: &str| body[field].as_str().map(str::to_owned);
        let label = label.map(str::to_owned).or_else(|| text("label"));
        // Ids depend on who came first; labels do not.
        let named: Vec<_> = segments
            .iter()
            .map(|segment| if segment.parse::<u64>().is_ok() { label.as_deref().unwrap_or("ID") } else { segment })
            .collect();
        let node = label.as_ref().filter(|_| operation == "create").map(|label| format!(" {label}"));
        let place = format!("{method} /{}{}", named.join("/"), node.unwrap_or_default());
        let (region, linode_type) = (text("region"), text("type"));
        Some(Self {
            method: method.to_owned(),
            operation,
            resource: format!("/{resource}"),
            label,
            region,
            linode_type,
            place,
            reads: method == "GET",
            by_v3: false,
        })
    }

    /// Several actions are a batch, which reads if all of them do.
    fn of_v3(actions: &[v3::Action], label: Option<&str>) -> Self {
        let name = if let [one] = actions { one.name.as_str() } else { "batch" };
        let reads = |action: &v3::Action| action.name.ends_with(".list") || action.name.starts_with("avail.");
        let reads = actions.iter().all(reads);
        let operation = match name.rsplit('.').next() {
            Some("create") if name == "linode.create" => "create",
            Some("boot") => "boot",
            Some("reboot") => "reboot",
            Some("shutdown") => "shutdown",
            Some("delete") => "delete",
            _ if reads => "list",
            _ => "change",
        };
        let of = |one: fn(&v3::Action) -> Option<&'static str>| actions.first().and_then(one).map(str::to_owned);
        let node = label.map(|label| format!(" {label}")).unwrap_or_default();
        Self {
            method: "POST".to_owned(),
            operation,
            resource: format!("/{name}"),
            label: label.map(str::to_owned),
            region: of(|action| action.region),
            linode_type: of(|action| action.linode_type),
            place: format!("POST /{name}{node}"),
            reads,
            by_v3: true,
        }
    }

    fn reads(&self) -> bool {
        self.reads
    }

    /// What a rule's target may name.
    pub(super) fn words(&self) -> Vec<&str> {
        let sort = if self.reads() { "read" } else { "write" };
        let mut words = vec![self.method.as_str(), self.operation, sort, self.resource.as_str()];
        words.extend(self.label.as_deref());
        words
    }

    pub(super) fn concerned_by(&self, rule: &Rule, words: &[&str], linodes: usize) -> bool {
        let creates = self.operation == "create";
        match rule.fault {
            Fault::Busy => {
                !self.reads() && !creates && self.resource.starts_with("/linode/instances/") && rule.concerns(words)
            }
            Fault::AccountLimit => {
                let most = rule.target.as_ref().and_then(|target| target.parse().ok());
                creates && most.is_none_or(|most: usize| linodes >= most)
            }
            Fault::Capacity => {
                let places: Vec<_> =
                    [&self.region, &self.linode_type].into_iter().flatten().map(String::as_str).collect();
                creates && rule.concerns(&places)
            }
            fault => fault.is_of_requests() && rule.concerns(words),
        }
    }
}

/// What happens to a request.
#[derive(Debug)]
pub(crate) struct Fate {
    hit: Hit,
    /// It is told as API v3 does.
    by_v3: bool,
}

impl Fate {
    pub(super) fn new(hit: Hit, by_v3: bool) -> Self {
        Self { hit, by_v3 }
    }

    /// The answer that is given instead of doing it; none: it is done.
    pub(crate) fn before(&self) -> Option<Response> {
        let hit = &self.hit;
        let response = match hit.fault {
            Fault::S429 if self.by_v3 => v3::refusal(14, "API rate limit exceeded"),
            Fault::AccountLimit if self.by_v3 => {
                v3::refusal(15, "Account Limit reached. Please open a support ticket.")
            }
            Fault::Capacity if self.by_v3 => v3::refusal(8, "No open slots for this plan!"),
            Fault::LostRequest => closed(),
            // These may come before as well as after the effect: a client cannot know.
            Fault::S408 | Fault::S500 | Fault::S502 if hit.heads => self.unclear(),
            Fault::S429 => later(refusal(429, "Too many requests"), hit.time),
            Fault::S503 => later(self.refusal(503, "Service unavailable. Please try again later."), hit.time),
            Fault::Maintenance => {
                let mut response = self.refusal(503, "The API is in maintenance.");
                response.headers.push(("X-Maintenance-Mode".to_owned(), "all".to_owned()));
                response
            }
            Fault::Nginx400 => page(400, "400 Bad Request"),
            Fault::Busy => refusal(400, "Linode busy."),
            Fault::AccountLimit => refusal(400, "Account Limit reached. Please open a support ticket."),
            Fault::Capacity => refusal(400, "No open slots for this plan!"),
            _ => return None,
        };
        Some(self.marked(response))
    }

    /// What becomes of the answer of what was done.
    pub(crate) fn after(&self, mut response: Response) -> Response {
        let hit = &self.hit;
        match hit.fault {
            Fault::LostReply => response = closed(),
            Fault::Reset => response.mishap = Some(Mishap::Broken),
            Fault::Slow => response.delay = hit.time,
            Fault::S408 | Fault::S500 | Fault::S502 => response = self.unclear(),
            Fault::Html => response = page(200, "Something else than the API"),
            Fault::Truncated => response.mishap = Some(Mishap::Truncated),
            _ => {}
        }
        self.marked(response)
    }

    fn unclear(&self) -> Response {
        match self.hit.fault {
            Fault::S408 => self.refusal(408, "Please try again"),
            Fault::S500 => self.refusal(500, "Internal server error"),
            _ => page(502, "502 Bad Gateway"),
        }
    }

    /// Other statuses than 200 are not API v3's: what stands before it says them.
    fn refusal(&self, status: u16, reason: &str) -> Response {
        if self.by_v3 { page(status, &format!("{status} {reason}")) } else { refusal(status, reason) }
    }

    fn marked(&self, mut response: Response) -> Response {
        response.headers.push((HEADER.to_owned(), format!("{}: {}", self.hit.number, self.hit.fault.name())));
        response
    }
}

fn refusal(status: u16, reason: &str) -> Response {
    Response::new(status, json!({"errors": [{"reason": reason}]}))
}

fn later(mut response: Response, time: Duration) -> Response {
    response.headers.push(("Retry-After".to_owned(), time.as_millis().div_ceil(1000).to_string()));
    response
}

/// As the web server before the API writes them.
fn page(status: u16, title: &str) -> Response {
    let text = format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n\
         <hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    );
    let mut response = Response { mishap: Some(Mishap::Page(text)), ..Response::empty() };
    response.status = status;
    response.headers.push(("Server".to_owned(), "nginx".to_owned()));
    response
}

fn closed() -> Response {
    Response { mishap: Some(Mishap::Closed), ..Response::empty() }
}
