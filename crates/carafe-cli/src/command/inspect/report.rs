//! The JSON output of an inspection: one object on one line. Fields are only added.

use carafe_core::json::{self, JsonDialect};
use serde::Serialize;

use super::Subject;
use crate::{failure::Failure, inspection::key_name};

#[derive(Serialize)]
struct Report<'r> {
    verdict: &'static str,
    reason: Option<&'r str>,
    payload: Option<&'r str>,
    timestamp: Option<i64>,
    age: Option<i64>,
    compressed: Option<bool>,
    key: Option<String>,
    format: &'static str,
}

impl Subject<'_> {
    pub(super) fn report(&self) -> Result<String, Failure> {
        let inspection = self.inspection;
        let report = Report {
            verdict: inspection.verdict.as_str(),
            reason: inspection.reason.as_deref(),
            payload: inspection.payload.as_deref(),
            timestamp: inspection.issued.map(carafe_core::clock::Timestamp::unix),
            age: inspection.age,
            compressed: inspection.compressed,
            key: inspection.key.map(key_name),
            format: self.format.name().as_str(),
        };
        // Starlette's style is Python's plain `json.dumps`: ASCII, fields as they come.
        json::to_text(&report, JsonDialect::STARLETTE).map_err(Failure::trouble)
    }
}
