//! A subscriber that keeps every event and span of this thread as text, at TRACE.

use std::{
    fmt::{Debug, Write},
    sync::{Arc, Mutex, OnceLock},
};

use tracing::{
    Dispatch, Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
    span::{Attributes, Id, Record},
};

/// One event: its level and its fields as `name=value`, the message first.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) level: Level,
    pub(crate) text: String,
}

#[derive(Clone)]
struct Recorder {
    up_to: LevelFilter,
    lines: Arc<Mutex<Vec<Line>>>,
}

struct Writer<'t>(&'t mut String);

impl Visit for Writer<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, "{}={value:?} ", field.name());
    }
}

impl Recorder {
    fn new(up_to: LevelFilter) -> Self {
        Self {
            up_to,
            lines: Arc::default(),
        }
    }

    fn push(&self, metadata: &Metadata<'_>, record: impl FnOnce(&mut Writer<'_>)) {
        let mut text = String::new();
        record(&mut Writer(&mut text));
        let level = *metadata.level();
        self.lines.lock().unwrap().push(Line { level, text });
    }
}

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.up_to
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.up_to)
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.push(span.metadata(), |writer| span.record(writer));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.push(event.metadata(), |writer| event.record(writer));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Two subscribers that are never used and never dropped. As long as there is just one in the process, tracing asks
/// the thread that first comes to an event whether anybody wants it, and remembers its "nobody" for all threads: an
/// event of a test beside this one would then be missing here. The one that wants nothing comes first: until the
/// second is there, no event is asked about at all.
static KEEPERS: OnceLock<[Dispatch; 2]> = OnceLock::new();

/// What `run` logs on this thread.
pub(crate) fn lines_of(run: impl FnOnce()) -> Vec<Line> {
    let keepers = [LevelFilter::OFF, LevelFilter::TRACE];
    KEEPERS.get_or_init(|| keepers.map(|up_to| Dispatch::new(Recorder::new(up_to))));
    let recorder = Recorder::new(LevelFilter::TRACE);
    tracing::subscriber::with_default(recorder.clone(), run);
    let lines = recorder.lines.lock().unwrap();
    lines.clone()
}
