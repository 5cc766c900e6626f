//! The Linode API v4, one file per resource.
//!
//! Owns: from a request to its answer: routes, tokens and scopes, limits, and the bodies. Does not know sockets or threads;
//! what a call changes it changes in the world. `/v4` and `/v4beta` are the same. Facts: Linode API v4 docs.

mod account;
mod call;
mod catalogues;
mod configs;
mod disks;
mod error;
mod events;
mod filter;
mod firewall_rules;
mod firewalls;
mod input;
mod instance_changes;
mod instance_create;
mod instance_parts;
mod instance_view;
mod instances;
mod ips;
mod nodebalancers;
mod page;
mod profile;
mod services;
mod stackscripts;
mod tags;
mod volumes;

use call::{Call, Route};
use error::Refused;

use crate::clock::Time;
use crate::limits::{Limits, Standing};
use crate::wire::{Request, Response};
use crate::world::{Linode, World};

/// All that is emulated.
static ROUTES: &[&[Route]] = &[
    catalogues::ROUTES,
    instances::ROUTES,
    instance_changes::ROUTES,
    instance_parts::ROUTES,
    disks::ROUTES,
    configs::ROUTES,
    account::ROUTES,
    events::ROUTES,
    profile::ROUTES,
    stackscripts::ROUTES,
    firewalls::ROUTES,
    ips::ROUTES,
    tags::ROUTES,
    services::ROUTES,
    volumes::ROUTES,
    nodebalancers::ROUTES,
];

/// The part of a path after `/v4` or `/v4beta`; none for other paths.
pub(crate) fn resource(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("/v4beta").or_else(|| path.strip_prefix("/v4"))?;
    rest.strip_prefix('/').or_else(|| rest.is_empty().then_some(""))
}

/// The Linode that a path is about, if it is about one.
pub(crate) fn linode_of<'a>(world: &'a World, path: &str) -> Option<&'a Linode> {
    let id = resource(path)?.strip_prefix("linode/instances/")?.split('/').next()?;
    world.linodes.get(&id.parse().ok()?)
}

/// Answers a call whose path is one of this API.
pub(crate) fn handle(world: &mut World, limits: &mut Limits, now: Time, request: &Request) -> Response {
    let path = resource(&request.path).unwrap_or_default().trim_end_matches('/');
    let segments: Vec<&str> = path.split('/').collect();
    let found = ROUTES
        .iter()
        .flat_map(|routes| routes.iter())
        .find_map(|route| route.captures(&request.method, &segments).map(|captures| (route, captures)));
    let token = match authorize(world, request, found.as_ref().map(|(route, _)| *route)) {
        Ok(token) => token,
        Err(Denied::Unknown(refused)) => return refused.response(),
        Err(Denied::Scope { needed, held }) => {
            let refused = Refused::new(401, "Your OAuth token is not authorized to use this endpoint.");
            let mut response = refused.response();
            add_scopes(&mut response, needed, Some(held));
            return response;
        }
    };
    let Some((route, captures)) = found else { return not_emulated(request).response() };
    let who = token.as_deref().unwrap_or("public");
    let standing = limits.admit(who, route.class, now);
    let scopes = token.as_ref().and_then(|token| world.tokens.get(token)).map(|token| token.scopes.clone());
    let mut response = if standing.admitted {
        world.reason = format!("{} {}", request.method, request.path);
        match (route.run)(&mut Call { world, now, request, captures }) {
            Ok(response) => response,
            Err(refused) => refused.response(),
        }
    } else {
        Refused::new(429, "Too many requests").response()
    };
    add_headers(&mut response, &standing, route, scopes);
    response
}

/// Why a call may not be made.
enum Denied {
    Unknown(Refused),
    Scope { needed: &'static str, held: String },
}

/// The token of a call that may be made; none for a public call without one.
fn authorize(world: &World, request: &Request, route: Option<&Route>) -> Result<Option<String>, Denied> {
    let unknown = || Denied::Unknown(Refused::new(401, "Invalid Token"));
    let public = route.is_some_and(|route| route.scope == call::PUBLIC);
    let Some(header) = request.header("authorization") else {
        return if public { Ok(None) } else { Err(unknown()) };
    };
    let secret = header
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, secret)| secret.trim())
        .unwrap_or_default();
    let token = world.tokens.get(secret).ok_or_else(unknown)?;
    match route {
        Some(route) if !public && !token.may(route.scope) => {
            Err(Denied::Scope { needed: route.scope, held: token.scopes.clone() })
        }
        _ => Ok(Some(secret.to_owned())),
    }
}

fn not_emulated(request: &Request) -> Refused {
    Refused::new(501, format!("The sandbox does not emulate {} {}.", request.method, request.path))
}

fn add_headers(response: &mut Response, standing: &Standing, route: &Route, scopes: Option<String>) {
    let mut add = |name: &str, value: String| response.headers.push((name.to_owned(), value));
    add("X-RateLimit-Limit", standing.limit.to_string());
    add("X-RateLimit-Remaining", standing.remaining.to_string());
    add("X-RateLimit-Reset", standing.reset.to_string());
    // Given with every answer, as the real one does: a client must look at it only where it was refused.
    add("Retry-After", standing.retry_after.to_string());
    let accepted = if matches!(route.scope, "" | call::PUBLIC) { "*" } else { route.scope };
    add_scopes(response, accepted, scopes);
}

/// What a call needs, and what its token has.
fn add_scopes(response: &mut Response, needed: &str, held: Option<String>) {
    response.headers.push(("X-Accepted-OAuth-Scopes".to_owned(), needed.to_owned()));
    response.headers.extend(held.map(|held| ("X-OAuth-Scopes".to_owned(), held)));
}
