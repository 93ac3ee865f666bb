//! A timer that is due before any deadline, for as long as commands come.
//!
//! Whoever sets a deadline after a moment in which no timer was set makes tokio wake itself up, by a system call, because
//! it sleeps without end then. Where requests come and go together, that is most of them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

/// Less than any deadline that makes sense, and seldom enough to cost nothing.
const PERIOD: Duration = Duration::from_millis(50);

const STILL: u8 = 0;
/// Until the next one, unless it is used.
const LAST: u8 = 1;
const USED: u8 = 2;

#[derive(Clone, Debug, Default)]
pub(crate) struct Beat(Arc<AtomicU8>);

impl Beat {
    /// A command is on its way.
    pub(crate) fn keep(&self) {
        if self.0.load(Ordering::Relaxed) != USED && self.0.swap(USED, Ordering::Relaxed) == STILL {
            tokio::spawn(Going(Arc::clone(&self.0)).go());
        }
    }
}

/// Stands still once it is dropped, by its end or its runtime's.
struct Going(Arc<AtomicU8>);

impl Going {
    async fn go(self) {
        loop {
            tokio::time::sleep(PERIOD).await;
            if self.0.fetch_sub(1, Ordering::Relaxed) == LAST {
                return;
            }
        }
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        self.0.store(STILL, Ordering::Relaxed);
    }
}
