//! The faults, and their schedule.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::watch;

use crate::swap::Swap;

/// A fault of connections or of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Forwards unchanged.
    None,
    /// Resets open connections and refuses new ones, like a server that is down.
    ///
    /// Not for a single reply.
    Refuse,
    /// Accepts connections and requests, but forwards no bytes in either direction.
    ///
    /// The bytes are forwarded when the fault is cleared, like after a network partition.
    Blackhole,
    /// Delays the reply.
    Delay(Duration),
    /// Resets the connection instead of forwarding the reply: the server has processed the request.
    Drop,
    /// Forwards this number of bytes of the reply, then resets the connection.
    Truncate(usize),
    /// Flips the bits of `mask` in one byte of the reply, if the reply is long enough.
    Corrupt {
        /// Offset of the byte, from 0.
        at: usize,
        /// At least one bit.
        mask: u8,
    },
    /// Swaps the reply with the next reply to be swapped on another connection.
    ///
    /// Without one within 50 ms, the reply is forwarded unchanged.
    Swap,
}

#[derive(Debug)]
pub(crate) struct Faults {
    standing: watch::Sender<Fault>,
    // A synchronous mutex, locked once per reply.
    planned: Mutex<BTreeMap<u64, Fault>>,
    cuts: watch::Sender<u64>,
    over: watch::Sender<bool>,
    pub(crate) replies: AtomicU64,
    pub(crate) connections: AtomicU64,
    pub(crate) swap: Swap,
}

impl Faults {
    pub(crate) fn new() -> Self {
        Self {
            standing: watch::Sender::new(Fault::None),
            planned: Mutex::default(),
            cuts: watch::Sender::new(0),
            over: watch::Sender::new(false),
            replies: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            swap: Swap::default(),
        }
    }

    pub(crate) fn set(&self, fault: Fault) {
        self.standing.send_replace(fault);
        if fault == Fault::Refuse {
            self.cut();
        }
    }

    pub(crate) fn at_reply(&self, n: u64, fault: Fault) {
        let number = self.replies.load(Ordering::Relaxed) + n.max(1);
        let mut planned = self.planned.lock().expect("nothing panics in here");
        planned.insert(number, fault);
    }

    pub(crate) fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    pub(crate) fn end(&self) {
        self.over.send_replace(true);
    }

    pub(crate) async fn ended(&self) {
        // Waits while the sender lives, which is a field of `self`.
        let _ = self.over.subscribe().wait_for(|over| *over).await;
    }

    pub(crate) fn is(&self, fault: Fault) -> bool {
        *self.standing.borrow() == fault
    }

    /// Waits until connections are refused, or until they are accepted again.
    pub(crate) async fn until_refused(&self, refused: bool) {
        let mut standing = self.standing.subscribe();
        let is_so = |fault: &Fault| (*fault == Fault::Refuse) == refused;
        let _ = standing.wait_for(is_so).await;
    }

    /// Returns a receiver that changes at the next cut.
    pub(crate) fn cuts(&self) -> watch::Receiver<u64> {
        self.cuts.subscribe()
    }

    /// Waits while a black hole is active.
    pub(crate) async fn while_held(&self) {
        let mut standing = self.standing.subscribe();
        let _ = standing.wait_for(|fault| *fault != Fault::Blackhole).await;
    }

    /// Counts a reply and returns its fault.
    pub(crate) fn of_next_reply(&self) -> Fault {
        let number = self.replies.fetch_add(1, Ordering::Relaxed) + 1;
        let mut planned = self.planned.lock().expect("nothing panics in here");
        let planned = planned.remove(&number);
        planned.unwrap_or_else(|| *self.standing.borrow())
    }
}
