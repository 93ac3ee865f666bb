//! A TCP proxy for tests that does to connections what networks and broken servers do.
//!
//! It stands between a client and a real server and forwards, until it is told otherwise: refuse, hold all
//! bytes back, delay, cut, truncate, change bytes, or swap the replies of two connections. It knows no
//! protocol: a *reply* is what the server sends after the client has sent something, up to the next time.
//!
//! ```no_run
//! use carafe_test_proxy::{Fault, Proxy};
//!
//! let proxy = Proxy::to(6379);
//! // … a client connects to 127.0.0.1:{proxy.port()} …
//! proxy.set(Fault::Blackhole); // from now on, for everybody
//! proxy.set(Fault::None); // what was held back arrives now
//! proxy.at_reply(3, Fault::Drop); // the third reply from now on is lost, and its connection with it
//! proxy.cut(); // every connection, now
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `fault` | [`Fault`], and which one meets the next reply |
//! | `relay` | one connection: requests one way, replies the other |
//! | `swap` | where a reply waits for another connection's |
//!
//! It runs on a thread of its own, so that it also works for clients that block or stop the clock, and ends
//! when it is dropped.

#![allow(clippy::missing_panics_doc, reason = "a panic is how a test fails")]

mod fault;
mod relay;
mod swap;

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener as StdListener},
    sync::{Arc, atomic::Ordering},
    thread::{self, JoinHandle},
};

use tokio::net::{TcpListener, TcpSocket};

pub use fault::Fault;
use fault::Faults;

/// A proxy that runs until it is dropped.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    faults: Arc<Faults>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Starts one before the server at `127.0.0.1:port`, which need not run yet.
    #[must_use]
    pub fn to(port: u16) -> Self {
        let listener = StdListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port");
        let own = listener.local_addr().expect("it is bound").port();
        let faults = Arc::new(Faults::new());
        let shared = Arc::clone(&faults);
        let thread = thread::spawn(move || serve(listener, port, &shared));
        Self {
            port: own,
            faults,
            thread: Some(thread),
        }
    }

    /// Where clients connect to.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// What happens from now on, to connections that are there and to new ones.
    pub fn set(&self, fault: Fault) {
        self.faults.set(fault);
    }

    /// What happens once, to the `n`-th reply from now on, over all connections; 1 is the next one.
    pub fn at_reply(&self, n: u64, fault: Fault) {
        self.faults.at_reply(n, fault);
    }

    /// Resets every connection; new ones are welcome.
    pub fn cut(&self) {
        self.faults.cut();
    }

    /// How many replies have come so far.
    #[must_use]
    pub fn replies(&self) -> u64 {
        self.faults.replies.load(Ordering::Relaxed)
    }

    /// How many replies have reached another client than they were for.
    #[must_use]
    pub fn swapped(&self) -> u64 {
        self.faults.swap.count()
    }

    /// How many connections clients have made so far.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.faults.connections.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.faults.end();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(listener: StdListener, target: u16, faults: &Arc<Faults>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime starts");
    runtime.block_on(async {
        listener.set_nonblocking(true).expect("a socket can");
        let listener = TcpListener::from_std(listener).expect("it is a socket");
        tokio::select! {
            () = accept(listener, target, faults) => {}
            () = faults.ended() => {}
        }
    });
}

/// While connections are refused nobody listens, so that the system itself refuses them.
async fn accept(listener: TcpListener, target: u16, faults: &Arc<Faults>) {
    let own = listener.local_addr().expect("it is bound");
    let mut open = Some(listener);
    loop {
        if faults.is(Fault::Refuse) {
            open = None;
            faults.until_refused(false).await;
            continue;
        }
        let listener = match open.take() {
            Some(listener) => listener,
            None => listen_again(own).await,
        };
        tokio::select! {
            accepted = listener.accept() => {
                let (client, _) = accepted.expect("a connection can be accepted");
                // It was accepted by the system before this task heard of the fault.
                if faults.is(Fault::Refuse) {
                    continue;
                }
                faults.connections.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(relay::run(client, target, faults.cuts(), Arc::clone(faults)));
            }
            () = faults.until_refused(true) => {}
        }
        open = Some(listener);
    }
}

/// At the port that clients know. Somebody else may have it for a moment: a client's own end.
async fn listen_again(own: SocketAddr) -> TcpListener {
    loop {
        let socket = TcpSocket::new_v4().expect("there is a socket");
        socket.set_reuseaddr(true).expect("a socket can");
        if socket.bind(own).is_ok()
            && let Ok(listener) = socket.listen(1024)
        {
            return listener;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}
