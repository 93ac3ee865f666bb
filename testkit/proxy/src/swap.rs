//! Where a reply waits for one of another connection, to go there in its place.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{sync::oneshot, time::timeout};

/// How long a reply waits for another one.
const PATIENCE: Duration = Duration::from_millis(50);

#[derive(Debug, Default)]
pub(crate) struct Swap {
    // A plain mutex: never held across an await.
    waiting: Mutex<Option<Waiting>>,
    count: AtomicU64,
}

#[derive(Debug)]
struct Waiting {
    reply: Vec<u8>,
    /// For the reply that comes in its place.
    other: oneshot::Sender<Vec<u8>>,
}

impl Swap {
    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// Gives `reply` away for another one, or back if none comes.
    pub(crate) async fn exchange(&self, reply: Vec<u8>) -> Vec<u8> {
        let (other, mine) = oneshot::channel();
        if let Some(waiting) = self.take() {
            self.count.fetch_add(2, Ordering::Relaxed);
            // Its connection may have gone; then this reply is lost, as replies are.
            let _ = waiting.other.send(reply);
            return waiting.reply;
        }
        *self.waiting.lock().expect("nothing panics in here") = Some(Waiting { reply, other });
        if let Ok(Ok(other)) = timeout(PATIENCE, mine).await {
            return other;
        }
        // Nobody has come: it is still there, unless another one that waits has taken its place.
        self.take().map_or_else(Vec::new, |waiting| waiting.reply)
    }

    fn take(&self) -> Option<Waiting> {
        self.waiting.lock().expect("nothing panics in here").take()
    }
}
