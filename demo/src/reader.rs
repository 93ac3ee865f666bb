//! The form that reads a cookie of a Flask application.

use std::time::Duration;

use carafe_core::clock::Timestamp;
use serde::Deserialize;

use carafe_program::{
    failure::Failure,
    format::TokenFormat,
    inspection::{Inspection, without_name},
    keys,
};

/// A cookie that Flask wrote on 2023-11-14, and its key, from Carafe's public test vectors.
const SAMPLE: (&str, &str) = (
    "eyJ1c2VyX2lkIjo0Mn0.ZVPxAA.mY6Rtt2DNTuj49QHzdjA0vn-zNw",
    "flask-spec-secret",
);

/// The typed values. No `Debug`: it would show the key.
#[derive(Default, Deserialize)]
pub(super) struct ReadForm {
    pub(super) cookie: String,
    /// One key per line, the current one first.
    pub(super) key: String,
    lifetime: String,
}

/// The form and its result.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) form: ReadForm,
    pub(super) result: Option<Reading>,
}

/// The result.
pub(super) enum Reading {
    Inspected {
        inspection: Inspection,
        keys: usize,
        max_age: Option<Duration>,
    },
    /// The keys are invalid.
    KeyRefused(String),
}

impl Reader {
    pub(super) fn sample() -> Self {
        let (cookie, key) = SAMPLE;
        let lifetime = "any".to_owned();
        Self::read(ReadForm {
            cookie: cookie.to_owned(),
            key: key.to_owned(),
            lifetime,
        })
    }

    pub(super) fn read(form: ReadForm) -> Self {
        let refused = |failure: Failure| Reading::KeyRefused(failure.text().to_owned());
        let reading = form.read().unwrap_or_else(refused);
        Self {
            form,
            result: Some(reading),
        }
    }
}

impl ReadForm {
    /// Whether the age is not checked.
    pub(super) fn any_age(&self) -> bool {
        self.lifetime == "any"
    }

    fn read(&self) -> Result<Reading, Failure> {
        // Browsers send line breaks as CR LF. Spaces are part of a key.
        let mut lines = self.key.split(['\r', '\n']).filter(|line| !line.is_empty());
        let current = lines.next().unwrap_or_default();
        let fallbacks: Vec<_> = lines.map(str::to_owned).collect();
        let ring = keys::ring_of(current, &fallbacks)?;
        let format = TokenFormat::flask();
        let max_age = format.default_max_age().filter(|_| !self.any_age());
        let cookie = without_name(self.cookie.trim(), None);
        let inspection = Inspection::of(&format, Some(&ring), cookie, max_age, Timestamp::now());
        Ok(Reading::Inspected {
            inspection,
            keys: 1 + fallbacks.len(),
            max_age,
        })
    }
}
