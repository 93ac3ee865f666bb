//! Handles Ctrl-C and SIGTERM: the current batch finishes, then a message says how to continue.

use std::{sync::Arc, time::Duration};

use tokio::sync::Notify;

/// The exit code of `Failure::Stopped`.
const STOPPED: i32 = 5;

/// A request to stop, set by a signal.
#[derive(Clone)]
pub(crate) struct Stop(Arc<Notify>);

impl Stop {
    /// Starts to listen for signals.
    pub(crate) fn listen() -> Self {
        let stop = Self(Arc::new(Notify::new()));
        let notify = Arc::clone(&stop.0);
        tokio::spawn(async move {
            signal_received().await;
            // `Notify` stores the permit until the next check.
            notify.notify_one();
            // A second signal exits at once. The state on disk is valid at any time.
            signal_received().await;
            std::process::exit(STOPPED);
        });
        stop
    }

    /// Sleeps for `rest` or until a signal arrives. Returns whether one has arrived.
    pub(crate) async fn within(&self, rest: Duration) -> bool {
        tokio::select! {
            biased;
            () = self.0.notified() => true,
            () = tokio::time::sleep(rest) => false,
        }
    }
}

#[cfg(unix)]
async fn signal_received() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminated) = signal(SignalKind::terminate()) else {
        return drop(tokio::signal::ctrl_c().await);
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated.recv() => {}
    }
}

#[cfg(not(unix))]
async fn signal_received() {
    drop(tokio::signal::ctrl_c().await);
}
