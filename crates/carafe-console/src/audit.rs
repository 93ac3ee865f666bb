//! Audit events of revocations, with the target `carafe_console::audit`. They name sessions by
//! their public IDs.

use carafe_core::store::PublicId;

use crate::{operator::Operator, revocation::Target};

const TARGET: &str = "carafe_console::audit";

/// One session was revoked.
pub(crate) fn session_revoked(operator: &Operator, public_id: PublicId) {
    tracing::info!(
        target: TARGET,
        operator = operator.name(),
        session.public_id = %public_id,
        "session revoked"
    );
}

/// A revocation of many sessions was started.
pub(crate) fn revocation_started(operator: &Operator, target: &Target) {
    tracing::info!(
        target: TARGET,
        operator = operator.name(),
        session.user = target.user(),
        "revocation of sessions started"
    );
}

/// `count` sessions were revoked: those of a user or, without one, all.
pub(crate) fn sessions_revoked(operator: &Operator, target: &Target, count: u64) {
    tracing::info!(
        target: TARGET,
        operator = operator.name(),
        session.user = target.user(),
        session.count = count,
        "sessions revoked"
    );
}

/// A revocation stopped because the store failed, after `count` sessions if that is known.
pub(crate) fn revocation_failed(operator: &Operator, target: &Target, count: Option<u64>) {
    tracing::warn!(
        target: TARGET,
        operator = operator.name(),
        session.user = target.user(),
        session.count = count,
        "revocation of sessions failed"
    );
}
