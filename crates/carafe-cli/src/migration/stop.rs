//! Ctrl-C and a polite kill: the batch under way is finished, then it is said how to go on.

use std::{sync::Arc, time::Duration};

use tokio::sync::Notify;

/// The exit code of `Failure::Stopped`.
const STOPPED: i32 = 5;

/// Whether somebody has asked to stop.
#[derive(Clone)]
pub(crate) struct Stop(Arc<Notify>);

impl Stop {
    /// Listens from now on.
    pub(crate) fn listen() -> Self {
        let stop = Self(Arc::new(Notify::new()));
        let notify = Arc::clone(&stop.0);
        tokio::spawn(async move {
            asked().await;
            // Kept until somebody looks.
            notify.notify_one();
            // Whoever asks twice does not want to wait; what is kept is true at any time.
            asked().await;
            std::process::exit(STOPPED);
        });
        stop
    }

    /// Rests, at least for as long as it takes to see whether somebody has asked to stop; whether they have.
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
