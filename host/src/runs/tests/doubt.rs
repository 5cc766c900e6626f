//! An attempt that an earlier process began is told so, where `reconcile` cannot find what it did.

use super::*;

/// A write that looks first: it changes what is not there yet, and is done again without a `reconcile` of its own.
#[derive(Serialize)]
struct Look {
    #[serde(skip)]
    world: World,
}

impl Effect for Look {
    const OP: &'static str = "things.ensure";
    const KIND: Kind = Kind::Write;
    type Out = (bool, bool);

    async fn perform(&self, cx: &StepCx) -> Result<Done<(bool, bool)>, Failure> {
        let mut world = self.world.0.lock().unwrap();
        let changed = world.made.is_empty();
        if changed {
            world.made.push((cx.tag(), "it".into()));
        }
        match world.failures.pop() {
            Some(failure) => Err(failure),
            None => Ok((changed, cx.in_doubt).into()),
        }
    }

    fn reconcile(&self, _: &StepCx) -> impl Future<Output = Result<Option<Done<(bool, bool)>>, Failure>> + Send {
        performs_again()
    }
}

#[test]
fn what_is_done_again_knows_that_it_may_have_been_done() {
    let desk = Desk::new();
    let runs = desk.open();
    let run = runs.begin(new_run()).unwrap();
    desk.world.fail_next(failed(FailureKind::Interrupted, "the process died"));
    let look = Look { world: desk.world.clone() };
    run.root().step(&at(1), &look).unwrap_err();
    let id = run.id().clone();
    drop(run);
    let run = runs.reopen(&id).unwrap();
    let root = run.root();
    assert_eq!(root.step(&at(1), &look).unwrap(), (false, true), "it finds nothing to change, and is told why");
    assert_eq!(root.step(&at(2), &look).unwrap(), (false, false));
}

#[test]
fn a_node_that_cannot_be_reached_does_not_end_the_doubt() {
    let desk = Desk::new();
    let runs = desk.open();
    let run = runs.begin(new_run()).unwrap();
    let look = Look { world: desk.world.clone() };
    let id = run.id().clone();
    desk.world.fail_next(failed(FailureKind::Interrupted, "the process died"));
    run.root().step(&at(1), &look).unwrap_err();
    drop(run);
    // Taken up while its node is down, and once more when it is up: still the first attempt, and in doubt.
    let run = runs.reopen(&id).unwrap();
    desk.world.fail_next(failed(FailureKind::Ssh, "cannot reach it"));
    run.root().step(&at(1), &look).unwrap_err();
    drop(run);
    let run = runs.reopen(&id).unwrap();
    assert_eq!(run.root().step(&at(1), &look).unwrap(), (false, true));
    run.barrier().unwrap();
    check_steps(
        &runs,
        &id,
        &expect![[r#"
        0 things.ensure done #1: [false,true]
    "#]],
    );
}
