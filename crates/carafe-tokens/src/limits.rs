//! Every size limit of this crate. `docs/limits.md` has the same table.
//!
//! | limit | value | beyond the limit |
//! |---|---|---|
//! | [`TOKEN_BYTES`] | 8 KiB of a token | `too-large` |
//! | [`MEMBERS`] | 64 members of a JSON object, and items of an array | `too-many-members` |
//! | [`DEPTH`] | 8 levels of nested arrays and objects | `depth` |
//! | [`KID_BYTES`] | 256 bytes of a `kid` | `kid-unknown` |
//! | [`CLOCK_SKEW`] | 5 minutes of tolerated clock skew | clamped |
//! | [`HMAC_KEY_BYTES`] | 1 KiB of an HMAC key | rejected |
//! | [`JWK_SET_BYTES`] | 64 KiB of a JWK set | rejected |
//! | [`JWK_SET_KEYS`] | 64 keys of a JWK set | rejected |
//! | [`REFRESH_TOKEN_BYTES`] | 128 bytes of a refresh token | rejected |

use std::time::Duration;

/// Maximum size of a JWT, which has to fit into the head of a request.
pub const TOKEN_BYTES: usize = 8 << 10;
/// Maximum number of members of a JSON object, and of items of an array.
pub const MEMBERS: usize = 64;
/// Maximum nesting of arrays and objects in a header, in claims and in a JWK set.
pub const DEPTH: usize = 8;
/// Maximum size of a key ID.
pub const KID_BYTES: usize = 256;
/// Maximum tolerated clock skew.
pub const CLOCK_SKEW: Duration = Duration::from_secs(300);
/// Maximum size of an HMAC key.
pub const HMAC_KEY_BYTES: usize = 1 << 10;
/// Maximum size of a JWK set of another issuer.
pub const JWK_SET_BYTES: usize = 64 << 10;
/// Maximum number of keys in a JWK set of another issuer.
pub const JWK_SET_KEYS: usize = 64;
/// Maximum size of a refresh token.
pub const REFRESH_TOKEN_BYTES: usize = 128;
