//! Sessions that an OpenID provider ends by its `sid`, also while a log-in is in progress.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use carafe_core::{
    clock::Timestamp,
    key::SecretKey,
    session::{
        ClientSide, ProviderSessions, ServerSide, SessionConfig, SessionError, SessionManager,
    },
    store::{
        BoxFuture, ErasedStore, MemoryStore, StoreError,
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
fn a_sid_ends_its_own_sessions() {
    let service = Service::new();
    let laptop = service.logged_in("ada", "one");
    let second_jar = service.logged_in("ada", "one");
    let phone = service.logged_in("ada", "two");
    let bob = service.logged_in("bob", "three");
    assert_eq!(block_on(service.end("one")).unwrap(), 2);
    assert_eq!([&laptop, &second_jar].map(user_of), [None, None]);
    assert_eq!(user_of(&phone).as_deref(), Some("ada"));
    assert_eq!(user_of(&bob).as_deref(), Some("bob"));
    assert_eq!(block_on(service.end("one")).unwrap(), 0, "a second call");
    assert_eq!(block_on(service.end("unknown")).unwrap(), 0);
}

#[test]
fn a_sid_that_has_ended_logs_nobody_in() {
    let service = Service::new();
    block_on(service.end("one")).unwrap();
    let mut late = service.client();
    assert!(!block_on(service.log_in(&mut late, "ada", "one")).unwrap());
    assert_eq!(user_of(&late), None);
    let left = service.manager.sessions_of("ada", None, NOW);
    assert!(block_on(left).unwrap().is_empty());
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
fn a_token_is_carried_out_once_unless_it_fails() {
    let service = Service::new();
    let expires = NOW.saturating_add(120);
    let once = |id: &str, now, result: Result<u64, StoreError>| {
        block_on(
            service
                .provider
                .run_once(id, expires, now, async { result }),
        )
    };
    let failure = Err(StoreError::unavailable("connection refused"));
    assert!(once("a", NOW, failure).is_err());
    assert_eq!(once("a", NOW, Ok(1)).unwrap(), Some(1));
    assert_eq!(once("a", NOW, Ok(1)).unwrap(), None);
    assert_eq!(once("b", NOW, Ok(2)).unwrap(), Some(2));
    // As long as a verifier with the largest tolerance accepts the token.
    let last = expires.saturating_add(299);
    assert_eq!(once("a", last, Ok(1)).unwrap(), None);
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

/// Two stores, and the same stores behind spies that share a count of calls.
struct Stores {
    sessions: Arc<MemoryStore>,
    entries: Arc<MemoryStore>,
    spies: [Arc<Spy<MemoryStore>>; 2],
    calls: Arc<AtomicUsize>,
}

impl Stores {
    fn new() -> Self {
        let (sessions, entries) = (Arc::new(MemoryStore::new()), Arc::new(MemoryStore::new()));
        let spies = [&sessions, &entries].map(|store| Arc::new(Spy::shared(Arc::clone(store))));
        Self {
            sessions,
            entries,
            spies,
            calls: Arc::default(),
        }
    }

    fn plain(&self) -> Service {
        Service::over(
            Arc::clone(&self.sessions) as _,
            Arc::clone(&self.entries) as _,
        )
    }

    fn spied(&self) -> Service {
        let [sessions, entries] = self.spies.each_ref().map(Arc::clone);
        Service::over(sessions, entries)
    }

    /// Runs `act` before the call with this number, or after it.
    fn interrupt<F>(
        &self,
        number: usize,
        is_before: bool,
        act: impl Fn() -> F + Clone + Send + Sync + 'static,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        for spy in &self.spies {
            let (calls, act) = (Arc::clone(&self.calls), act.clone());
            let hook = move |_| -> BoxFuture<'static, Result<(), StoreError>> {
                let is_it = calls.fetch_add(1, Ordering::SeqCst) == number;
                let acting = is_it.then(&act);
                Box::pin(async {
                    if let Some(acting) = acting {
                        acting.await;
                    }
                    Ok(())
                })
            };
            match is_before {
                true => spy.before(hook),
                false => spy.after(hook),
            }
        }
    }
}

#[test]
fn a_log_out_at_any_moment_of_a_log_in_ends_it() {
    for is_before in [true, false] {
        for number in 0.. {
            let stores = Stores::new();
            let (service, plain) = (stores.spied(), stores.plain());
            let mut ada = service.client();
            block_on(visit(&mut ada));
            stores.interrupt(number, is_before, move || {
                let plain = plain.clone();
                async move { _ = plain.end("one").await.unwrap() }
            });
            block_on(service.log_in(&mut ada, "ada", "one")).unwrap();
            if stores.calls.load(Ordering::SeqCst) <= number {
                assert!(number > 3, "only {number} calls");
                break;
            }
            assert_eq!(user_of(&ada), None, "call {number}, before: {is_before}");
            let left = service.manager.sessions_of("ada", None, NOW);
            assert!(block_on(left).unwrap().is_empty());
        }
    }
}

/// Stores a session without a user, so that the log-in gives it a new ID.
async fn visit(client: &mut TestClient) {
    let request = client.begin().await.unwrap();
    request.session().insert("cart", "tea").unwrap();
    client.finish(request, 200).await.unwrap();
}

#[test]
fn a_log_in_at_any_moment_of_a_log_out_is_ended() {
    for is_before in [true, false] {
        for number in 0.. {
            let stores = Stores::new();
            let (service, plain) = (stores.spied(), stores.plain());
            let first = plain.logged_in("ada", "one");
            let inner = plain.clone();
            stores.interrupt(number, is_before, move || {
                let inner = inner.clone();
                async move {
                    let mut late = inner.client();
                    _ = inner.log_in(&mut late, "ada", "one").await.unwrap();
                }
            });
            block_on(service.end("one")).unwrap();
            if stores.calls.load(Ordering::SeqCst) <= number {
                assert!(number > 3, "only {number} calls");
                break;
            }
            assert_eq!(user_of(&first), None);
            // A log-in after the last call is refused by its entry.
            let left = plain.manager.sessions_of("ada", None, NOW);
            let left = block_on(left).unwrap();
            assert!(left.is_empty(), "call {number}, before: {is_before}");
        }
    }
}
