//! What makes and removes NodeBalancers. How they are shown is in `services.rs`; their configurations are made through v3.
//!
//! Owns: these calls.

use super::call::{Answer, Call, Route, done, ok};
use super::error::Refused;
use super::instance_create::region;
use super::services::balancer_view;
use crate::rules::label_problem;

const WRITE: &str = "nodebalancers:read_write";

pub(super) const ROUTES: &[Route] =
    &[Route::new("POST", "nodebalancers", WRITE, create), Route::new("DELETE", "nodebalancers/{}", WRITE, delete)];

fn create(call: &mut Call<'_>) -> Answer {
    let mut input = call.input()?;
    if input.array("configs").is_some_and(|configs| !configs.is_empty()) {
        input.problems.add("configs", "The sandbox does not emulate configs of a new NodeBalancer.");
    }
    let label = input.text("label").unwrap_or_default();
    let problem = (!label.is_empty()).then(|| label_problem(&label, 3, 32)).flatten();
    let taken = call.world.nodebalancer_labelled(&label).is_some();
    if let Some(reason) = problem.or_else(|| taken.then(|| "Label must be unique among your NodeBalancers".to_owned()))
    {
        input.problems.add("label", reason);
    }
    let throttle = input.number("client_conn_throttle").unwrap_or_default();
    if throttle > 20 {
        input.problems.add("client_conn_throttle", "Must be 0-20");
    }
    let tags = input.tags().unwrap_or_default();
    let region = region(call.world.catalogue, &mut input);
    input.done()?;
    let (Some(region), now) = (region, call.now) else { return Err(Refused::new(400, "An error occurred")) };
    let limit = || Refused::new(400, "Account Limit reached. Please open a support ticket.");
    let id = call.world.add_nodebalancer(&label, region, throttle, now).ok_or_else(limit)?;
    let one = call.world.nodebalancers.get_mut(&id).ok_or_else(Refused::not_found)?;
    one.tags = tags;
    ok(balancer_view(one))
}

fn delete(call: &mut Call<'_>) -> Answer {
    let (id, now) = (call.id(0)?, call.now);
    if call.world.remove_nodebalancer(id, now) { done() } else { Err(Refused::not_found()) }
}
