//! Time as this layer uses it: the computer's, a test's, or the emulator's in a rehearsal.

pub use crate::core::clock::SystemClock as RealTime;
pub use crate::core::time::{BoxFuture, Time};

#[cfg(test)]
pub(crate) mod testing {
    use super::{BoxFuture, Time};
    use crate::core::Clock;
    use std::cmp::Reverse;
    use std::collections::BinaryHeap;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;
    use tokio::sync::oneshot;

    /// Time that jumps to the next sleeper when everybody sleeps. For one-threaded runtimes without real input or output.
    #[derive(Clone, Default)]
    pub(crate) struct JumpingTime(Arc<Mutex<Sleepers>>);

    #[derive(Default)]
    struct Sleepers {
        now: u64,
        last: u64,
        heap: BinaryHeap<Reverse<(u64, u64)>>,
        wake: Vec<(u64, oneshot::Sender<()>)>,
    }

    impl JumpingTime {
        /// Runs `work` to its end.
        pub(crate) fn run<T>(&self, work: impl Future<Output = T>) -> T {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let driver = tokio::spawn(self.clone().drive());
                let output = work.await;
                driver.abort();
                output
            })
        }

        async fn drive(self) {
            loop {
                // All that can run without time passing does so first.
                for _ in 0..50 {
                    tokio::task::yield_now().await;
                }
                let mut sleepers = self.0.lock().unwrap();
                if let Some(Reverse((at, id))) = sleepers.heap.pop()
                    && let Some(found) = sleepers.wake.iter().position(|(other, _)| *other == id)
                {
                    let (_, wake) = sleepers.wake.swap_remove(found);
                    if !wake.is_closed() {
                        sleepers.now = sleepers.now.max(at);
                        let _ = wake.send(());
                    }
                }
            }
        }
    }

    impl Clock for JumpingTime {
        fn now_ms(&self) -> u64 {
            1_000_000 + self.0.lock().unwrap().now
        }
    }

    impl Time for JumpingTime {
        fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
            let (wake, woken) = oneshot::channel();
            let mut sleepers = self.0.lock().unwrap();
            sleepers.last += 1;
            let (at, id) = (sleepers.now + time.as_millis() as u64, sleepers.last);
            sleepers.heap.push(Reverse((at, id)));
            sleepers.wake.push((id, wake));
            Box::pin(async move { drop(woken.await) })
        }
    }
}
