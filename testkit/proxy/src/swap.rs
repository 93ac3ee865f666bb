//! Swaps a reply with one of another connection.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{sync::oneshot, time::timeout};

/// Maximum time that a reply waits for another one.
const PATIENCE: Duration = Duration::from_millis(50);

#[derive(Debug, Default)]
pub(crate) struct Swap {
    // A synchronous mutex, never held across an await.
    waiting: Mutex<Option<Waiting>>,
    count: AtomicU64,
}

#[derive(Debug)]
struct Waiting {
    reply: Vec<u8>,
    /// Receives the other reply.
    other: oneshot::Sender<Vec<u8>>,
}

impl Swap {
    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// Swaps `reply` with another one; returns it unchanged if none arrives in time.
    pub(crate) async fn exchange(&self, reply: Vec<u8>) -> Vec<u8> {
        let (other, mine) = oneshot::channel();
        if let Some(waiting) = self.take() {
            self.count.fetch_add(2, Ordering::Relaxed);
            // If the other connection is closed, this reply is lost.
            let _ = waiting.other.send(reply);
            return waiting.reply;
        }
        *self.waiting.lock().expect("nothing panics in here") = Some(Waiting { reply, other });
        if let Ok(Ok(other)) = timeout(PATIENCE, mine).await {
            return other;
        }
        // Timeout: the reply is still here, unless another waiting reply has replaced it.
        self.take().map_or_else(Vec::new, |waiting| waiting.reply)
    }

    fn take(&self) -> Option<Waiting> {
        self.waiting.lock().expect("nothing panics in here").take()
    }
}
