//! The state that all requests share.

use std::sync::atomic::AtomicBool;

use crate::{
    csrf::FormTokens, monitored_store::MonitoredStore, notes::Notes, options::Settings,
    revocation::EndAll, statistics::Cached, trend::Trend,
};

/// The state that all requests share.
pub(super) struct Console {
    pub(super) store: MonitoredStore,
    pub(super) settings: Settings,
    pub(super) tokens: FormTokens,
    pub(super) notes: Notes,
    pub(super) statistics: Cached,
    pub(super) trend: Trend,
    pub(super) end_all: EndAll,
    /// Whether the task that samples the store was started.
    pub(super) is_sampling: AtomicBool,
}

impl Console {
    pub(super) fn new(store: MonitoredStore, settings: Settings) -> Self {
        Self {
            store,
            tokens: FormTokens::new(settings.form_key.as_ref()),
            settings,
            notes: Notes::default(),
            statistics: Cached::default(),
            trend: Trend::default(),
            end_all: EndAll::default(),
            is_sampling: AtomicBool::new(false),
        }
    }
}
