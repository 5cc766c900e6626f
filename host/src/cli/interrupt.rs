//! Ctrl-C: the first one stops cleanly, the second one at once.
//!
//! Owns the process's signals while a command works. Does not know what the command does.

use super::output::Output;
use crate::core::{Cancel, Failure, FailureKind};
use tokio::signal::unix::{SignalKind, signal};

/// What a process that is ended by Ctrl-C ends with.
const INTERRUPTED: i32 = 130;

/// From now on Ctrl-C, a closed terminal and `kill` set `cancel`; a second one ends the process.
///
/// `said` is told to the user at the first one.
pub(crate) fn watch(out: &Output, cancel: &Cancel, said: &'static str) -> Result<(), Failure> {
    let (out, cancel) = (out.clone(), cancel.clone());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|e| Failure::new(FailureKind::Local, format!("signals cannot be watched: {e}")))?;
    let (ready, watching) = std::sync::mpsc::channel();
    let watch = move || {
        runtime.block_on(async {
            let streams = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
            let [Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)] = streams else { return };
            let _ = ready.send(());
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                    _ = hangup.recv() => {}
                }
                if cancel.is_set() {
                    end_at_once();
                }
                cancel.set();
                out.error(said);
            }
        });
    };
    let thread = std::thread::Builder::new().name("signals".into()).spawn(watch);
    thread.map_err(|e| Failure::new(FailureKind::Local, format!("signals cannot be watched: {e}")))?;
    watching.recv().map_err(|_| Failure::new(FailureKind::Local, "signals cannot be watched"))
}

/// The journal is written before each effect, so nothing is lost that a clean end would keep.
#[expect(clippy::exit, reason = "the user asked twice: nothing may delay the end")]
fn end_at_once() -> ! {
    std::process::exit(INTERRUPTED)
}

/// What a cancelled run says: what exists, and how to remove it or go on.
pub(crate) fn left_behind(run: &str, nodes: &[String], cluster: Option<&str>, sandbox: bool) -> Failure {
    let program = if sandbox { "linodetool --sandbox" } else { "linodetool" };
    let message = match nodes {
        [] => format!("interrupted; run {run} made no node"),
        nodes => format!("interrupted; these nodes exist: {}", nodes.join(", ")),
    };
    let failure = Failure::new(FailureKind::Cancelled, message);
    match (nodes, cluster) {
        ([], _) => failure,
        (_, Some(cluster)) => failure
            .hint(format!("run the same command again to go on, or remove them: {program} cluster destroy {cluster}")),
        (nodes, None) => failure.hint(format!("remove them: {program} node delete {}", nodes.join(","))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_named_with_its_removal() {
        let show = |nodes: &[String], cluster| {
            let failure = left_behind("3fa9c01b2d", nodes, cluster, true);
            format!("{failure} / {}", failure.hint.as_deref().unwrap_or_default())
        };
        let nodes = ["web-1".to_owned(), "web-2".to_owned()];
        expect_test::expect![[r#"
            interrupted; run 3fa9c01b2d made no node / 
            interrupted; these nodes exist: web-1, web-2 / remove them: linodetool --sandbox node delete web-1,web-2
            interrupted; these nodes exist: web-1, web-2 / run the same command again to go on, or remove them: linodetool --sandbox cluster destroy web"#]]
            .assert_eq(&[show(&[], None), show(&nodes, None), show(&nodes, Some("web"))].join("\n"));
    }
}
