//! Sessions of an OpenID provider: which `sid` a session has, and log-ins that fail.
//!
//! What holds on every store is in `session::conformance`.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use carafe_core::{
    clock::Timestamp,
    key::SecretKey,
    session::{
        ClientSide, ProviderSessions, ServerSide, SessionConfig, SessionError, SessionManager,
    },
    store::{
        ErasedStore, MemoryStore, StoreError,
        conformance::{Spy, Verb},
    },
    testing::TestClient,
};
use futures_executor::block_on;

const ISSUER: &str = "https://login.example";
const NOW: Timestamp = Timestamp::from_unix(4_000_000_000);

/// One process of a service: its sessions, and the entries of its provider.
#[derive(Clone)]
struct Service {
    manager: Arc<SessionManager>,
    provider: ProviderSessions,
}

impl Service {
    fn over(sessions: Arc<dyn ErasedStore>, entries: Arc<dyn ErasedStore>) -> Self {
        let side = ServerSide::shared(sessions);
        let manager = SessionManager::new(side, SessionConfig::development()).unwrap();
        Self {
            manager: Arc::new(manager.with_clock(|| NOW)),
            provider: ProviderSessions::new(ISSUER, entries),
        }
    }

    fn new() -> Self {
        Self::over(Arc::new(MemoryStore::new()), Arc::new(MemoryStore::new()))
    }

    fn client(&self) -> TestClient {
        TestClient::new(&self.manager)
    }

    /// Logs in, in a request of its own.
    async fn log_in(
        &self,
        client: &mut TestClient,
        user: &str,
        sid: &str,
    ) -> Result<bool, SessionError> {
        let request = client.begin().await.map_err(SessionError::Store)?;
        let logged_in = self.provider.log_in(request.session(), user, sid).await;
        let ended = client.finish(request, 200).await;
        let logged_in = logged_in?;
        ended.map_err(|error| SessionError::Commit(Box::new(error)))?;
        Ok(logged_in)
    }

    async fn end(&self, sid: &str) -> Result<u64, StoreError> {
        self.provider.end_by_sid(&self.manager, sid).await
    }

    fn logged_in(&self, user: &str, sid: &str) -> TestClient {
        let mut client = self.client();
        assert!(block_on(self.log_in(&mut client, user, sid)).unwrap());
        client
    }
}

fn user_of(client: &TestClient) -> Option<String> {
    block_on(client.session()).unwrap().user()
}

#[test]
fn a_log_out_here_leaves_the_sid_to_the_next_log_in() {
    let service = Service::new();
    let mut ada = service.logged_in("ada", "one");
    block_on(async {
        let request = ada.begin().await.unwrap();
        request.session().log_out().unwrap();
        ada.finish(request, 200).await.unwrap();
    });
    assert!(block_on(service.log_in(&mut ada, "ada", "one")).unwrap());
    assert_eq!(block_on(service.end("one")).unwrap(), 1);
    assert_eq!(user_of(&ada), None);
}

#[test]
fn a_session_belongs_to_its_latest_sid() {
    let service = Service::new();
    let mut shared = service.logged_in("ada", "one");
    assert!(block_on(service.log_in(&mut shared, "ada", "two")).unwrap());
    assert_eq!(block_on(service.end("one")).unwrap(), 0);
    assert_eq!(user_of(&shared).as_deref(), Some("ada"));
    assert!(block_on(service.log_in(&mut shared, "bob", "three")).unwrap());
    assert_eq!(block_on(service.end("two")).unwrap(), 0);
    assert_eq!(user_of(&shared).as_deref(), Some("bob"));
    assert_eq!(block_on(service.end("three")).unwrap(), 1);
}

#[test]
fn providers_have_sids_of_their_own() {
    let entries: Arc<dyn ErasedStore> = Arc::new(MemoryStore::new());
    let service = Service::over(Arc::new(MemoryStore::new()), Arc::clone(&entries));
    let ada = service.logged_in("ada", "one");
    for (issuer, sid) in [
        ("https://other.example", "one"),
        // The same text, divided elsewhere.
        ("https://login.exampl", "eone"),
        ("https://login.exampleo", "ne"),
    ] {
        let other = ProviderSessions::new(issuer, Arc::clone(&entries));
        let ended = block_on(other.end_by_sid(&service.manager, sid));
        assert_eq!(ended.unwrap(), 0, "{issuer}");
    }
    assert_eq!(user_of(&ada).as_deref(), Some("ada"));
}

#[test]
fn a_log_in_without_its_entry_is_undone() {
    for verb in [Verb::Load, Verb::Create] {
        let entries = Arc::new(Spy::new(MemoryStore::new()));
        let service = Service::over(Arc::new(MemoryStore::new()), Arc::clone(&entries) as _);
        entries.before(move |call| {
            Box::pin(async move {
                match call.verb == verb {
                    true => Err(StoreError::unavailable("connection refused")),
                    false => Ok(()),
                }
            })
        });
        let mut ada = service.client();
        let failed = block_on(service.log_in(&mut ada, "ada", "one"));
        assert!(matches!(failed, Err(SessionError::Store(_))), "{failed:?}");
        assert_eq!(user_of(&ada), None);
        let left = service.manager.sessions_of("ada", None, NOW);
        assert!(block_on(left).unwrap().is_empty());
    }
}

#[test]
fn a_log_in_that_is_not_stored_is_not_stored_later() {
    let sessions = Arc::new(Spy::new(MemoryStore::new()));
    let service = Service::over(Arc::clone(&sessions) as _, Arc::new(MemoryStore::new()));
    let failures = AtomicUsize::new(1);
    sessions.before(move |call| {
        let fails = call.verb == Verb::Create
            && failures
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                    left.checked_sub(1)
                })
                .is_ok();
        Box::pin(async move {
            match fails {
                true => Err(StoreError::unavailable("connection refused")),
                false => Ok(()),
            }
        })
    });
    let mut ada = service.client();
    let failed = block_on(service.log_in(&mut ada, "ada", "one"));
    assert!(matches!(failed, Err(SessionError::Store(_))), "{failed:?}");
    assert_eq!(user_of(&ada), None);
}

#[test]
fn client_side_sessions_cannot_be_ended() {
    let side = ClientSide::signed(SecretKey::short("flask-spec-secret").unwrap());
    let manager = SessionManager::new(side, SessionConfig::development()).unwrap();
    let service = Service {
        manager: Arc::new(manager),
        ..Service::new()
    };
    let mut ada = service.client();
    let refused = block_on(service.log_in(&mut ada, "ada", "one"));
    assert!(
        matches!(refused, Err(SessionError::Unsupported)),
        "{refused:?}"
    );
    assert_eq!(user_of(&ada), None);
}
