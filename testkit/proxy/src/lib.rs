//! A TCP proxy for tests that injects the faults of networks and broken servers.
//!
//! The proxy forwards between a client and a real server. On request, it refuses connections, holds
//! all bytes back, delays, cuts, truncates or changes bytes, or swaps the replies of two
//! connections. It knows no protocol: a *reply* is all data from the server between two
//! transmissions of the client.
//!
//! ```no_run
//! use carafe_test_proxy::{Fault, Proxy};
//!
//! let proxy = Proxy::to(6379);
//! // … a client connects to 127.0.0.1:{proxy.port()} …
//! proxy.set(Fault::Blackhole); // for all connections, from now on
//! proxy.set(Fault::None); // the bytes that were held back arrive now
//! proxy.at_reply(3, Fault::Drop); // drops the third reply from now on, and its connection
//! proxy.cut(); // resets every connection
//! ```
//!
//! | module | contents |
//! |---|---|
//! | `fault` | [`Fault`], and the schedule of faults |
//! | `relay` | one connection: requests in one direction, replies in the other |
//! | `swap` | a reply that waits for another connection's |
//!
//! The proxy has its own thread, so that it works for clients that block or pause the clock. It
//! stops when it is dropped.

#![allow(clippy::missing_panics_doc, reason = "a panic is how a test fails")]

mod fault;
mod relay;
mod swap;
#[cfg(test)]
mod tests;

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
    /// Starts a proxy for the server at `127.0.0.1:port`, which may be down.
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

    /// Returns the port for clients.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Sets the fault of all current and future connections.
    pub fn set(&self, fault: Fault) {
        self.faults.set(fault);
    }

    /// Sets the fault of the `n`-th reply from now on, over all connections.
    ///
    /// 1 is the next reply.
    pub fn at_reply(&self, n: u64, fault: Fault) {
        self.faults.at_reply(n, fault);
    }

    /// Resets every connection; new ones are accepted.
    pub fn cut(&self) {
        self.faults.cut();
    }

    /// Returns the number of replies so far.
    #[must_use]
    pub fn replies(&self) -> u64 {
        self.faults.replies.load(Ordering::Relaxed)
    }

    /// Returns the number of replies that reached another client.
    #[must_use]
    pub fn swapped(&self) -> u64 {
        self.faults.swap.count()
    }

    /// Returns the number of accepted connections so far.
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

/// While connections are refused, the listener is closed, so that the system refuses them.
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
                // The system accepted it before this task was notified of the fault.
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

/// Binds the same port again. A client's socket may use the port briefly.
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
