//! The operations on refresh tokens.

use std::time::Duration;

use carafe_core::{
    clock::Timestamp,
    key::{Digest, KeyDerivation, KeyRing},
    limits::{DEVICE_BYTES, USER_BYTES},
    session::{Access, Patch, SessionData},
    store::{
        ClientKind, Created, ErasedStore, KeyScheme, Patched, PublicId, Record, SessionMeta,
        StoreError,
    },
    token::signed::{Signer, SignerSettings},
};

use super::{
    Introspection, RefreshError, RefreshToken, session_key,
    state::{Decision, KEY, State},
    token::Named,
};
use crate::access::SessionRef;

/// The default lifetime of a session: 30 days.
const LIFETIME: Duration = Duration::from_secs(30 * 86_400);
/// The default period in which a repeated request gets the same successor: 10 seconds.
const GRACE: Duration = Duration::from_secs(10);
/// The default limit of sessions per user, as of [`ServerSide`](carafe_core::session::ServerSide).
const LIMIT_PER_USER: usize = 1_000;
/// Maximum number of excess sessions that one log-in revokes.
const TRIM_STEP: usize = 200;
/// Maximum number of compare-and-set attempts.
///
/// A failed attempt means that another one has succeeded.
const ATTEMPTS: usize = 16;

/// Issues, redeems and revokes refresh tokens.
///
/// ```
/// use carafe_core::{clock::Timestamp, key::{KeyRing, SecretKey}, store::MemoryStore};
/// use carafe_tokens::refresh::{Grant, RefreshError, RefreshTokens};
///
/// # futures_executor::block_on(async {
/// let keys = KeyRing::new(SecretKey::new(SecretKey::random_text()?.as_bytes())?);
/// let tokens = RefreshTokens::new(&keys);
/// let (store, now) = (MemoryStore::new(), Timestamp::now());
///
/// let first = tokens.issue(&store, &Grant::of_user("ada"), now).await?;
/// let second = tokens.redeem(&store, &first.token, now).await?;
/// let again = tokens.redeem(&store, &first.token, now).await?;
/// assert_eq!(second.token, again.token); // the response was lost, and the client repeats it
///
/// let later = now.saturating_add(60);
/// let reused = tokens.redeem(&store, &first.token, later).await;
/// assert!(matches!(reused, Err(RefreshError::Reused)));
/// let revoked = tokens.redeem(&store, &second.token, later).await;
/// assert!(matches!(revoked, Err(RefreshError::Gone)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct RefreshTokens {
    signer: Signer,
    lifetime: Duration,
    idle: Option<Duration>,
    grace: Duration,
    limit_per_user: Option<usize>,
}

/// The authenticated user of a new session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    user: String,
    device: Option<String>,
}

/// A refresh token and its session.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Issued {
    /// The token for the client.
    pub token: RefreshToken,
    /// The session, for the access token.
    pub session: SessionRef,
    /// The first second in which the session has expired.
    pub expires: Timestamp,
}

impl Grant {
    /// Creates the grant of a user.
    pub fn of_user(user: impl Into<String>) -> Self {
        Self {
            user: user.into(),
            device: None,
        }
    }

    /// Sets the device, such as its user agent, for lists of sessions. Truncated to 255 bytes.
    #[must_use]
    pub fn with_device(self, device: impl Into<String>) -> Self {
        let mut device = device.into().replace('\0', "");
        let mut ends = (0..=device.len().min(DEVICE_BYTES)).rev();
        let end = ends.find(|&end| device.is_char_boundary(end));
        device.truncate(end.unwrap_or_default());
        Self {
            device: Some(device),
            ..self
        }
    }
}

impl RefreshTokens {
    /// Creates the operations with these keys. The current key signs, and the fallbacks verify.
    ///
    /// To rotate keys, follow [`KeyRing`]. Redeeming a token returns one that is signed by the
    /// current key.
    #[must_use]
    pub fn new(keys: &KeyRing) -> Self {
        let mut settings = SignerSettings::with_salt("carafe refresh token v1");
        settings.key_derivation = KeyDerivation::Hmac;
        settings.digest = Digest::Sha256;
        Self {
            signer: Signer::new(keys, settings),
            lifetime: LIFETIME,
            idle: None,
            grace: GRACE,
            limit_per_user: Some(LIMIT_PER_USER),
        }
    }

    /// Sets the lifetime of a session from its log-in, 30 days by default.
    #[must_use]
    pub fn with_lifetime(self, lifetime: Duration) -> Self {
        Self { lifetime, ..self }
    }

    /// Sets the time after which a session expires if its token is not redeemed.
    #[must_use]
    pub fn with_idle_timeout(self, idle: Duration) -> Self {
        Self {
            idle: Some(idle),
            ..self
        }
    }

    /// Sets the grace period in which a repeated request gets the same successor, 10 seconds by
    /// default. With zero, a client that loses a response loses its session.
    #[must_use]
    pub fn with_grace(self, grace: Duration) -> Self {
        Self { grace, ..self }
    }

    /// Sets the limit of sessions per user, 1,000 by default.
    ///
    /// Beyond it, the oldest session is revoked.
    #[must_use]
    pub fn with_limit_per_user(self, sessions: usize) -> Self {
        Self {
            limit_per_user: Some(sessions),
            ..self
        }
    }

    /// Creates a session and returns its first token.
    ///
    /// # Errors
    /// [`RefreshError`]; [`RefreshError::Unsupported`] for a store with another framework's layout.
    pub async fn issue(
        &self,
        store: &(impl ErasedStore + ?Sized),
        grant: &Grant,
        now: Timestamp,
    ) -> Result<Issued, RefreshError> {
        let capabilities = store.capabilities();
        if capabilities.key_scheme != KeyScheme::Hashed || !capabilities.preserves_text {
            return Err(RefreshError::Unsupported);
        }
        if !(1..=USER_BYTES).contains(&grant.user.len()) || grant.user.contains('\0') {
            return Err(RefreshError::User);
        }
        let record = self.record(grant, now)?;
        let key = session_key(record.meta.public_id);
        if store.create(&key, &record, now).await? == Created::Taken {
            // 80 random bits repeat only if the source of randomness is broken.
            return Err(RefreshError::Store(StoreError::Conflict));
        }
        if let (Some(keep), Some(users)) = (self.limit_per_user, store.powers().users()) {
            users
                .trim(&grant.user, keep, record.meta.public_id, TRIM_STEP, now)
                .await?;
        }
        Ok(self.issued(&record, &grant.user, 0))
    }

    /// Exchanges a token for its successor.
    ///
    /// Within the grace period, any number of requests with one token get the same successor. Issue
    /// an access token for [`Issued::session`] with it.
    ///
    /// # Errors
    /// [`RefreshError`].
    pub async fn redeem(
        &self,
        store: &(impl ErasedStore + ?Sized),
        token: impl AsRef<str>,
        now: Timestamp,
    ) -> Result<Issued, RefreshError> {
        let named = Named::read(&self.signer, token.as_ref(), now)?;
        let key = session_key(named.session);
        for _ in 0..ATTEMPTS {
            let (record, user, state, text) = self.load(store, named, now).await?;
            let next = match state.decide(named.generation, self.grace, now) {
                Decision::Advance(next) => next,
                Decision::Repeat => return Ok(self.issued(&record, &user, state.generation)),
                Decision::Ahead => return Err(RefreshError::Ahead),
                Decision::Reuse => {
                    revoke_reused(store, named, &user, now).await?;
                    return Err(RefreshError::Reused);
                }
            };
            let mut patch = Patch::new();
            patch.swap(KEY, Some(text), Some(next.text()));
            patch.facts.seen = Some(Access {
                at: now,
                expires: self.expires(record.meta.created, now),
                confirms: None,
            });
            match store.patch(&key, &record, &patch, now).await {
                Ok(Patched::Applied(record)) => {
                    return Ok(self.issued(&record, &user, next.generation));
                }
                Ok(Patched::Gone) => return Err(RefreshError::Gone),
                Err(StoreError::Unmet | StoreError::Conflict) => {}
                Err(error) => return Err(RefreshError::Store(error)),
            }
        }
        Err(RefreshError::Store(StoreError::Conflict))
    }

    /// Revokes the session of a token (RFC 7009). Returns whether it was alive.
    ///
    /// A forged token is not an error (RFC 7009 §2.2): the response is a 200 in either case.
    ///
    /// # Errors
    /// [`StoreError`]: the response is a 503, and the client retries.
    pub async fn revoke(
        &self,
        store: &(impl ErasedStore + ?Sized),
        token: impl AsRef<str>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        match Named::read(&self.signer, token.as_ref(), now) {
            Ok(named) => store.delete(&session_key(named.session), now).await,
            Err(_) => Ok(false),
        }
    }

    /// Returns the introspection (RFC 7662) of a token, which is active if
    /// [`RefreshTokens::redeem`] would accept it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn introspect(
        &self,
        store: &(impl ErasedStore + ?Sized),
        token: impl AsRef<str>,
        now: Timestamp,
    ) -> Result<Introspection, StoreError> {
        let Ok(named) = Named::read(&self.signer, token.as_ref(), now) else {
            return Ok(Introspection::inactive());
        };
        match self.load(store, named, now).await {
            Ok((record, _, state, _)) => match state.decide(named.generation, self.grace, now) {
                Decision::Advance(_) | Decision::Repeat => {
                    Ok(Introspection::of_refresh_token(&record))
                }
                Decision::Reuse | Decision::Ahead => Ok(Introspection::inactive()),
            },
            Err(RefreshError::Store(error)) => Err(error),
            Err(_) => Ok(Introspection::inactive()),
        }
    }

    /// Returns the session and the generation of a token, without a call to the store.
    ///
    /// For logs and tools: the session may have expired or been revoked, and the token may have
    /// been redeemed.
    ///
    /// # Errors
    /// [`RefreshError::Forged`].
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<(PublicId, u64), RefreshError> {
        let named = Named::read(&self.signer, token, now)?;
        Ok((named.session, named.generation))
    }

    async fn load(
        &self,
        store: &(impl ErasedStore + ?Sized),
        named: Named,
        now: Timestamp,
    ) -> Result<(Record, String, State, String), RefreshError> {
        let key = session_key(named.session);
        let record = store.load(&key, now).await?.into_record();
        let record = record.filter(|record| record.meta.public_id == named.session);
        let Some(record) = record else {
            return Err(RefreshError::Gone);
        };
        let (Some((state, text)), Some(user)) =
            (State::of(&record.data)?, record.meta.user.clone())
        else {
            return Err(RefreshError::Gone);
        };
        Ok((record, user, state, text))
    }

    fn record(&self, grant: &Grant, now: Timestamp) -> Result<Record, RefreshError> {
        let state = State::first(now).text();
        let data = SessionData::parse(format!(r#"{{"{KEY}":{state}}}"#), Record::STYLE);
        let mut meta = SessionMeta::new(
            PublicId::random_for(ClientKind::RefreshToken)?,
            now,
            self.expires(now, now),
        );
        meta.user = Some(grant.user.clone());
        meta.device = grant.device.clone();
        meta.authenticated = Some(now);
        Ok(Record::new(meta, data.map_err(StoreError::corrupt)?))
    }

    fn expires(&self, created: Timestamp, now: Timestamp) -> Timestamp {
        let after = |time: Timestamp, span: Duration| {
            time.saturating_add(i64::try_from(span.as_secs()).unwrap_or(i64::MAX))
        };
        let absolute = after(created, self.lifetime);
        match self.idle {
            Some(idle) => absolute.min(after(now, idle)),
            None => absolute,
        }
    }

    fn issued(&self, record: &Record, user: &str, generation: u64) -> Issued {
        let session = record.meta.public_id;
        let named = Named {
            session,
            generation,
        };
        Issued {
            token: RefreshToken::new(&self.signer, named),
            session: SessionRef::new(user, session),
            expires: record.meta.expires,
        }
    }
}

/// Revokes the session of a token that was reused. Of concurrent calls, one writes the log event.
async fn revoke_reused(
    store: &(impl ErasedStore + ?Sized),
    named: Named,
    user: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    if store.delete(&session_key(named.session), now).await? {
        tracing::warn!(
            session.public_id = %named.session,
            session.user = user,
            session.reason = "refresh-token-reused",
            generation = named.generation,
            "a refresh token was used twice: its session is revoked"
        );
    }
    Ok(())
}

impl AsRef<str> for RefreshToken {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl std::fmt::Debug for RefreshTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RefreshTokens")
            .field("lifetime", &self.lifetime)
            .field("idle", &self.idle)
            .field("grace", &self.grace)
            .finish_non_exhaustive()
    }
}
