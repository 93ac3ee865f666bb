//! CPU time, which excludes other processes on the machine, and the choice of cores.

use rustix::{
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
    time::{ClockId, Timespec, clock_gettime},
};

use super::Outcome;

/// Returns the CPU time of this thread, in nanoseconds.
pub(super) fn nanoseconds() -> f64 {
    in_nanoseconds(clock_gettime(ClockId::ThreadCPUTime))
}

/// Returns the CPU time of all threads of this process, in nanoseconds.
pub(crate) fn of_process() -> f64 {
    in_nanoseconds(clock_gettime(ClockId::ProcessCPUTime))
}

fn in_nanoseconds(time: Timespec) -> f64 {
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

/// Returns the cores on which this thread may run.
pub(crate) fn cores() -> Outcome<CpuSet> {
    Ok(sched_getaffinity(None)?)
}

/// Returns the index of the last core. Must be called before this thread is pinned to one core.
pub(crate) fn last_core() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from) - 1
}

/// Pins this thread, and its later children, to one core.
pub(crate) fn stay_on(core: usize) -> Outcome {
    let mut cores = CpuSet::new();
    cores.set(core);
    stay_in(&cores)
}

/// Pins this thread, and its later children, to these cores.
pub(crate) fn stay_in(cores: &CpuSet) -> Outcome {
    Ok(sched_setaffinity(None, cores)?)
}
