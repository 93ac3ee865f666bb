//! The names that an adapter re-exports, so that its users need no dependency on `carafe-core`.

/// Fails to compile unless the crate `$adapter` re-exports the types of its public signatures.
#[macro_export]
macro_rules! adapter_names {
    ($adapter:ident) => {
        #[allow(unused_imports, reason = "the imports are the check")]
        mod names {
            use $adapter::{
                AtLimit, Backoff, BearerChallenge, BearerResponse, Bytes, Checked, CircuitRules,
                ClearSiteData, ClientIp, ClientSide, CommitError, Conflict, CookieError,
                CookiePolicy, Cookies, CsrfPolicy, CsrfService, DateTime, Duplicates, ErrorChain,
                Fault, Flash, FlaskConfig, FlaskLogin, GuardOptions, GuardStatus, Guarded, Key,
                KeyError, KeyRing, LimitError, Limits, LocalPath, LoggedIn, LoginAttempt,
                LoginRequired, Markup, MemoryStore, OnCorrupt, RecentlyAuthenticated, Refresh,
                Rejection, ResponseFuture, RevocationRules, SameSite, SecretKey, ServerSide,
                Session, SessionBackend, SessionConfig, SessionError, SessionManager,
                SessionRejection, SessionService, SessionStore, SessionToken, SetCookie,
                StoreError, Sweeper, Sweeping, Timeouts, Timestamp, Transport, TransportKind,
                Tuple, Uuid,
            };
            use $adapter::{
                clock,
                cookie::{CookiePolicyBuilder, Pair, Persistence, Prefix},
                csrf::{CrossOrigin, InvalidOrigin, Unlabeled},
                error,
                flask::{ConfigError, FlaskConfigLoader, KeyBytesError, Problem, key_bytes},
                json::{
                    DecodeError, EncodeError, JsonDialect, Number, ScanError, Text, Value,
                    tag::{ParseDateError, ParseUuidError},
                },
                key::{Digest, Fallback, KeyDerivation, KeyUse},
                limits::{KEYS, RECORD_BYTES},
                session::NotLocal,
                testing::{Clock, Effect, TestClient},
                token::{
                    Compression, PayloadError, SealError, SessionId, TokenError,
                    encrypted::EncryptedSessions,
                    signed::{
                        SignedFormat, SignedSessions, Signer, SignerSettings, TimedValue,
                        TimestampSigner, UrlSafeSerializer, UrlSafeTimedSerializer,
                    },
                },
            };
            // For implementations of stores.
            use $adapter::{
                session::{Access, MetaPatch, Patch, SessionData, Update, UpdateError, UpdateFn},
                store::{
                    BoxFuture, Capabilities, Created, Cursor, Deadlines, ErasedStore, ExpiredSweep,
                    Health, InvalidStoreUrl, KeyScheme, KeyState, MigratingStore, Nonce,
                    ParseError, Patched, Position, PublicId, ReadableRows, Record, Renewal,
                    Rotation, Sample, ScanPage, Selection, SessionListing, SessionMeta, StoreKey,
                    StoreUrl, UserSessions, WhenFull,
                },
            };
        }
    };
}
