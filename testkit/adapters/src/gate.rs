//! Overlapping requests in a defined order, without timers.
//!
//! Handlers wait at a gate that a check opens.

use std::{
    future::poll_fn,
    sync::{Arc, Mutex},
    task::{Poll, Waker},
    time::{Duration, Instant},
};

/// A gate that calls pass in the order of their arrival.
#[derive(Clone, Default)]
pub struct Gate(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    arrived: usize,
    /// The number of calls that may pass, in the order of arrival.
    admitted: usize,
    waiting: Vec<Waker>,
}

impl Gate {
    /// Waits until the gate is open for this call.
    pub async fn pass(&self) {
        let place = {
            let mut state = self.0.lock().unwrap();
            state.arrived += 1;
            state.arrived
        };
        poll_fn(|context| {
            let mut state = self.0.lock().unwrap();
            if place <= state.admitted {
                return Poll::Ready(());
            }
            state.waiting.push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Opens the gate for all calls that have arrived.
    pub fn open(&self) {
        self.admit(|state| state.arrived);
    }

    /// Opens the gate for all calls, including future ones.
    pub fn open_for_all(&self) {
        self.admit(|_| usize::MAX);
    }

    /// Waits until this number of calls is at the gate.
    pub fn wait_for(&self, calls: usize) {
        wait_until("calls are at the gate", || {
            let state = self.0.lock().unwrap();
            state.arrived >= state.admitted.saturating_add(calls)
        });
    }

    fn admit(&self, until: impl Fn(&State) -> usize) {
        let mut state = self.0.lock().unwrap();
        state.admitted = until(&state);
        state.waiting.drain(..).for_each(Waker::wake);
    }
}

pub fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(20), "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
