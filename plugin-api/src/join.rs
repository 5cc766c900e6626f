//! Running futures side by side, small enough that no plugin needs a crate for it. Does not know what the futures wait for.

use std::future::Future;
use std::pin::Pin;
use std::task::Poll;

/// Runs futures side by side and answers in their order.
pub async fn join_all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut lanes: Vec<_> = futures.into_iter().map(|f| (Box::pin(f), None)).collect();
    std::future::poll_fn(move |context| {
        let mut waiting = false;
        for (future, answer) in &mut lanes {
            if answer.is_none() {
                match future.as_mut().poll(context) {
                    Poll::Ready(output) => *answer = Some(output),
                    Poll::Pending => waiting = true,
                }
            }
        }
        if waiting { Poll::Pending } else { Poll::Ready(lanes.iter_mut().filter_map(|lane| lane.1.take()).collect()) }
    })
    .await
}

/// Runs at most `lanes` futures at once, starting the next as soon as one is done, and answers in their order.
///
/// # Errors
/// The first error that comes; the futures still under way are dropped, the others never start.
pub async fn try_join_lanes<T, E, F>(lanes: usize, futures: impl IntoIterator<Item = F>) -> Result<Vec<T>, E>
where
    F: Future<Output = Result<T, E>>,
{
    let mut waiting = futures.into_iter().enumerate().fuse();
    let mut running: Vec<(usize, Pin<Box<F>>)> = Vec::new();
    let mut done: Vec<(usize, T)> = Vec::new();
    std::future::poll_fn(|context| {
        loop {
            while running.len() < lanes.max(1) {
                let Some((place, future)) = waiting.next() else { break };
                running.push((place, Box::pin(future)));
            }
            let before = done.len();
            let mut lane = 0;
            while let Some((place, future)) = running.get_mut(lane) {
                match future.as_mut().poll(context) {
                    Poll::Pending => lane += 1,
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Ready(Ok(value)) => {
                        done.push((*place, value));
                        running.swap_remove(lane);
                    }
                }
            }
            if running.is_empty() && done.len() == before {
                return Poll::Ready(Ok(()));
            }
            if done.len() == before {
                return Poll::Pending;
            }
        }
    })
    .await?;
    done.sort_by_key(|(place, _)| *place);
    Ok(done.into_iter().map(|(_, value)| value).collect())
}
