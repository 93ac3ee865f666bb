//! Random orders of requests, including a log-out.

use std::sync::Arc;

use carafe_core::session::conformance::random_schedules;

use crate::store::Running;

/// The number of schedules that run concurrently, each with its own sessions.
const LANES: u64 = 8;

pub(crate) async fn run(running: &Running, seed: u64, count: u64) -> String {
    let each = count.div_ceil(LANES);
    // Disjoint sequences of one generator.
    let lanes = (0..LANES).map(|lane| {
        let store = Arc::clone(&running.store);
        tokio::spawn(random_schedules(store, seed ^ lane << 48, each))
    });
    for lane in lanes.collect::<Vec<_>>() {
        if let Err(error) = lane.await {
            std::panic::resume_unwind(error.into_panic());
        }
    }
    format!("{} schedules, 0 resurrections", each * LANES)
}
