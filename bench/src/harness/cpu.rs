//! CPU time, in which is nothing of what others do on the machine; and the cores on which it is spent.

use rustix::{
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
    time::{ClockId, Timespec, clock_gettime},
};

use super::Outcome;

/// Nanoseconds of CPU time that this thread has used.
pub(super) fn nanoseconds() -> f64 {
    in_nanoseconds(clock_gettime(ClockId::ThreadCPUTime))
}

/// Nanoseconds of CPU time that all threads of this process have used.
pub(crate) fn of_process() -> f64 {
    in_nanoseconds(clock_gettime(ClockId::ProcessCPUTime))
}

fn in_nanoseconds(time: Timespec) -> f64 {
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

/// The cores on which this thread may run.
pub(crate) fn cores() -> Outcome<CpuSet> {
    Ok(sched_getaffinity(None)?)
}

/// The last of the cores, counted before this thread is kept on one of them.
pub(crate) fn last_core() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from) - 1
}

/// Keeps this thread, and what it starts from now on, on one core.
pub(crate) fn stay_on(core: usize) -> Outcome {
    let mut cores = CpuSet::new();
    cores.set(core);
    stay_in(&cores)
}

/// Keeps this thread, and what it starts from now on, on these cores.
pub(crate) fn stay_in(cores: &CpuSet) -> Outcome {
    Ok(sched_setaffinity(None, cores)?)
}
