//! "Your devices": the sessions of the user who is logged in.

use carafe_core::{
    clock::Timestamp,
    session::SessionManager,
    store::{PublicId, SessionMeta, StoreError},
};

/// Maximum length of a user name, in characters.
pub(super) const LONGEST_NAME: usize = 40;

/// The category of messages that are shown above the list.
pub(super) const NOTE: &str = "devices";

/// The sessions of the user who is logged in.
pub(super) struct Devices {
    pub(super) user: Option<String>,
    /// The visitor's session first, then the others, newest ID first.
    pub(super) list: Vec<Device>,
    pub(super) note: Option<String>,
}

/// A session in the list of its user.
pub(super) struct Device {
    pub(super) name: String,
    pub(super) created: Timestamp,
    pub(super) last_seen: Timestamp,
    pub(super) public_id: PublicId,
    pub(super) is_this: bool,
}

impl Devices {
    /// Returns the list of a user, if one is logged in. `own` is the visitor's session.
    pub(super) async fn of(
        manager: &SessionManager,
        user: Option<String>,
        own: Option<PublicId>,
        note: Option<String>,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let records = match &user {
            Some(user) => manager.sessions_of(user, None, now).await?,
            None => Vec::new(),
        };
        let device = |session: SessionMeta| Device::new(session, own);
        let mut list: Vec<_> = records.into_iter().map(device).collect();
        list.sort_by_key(|device| !device.is_this);
        Ok(Self { user, list, note })
    }
}

impl Device {
    fn new(record: SessionMeta, own: Option<PublicId>) -> Self {
        Self {
            name: record
                .device
                .unwrap_or_else(|| "An unknown device".to_owned()),
            created: record.created,
            last_seen: record.last_seen,
            public_id: record.public_id,
            is_this: own == Some(record.public_id),
        }
    }
}
