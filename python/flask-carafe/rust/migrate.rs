//! Flask-Session's sessions, copied into a store in Carafe's own layout.

use carafe_core::{clock::Timestamp, store::Cursor};
use carafe_migration::{FlaskSource, Halt, Mode, Source as _, Tally, Transfer, again};
use pyo3::{
    prelude::*,
    types::{IntoPyDict, PyDict},
};

use crate::{engine::Engine, errors, runtime::runtime, stores};

/// How many sessions are in memory at a time.
const BATCH: usize = 500;

/// The counts by name, and the first sessions that were left behind, with the reasons.
type Report<'py> = (Bound<'py, PyDict>, Vec<(String, String)>);

/// Copies all live sessions of a store in Flask-Session's layout into the store of `engine`.
///
/// Calls `progress` after each batch with the number of sessions so far.
#[pyfunction]
#[pyo3(signature = (engine, url, key_prefix, table, progress))]
pub(crate) fn migrate<'py>(
    py: Python<'py>,
    engine: &Bound<'py, Engine>,
    url: &str,
    key_prefix: Option<&str>,
    table: Option<&str>,
    progress: &Bound<'py, PyAny>,
) -> PyResult<Report<'py>> {
    errors::catch(py, || {
        let engine = engine.get();
        if !engine.has_own_layout() {
            let message =
                "CARAFE_STORE names the target, in Carafe's own layout: without CARAFE_LAYOUT";
            return Err(errors::raise(py, "ConfigError", message));
        }
        let (live, runtime) = (engine.live(py)?, runtime(py)?);
        let store = live.store.as_ref().expect("an own layout is a store's");
        let open = stores::open_source(url, (key_prefix, table), engine.lifetime());
        let origin = py.detach(|| runtime.block_on(open));
        let origin = origin.map_err(|error| error.raised(py))?;
        let source = FlaskSource(&*origin);
        let transfer = Transfer {
            source: &source,
            target: &**store,
            mode: Mode::Copy,
            reads_back: false,
        };
        let swept = py.detach(|| runtime.block_on(transfer.sweep_target()));
        swept.map_err(|error| errors::of_store(py, &error))?;
        let (mut tally, mut place) = (Tally::default(), None);
        loop {
            let step = batch(&source, transfer, place.as_ref(), &mut tally);
            let next = py.detach(|| runtime.block_on(step));
            place = next.map_err(|halt| match halt {
                Halt::Source(error) | Halt::Target(error) => errors::of_store(py, &error),
            })?;
            progress.call1((tally.seen,))?;
            if place.is_none() {
                return reported(py, tally);
            }
            py.check_signals()?;
        }
    })
}

/// Copies one batch and returns where the next one begins.
async fn batch(
    source: &FlaskSource<'_>,
    transfer: Transfer<'_>,
    after: Option<&Cursor>,
    tally: &mut Tally,
) -> Result<Option<Cursor>, Halt> {
    let page = again(|| source.scan(after, BATCH)).await;
    let page = page.map_err(Halt::Source)?;
    transfer.take_all(&page, tally, Timestamp::now()).await?;
    Ok(page.next)
}

fn reported(py: Python<'_>, tally: Tally) -> PyResult<Report<'_>> {
    let counts = [
        ("copied", tally.moved),
        ("updated", tally.updated),
        ("already_there", tally.already_there),
        ("newer_there", tally.newer_there),
        ("ended_meanwhile", tally.ended_meanwhile),
        ("expired", tally.expired),
        ("unreadable", tally.unreadable),
        ("refused", tally.refused),
    ];
    let troubles = tally.troubles.into_iter();
    let troubles = troubles.map(|trouble| (trouble.key, trouble.reason));
    Ok((counts.into_py_dict(py)?, troubles.collect()))
}
