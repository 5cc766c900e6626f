//! A channel's messages, taken from russh at once and kept here until used.
//!
//! Owns: the queue and its limit. Does not know what the messages are for.
//!
//! russh widens the client's window when data arrives, not when it is used, and stops reading the whole connection once
//! a channel has 100 messages waiting; then it also misses the window adjustments that our own output waits for, and
//! `ssh host cat <big >copy` hangs for good. So the queue has to be ours and roomy: only past the limit does the
//! connection stall.

use russh::{ChannelMsg, ChannelReadHalf};
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc};

const LIMIT: usize = 64 << 20;

pub(crate) struct Pump {
    queue: mpsc::UnboundedReceiver<ChannelMsg>,
    room: Arc<Semaphore>,
}

impl Pump {
    pub(crate) fn new(mut from: ChannelReadHalf) -> Self {
        let room = Arc::new(Semaphore::new(LIMIT));
        let (tx, queue) = mpsc::unbounded_channel();
        let r = room.clone();
        tokio::spawn(async move {
            while let Some(m) = from.wait().await {
                if let ChannelMsg::Data { data } = &m
                    && let Ok(len) = u32::try_from(data.len())
                    && let Ok(p) = r.acquire_many(len).await
                {
                    p.forget();
                }
                // With nobody there any more we still read, or the connection would stall.
                let _ = tx.send(m);
            }
        });
        Self { queue, room }
    }

    pub(crate) async fn next(&mut self) -> Option<ChannelMsg> {
        self.queue.recv().await
    }

    /// So many bytes have been passed on.
    pub(crate) fn used(&self, n: usize) {
        self.room.add_permits(n);
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        self.room.close(); // no limit from now on; what comes is thrown away
    }
}
