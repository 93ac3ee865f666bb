//! Converts Python's settings to the engine's configuration.

use std::time::Duration;

use carafe_core::{
    cookie::{CookiePolicy, Grammar, SameSite},
    flask::{ConfigError, FlaskConfig, FlaskConfigLoader, stored::Format},
    json::{JsonDialect, Value},
    key::{Digest, KeyDerivation},
    session::{AtLimit, ClientSide, Conflict, Duplicates, Refresh, SessionConfig, Timeouts},
    store::Deadlines,
    token::{
        Compression,
        signed::{SignedFormat, Signer, SignerSettings},
    },
};
use pyo3::{
    exceptions::PyTypeError,
    prelude::*,
    types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple},
};

use crate::errors;

/// The settings other than Flask's. `flask_carafe._config` documents and computes them.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Options {
    pub(crate) store: Option<String>,
    pub(crate) flask_session: bool,
    pub(crate) key_prefix: Option<String>,
    pub(crate) table: Option<String>,
    pub(crate) json_records: bool,
    pub(crate) sign_ids: bool,
    pub(crate) migrate: bool,
    /// Seconds that a call of the store may take, if not the stores' own deadlines.
    store_timeout: Option<f64>,
    pub(crate) strict_keys: bool,
    salt: String,
    key_derivation: String,
    digest: String,
    sort_keys: bool,
    ensure_ascii: bool,
    deflate_always: bool,
    idle_timeout: Option<u64>,
    absolute_timeout: Option<u64>,
    renewal: Option<u64>,
    pub(crate) sessions_per_user: Option<usize>,
    refuse_at_limit: bool,
    discard_conflicts: bool,
    /// The cookie of Starlette's `SessionMiddleware`, instead of Flask's settings and formats.
    starlette: Option<StarletteCookie>,
}

/// The arguments of Starlette's `SessionMiddleware` about the cookie.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct StarletteCookie {
    name: String,
    path: String,
    domain: Option<String>,
    same_site: String,
    https_only: bool,
    partitioned: bool,
    /// Whether the browser keeps the cookie when it is closed.
    kept: bool,
}

impl Options {
    pub(crate) const fn dialect(&self) -> JsonDialect {
        if self.starlette.is_some() {
            return JsonDialect::STARLETTE;
        }
        JsonDialect {
            sort_keys: self.sort_keys,
            ascii: self.ensure_ascii,
            ..JsonDialect::FLASK
        }
    }

    /// Returns whether both name the same store in the same layout.
    pub(crate) fn is_same_store(&self, other: &Self) -> bool {
        let place = |options: &Self| {
            (
                options.store.clone(),
                options.key_prefix.clone(),
                options.table.clone(),
            )
        };
        place(self) == place(other)
            && (self.flask_session, self.json_records) == (other.flask_session, other.json_records)
            && self.deadlines() == other.deadlines()
    }

    /// Returns the deadlines of the store, or `None` for its own.
    pub(crate) fn deadlines(&self) -> Option<Deadlines> {
        let timeout = Duration::try_from_secs_f64(self.store_timeout?).ok()?;
        Some(Deadlines {
            connect: timeout,
            read: timeout,
            write: timeout,
        })
    }

    pub(crate) const fn conflict(&self) -> Conflict {
        if self.discard_conflicts {
            Conflict::Discard
        } else {
            Conflict::Reject
        }
    }

    pub(crate) const fn at_limit(&self) -> AtLimit {
        if self.refuse_at_limit {
            AtLimit::Refuse
        } else {
            AtLimit::EndOldest
        }
    }

    pub(crate) const fn record_format(&self) -> Format {
        if self.json_records {
            Format::Json
        } else {
            Format::MsgPack
        }
    }

    pub(crate) fn timeouts(&self) -> Timeouts {
        Timeouts {
            idle: self.idle_timeout.map(Duration::from_secs),
            absolute: self.absolute_timeout.map(Duration::from_secs),
            renewal: self.renewal.map(Duration::from_secs),
            ..Timeouts::default()
        }
    }

    /// Returns the signer of session IDs, if they are signed.
    pub(crate) fn id_signer(&self, config: &FlaskConfig) -> Option<Signer> {
        let settings = match self.flask_session {
            true => SignerSettings::flask_session(),
            false => SignerSettings::with_salt("carafe-session-id"),
        };
        self.sign_ids.then(|| Signer::new(config.keys(), settings))
    }

    /// Returns the rules of the sessions.
    pub(crate) fn session_config(
        &self,
        py: Python<'_>,
        config: &FlaskConfig,
    ) -> PyResult<SessionConfig> {
        let Some(cookie) = &self.starlette else {
            return Ok(config.session_config().with_conflict(self.conflict()));
        };
        let same_site: Result<SameSite, _> = cookie.same_site.parse();
        let same_site = same_site
            .map_err(|error| errors::raise(py, "ConfigError", &format!("same_site: {error}")))?;
        let mut policy = CookiePolicy::flask(&cookie.name)
            .path(&cookie.path)
            .secure(cookie.https_only || cookie.partitioned)
            .partitioned(cookie.partitioned)
            .same_site(same_site);
        if let Some(domain) = &cookie.domain {
            policy = policy.domain(domain);
        }
        let config = match cookie.kept {
            true => SessionConfig::starlette(),
            // Only Flask's preset leaves the expiry out of the cookie.
            false => SessionConfig::flask()
                .with_grammar(Grammar::Lenient)
                .with_duplicates(Duplicates::TakeLast)
                .with_refresh(Refresh::Never)
                .with_flask_login(None),
        };
        Ok(config.with_cookie(policy).with_conflict(self.conflict()))
    }

    /// Returns the signed cookies of `SecureCookieSessionInterface` with the application's salt,
    /// digest and JSON.
    pub(crate) fn client_side(&self, py: Python<'_>, config: &FlaskConfig) -> PyResult<ClientSide> {
        if self.starlette.is_some() {
            return Ok(ClientSide::signed_as(
                config.keys().clone(),
                SignedFormat::starlette(),
            ));
        }
        let compression = match self.deflate_always {
            true => Compression::WhenShorter,
            false => Compression::Above(512),
        };
        let format = SignedFormat::flask()
            .with_salt(self.salt.clone())
            .with_key_derivation(derivation(py, &self.key_derivation)?)
            .with_digest(digest(py, &self.digest)?)
            .with_compression(compression)
            .with_dialect(self.dialect());
        Ok(ClientSide::signed_as(config.keys().clone(), format))
    }
}

pub(crate) fn derivation(py: Python<'_>, name: &str) -> PyResult<KeyDerivation> {
    Ok(match name {
        "hmac" => KeyDerivation::Hmac,
        "concat" => KeyDerivation::Concat,
        "django-concat" => KeyDerivation::DjangoConcat,
        "none" => KeyDerivation::None,
        _ => {
            return Err(errors::raise(
                py,
                "ConfigError",
                "the key derivation is unknown",
            ));
        }
    })
}

pub(crate) fn digest(py: Python<'_>, name: &str) -> PyResult<Digest> {
    Ok(match name {
        "sha1" => Digest::Sha1,
        "sha256" => Digest::Sha256,
        "sha384" => Digest::Sha384,
        "sha512" => Digest::Sha512,
        _ => {
            let message = "the digest method is none of sha1, sha256, sha384 and sha512";
            return Err(errors::raise(py, "ConfigError", message));
        }
    })
}

/// Returns the configuration, and a warning about keys that an attacker can guess.
///
/// Flask accepts any key, so a guessable key is an error only with `CARAFE_STRICT_KEYS`.
pub(crate) fn flask_config(
    settings: &Bound<'_, PyDict>,
    strict: bool,
) -> PyResult<(FlaskConfig, Option<String>)> {
    let py = settings.py();
    let mut values = Vec::with_capacity(settings.len());
    for (name, value) in settings {
        let name: String = name.extract()?;
        let value = setting(&value).map_err(|_| {
            let message = format!("{name}: a value of this type is no setting");
            errors::raise(py, "ConfigError", &message)
        })?;
        values.push((name, value));
    }
    let loader = FlaskConfigLoader::new().map(values);
    let raise = |error: &ConfigError, class| errors::raise(py, class, &error.to_string());
    let error = match loader.clone().load() {
        Ok(config) => return Ok((config, None)),
        Err(error) => error,
    };
    let is_of_keys = error
        .problems()
        .iter()
        .all(|problem| problem.key().starts_with("SECRET_KEY"));
    if strict && is_of_keys {
        return Err(raise(&error, "WeakKeyError"));
    }
    match loader.allow_weak_keys().load() {
        Ok(config) => Ok((config, Some(error.to_string()))),
        Err(error) => Err(raise(&error, "ConfigError")),
    }
}

fn setting(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    if value.is_none() {
        return Ok(Value::Null);
    }
    if let Ok(flag) = value.cast::<PyBool>() {
        return Ok(Value::Bool(flag.is_true()));
    }
    if value.is_instance_of::<PyInt>() {
        return Ok(Value::from(value.extract::<i64>()?));
    }
    if value.is_instance_of::<PyFloat>() {
        return Ok(Value::from(value.extract::<f64>()?));
    }
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(Value::from(text.to_str()?));
    }
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Ok(Value::Bytes(bytes.as_bytes().to_vec()));
    }
    if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
        let items = value.try_iter()?.map(|item| setting(&item?));
        return Ok(Value::List(items.collect::<PyResult<_>>()?));
    }
    Err(PyTypeError::new_err("no setting"))
}
