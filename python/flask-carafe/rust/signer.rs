//! itsdangerous' signatures, computed by the engine.

use carafe_core::{
    clock::Timestamp,
    key::{KeyRing, SecretKey},
    token::signed::{Signer, SignerSettings},
};
use pyo3::{exceptions::PyValueError, prelude::*, types::PyBytes};

use crate::settings;

/// Signs with the last of several keys and accepts all of them, as itsdangerous' `Signer` does.
#[pyclass(frozen, module = "flask_carafe._native")]
pub(crate) struct MacSigner(Signer);

#[pymethods]
impl MacSigner {
    /// Creates a signer. The keys are ordered from oldest to newest.
    #[new]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "arguments from Python are owned"
    )]
    fn new(
        py: Python<'_>,
        keys: Vec<Vec<u8>>,
        salt: String,
        key_derivation: &str,
        digest: &str,
    ) -> PyResult<Self> {
        let refused = |error: carafe_core::key::KeyError| PyValueError::new_err(error.to_string());
        let (newest, older) = keys
            .split_last()
            .ok_or_else(|| PyValueError::new_err("no key"))?;
        let mut ring = KeyRing::new(SecretKey::dangerous_weak(newest).map_err(refused)?);
        for (position, key) in older.iter().enumerate().rev() {
            if keys[position + 1..].contains(key) {
                continue;
            }
            ring = ring
                .with_fallback(SecretKey::dangerous_weak(key).map_err(refused)?)
                .map_err(refused)?;
        }
        let mut signing = SignerSettings::with_salt(salt);
        signing.key_derivation = settings::derivation(py, key_derivation)?;
        signing.digest = settings::digest(py, digest)?;
        Ok(Self(Signer::new(&ring, signing)))
    }

    /// Returns the value, a dot and its signature.
    fn sign<'py>(&self, py: Python<'py>, value: &[u8]) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.sign_bytes(value))
    }

    /// Returns the value of a signed value, or `None` if no key verifies its signature.
    fn unsign<'py>(&self, py: Python<'py>, signed: &[u8]) -> Option<Bound<'py, PyBytes>> {
        let (value, _) = self.0.unsign_bytes(signed, Timestamp::now()).ok()?;
        Some(PyBytes::new(py, value))
    }
}
