//! The task that samples the store for the trend.

use std::{
    sync::{Arc, Weak, atomic::Ordering},
    time::Duration,
};

use carafe_core::clock::Timestamp;
use tokio::{
    runtime::Handle,
    time::{MissedTickBehavior, interval},
};

use crate::{state::Console, statistics::SAMPLE};

/// Two samples per minute, so that no minute is without one.
const EVERY: Duration = Duration::from_secs(30);

/// Starts the task that samples the store, unless it is running already or this is called outside
/// of a runtime.
pub(super) fn start(console: &Arc<Console>) {
    if console.is_sampling.load(Ordering::Relaxed) {
        return;
    }
    let Ok(runtime) = Handle::try_current() else {
        return;
    };
    if !console.is_sampling.swap(true, Ordering::Relaxed) {
        runtime.spawn(watch(Arc::downgrade(console)));
    }
}

/// Samples the store until the router is dropped.
async fn watch(console: Weak<Console>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(console) = console.upgrade() else {
            return;
        };
        // An outage leaves a gap in the plot.
        if let Ok(sample) = console.store.sample(SAMPLE, Timestamp::now()).await {
            console.trend.note(sample.total, Timestamp::now());
        }
    }
}
