//! What may happen, and to whom it happens next.

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

/// What a proxy does to connections or to a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Forwards.
    None,
    /// Resets what is connected and refuses the rest, as a server that is gone. Not for one reply.
    Refuse,
    /// Takes connections and requests, and lets no byte through in either direction. What was sent meanwhile
    /// arrives when it is over, as after a partition of the network.
    Blackhole,
    /// Lets the reply wait.
    Delay(Duration),
    /// Resets the connection in place of the reply: the server has done what it was asked.
    Drop,
    /// Lets so many bytes of the reply through, then resets the connection.
    Truncate(usize),
    /// Changes the bits of `mask` in the byte at this place of the reply, if it has so many.
    Corrupt {
        /// From 0.
        at: usize,
        /// At least one bit.
        mask: u8,
    },
    /// Exchanges the reply with the next one that is to be exchanged on another connection. One that waits in
    /// vain for 50 ms goes where it belongs.
    Swap,
}

#[derive(Debug)]
pub(crate) struct Faults {
    standing: watch::Sender<Fault>,
    // A plain mutex: looked at once a reply.
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
        // Waits for as long as the sender lives, which is this.
        let _ = self.over.subscribe().wait_for(|over| *over).await;
    }

    pub(crate) fn is(&self, fault: Fault) -> bool {
        *self.standing.borrow() == fault
    }

    /// Waits until connections are refused, or until they no longer are.
    pub(crate) async fn until_refused(&self, refused: bool) {
        let mut standing = self.standing.subscribe();
        let is_so = |fault: &Fault| (*fault == Fault::Refuse) == refused;
        let _ = standing.wait_for(is_so).await;
    }

    /// Changes at the next cut.
    pub(crate) fn cuts(&self) -> watch::Receiver<u64> {
        self.cuts.subscribe()
    }

    /// Waits while no byte may pass.
    pub(crate) async fn while_held(&self) {
        let mut standing = self.standing.subscribe();
        let _ = standing.wait_for(|fault| *fault != Fault::Blackhole).await;
    }

    /// Counts a reply; what happens to it.
    pub(crate) fn of_next_reply(&self) -> Fault {
        let number = self.replies.fetch_add(1, Ordering::Relaxed) + 1;
        let mut planned = self.planned.lock().expect("nothing panics in here");
        let planned = planned.remove(&number);
        planned.unwrap_or_else(|| *self.standing.borrow())
    }
}
