//! TLS by rustls with ring, as in the stores, and the machine's certificates.

use std::{error::Error, sync::Arc};

use rustls::{ClientConfig, crypto::ring};
use rustls_platform_verifier::BuilderVerifierExt as _;

/// Returns a configuration that does not depend on a provider for the whole process.
pub(crate) fn config() -> Result<ClientConfig, Box<dyn Error + Send + Sync>> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions()?;
    Ok(builder.with_platform_verifier()?.with_no_client_auth())
}
