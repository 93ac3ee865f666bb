//! Ctrl-C and SIGTERM: the current batch is finished, then a message tells how to continue.

use std::{sync::Arc, time::Duration};

use tokio::sync::Notify;

/// The exit code of `Failure::Stopped`.
const STOPPED: i32 = 5;

/// Whether a signal has come.
#[derive(Clone)]
pub(crate) struct Stop(Arc<Notify>);

impl Stop {
    /// Listens from now on.
    pub(crate) fn listen() -> Self {
        let stop = Self(Arc::new(Notify::new()));
        let notify = Arc::clone(&stop.0);
        tokio::spawn(async move {
            asked().await;
            // Kept until the next check.
            notify.notify_one();
            // A second signal exits at once. The state on disk is valid at any time.
            asked().await;
            std::process::exit(STOPPED);
        });
        stop
    }

    /// Sleeps for `rest` or until a signal comes. Returns whether one has come.
    pub(crate) async fn within(&self, rest: Duration) -> bool {
        tokio::select! {
            biased;
            () = self.0.notified() => true,
            () = tokio::time::sleep(rest) => false,
        }
    }
}

#[cfg(unix)]
async fn asked() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut polite_kill) = signal(SignalKind::terminate()) else {
        return drop(tokio::signal::ctrl_c().await);
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = polite_kill.recv() => {}
    }
}

#[cfg(not(unix))]
async fn asked() {
    drop(tokio::signal::ctrl_c().await);
}
