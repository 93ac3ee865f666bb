//! Sessions that an OpenID provider revokes by `sid`, also while a log-in is in progress.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::site::{Jar, NOW, Site, after, unique};
use crate::{
    session::{ProviderSessions, Session, SessionManager},
    store::{BoxFuture, ErasedStore, StoreError, conformance::Spy},
};

/// One process of a service. The entries of its provider are in the store of its sessions.
#[derive(Clone)]
struct Service {
    manager: Arc<SessionManager>,
    provider: ProviderSessions,
    user: String,
}

impl Service {
    /// Returns `None` for a store that cannot list the sessions of a user.
    fn new(store: &Arc<dyn ErasedStore>) -> Option<Self> {
        let powers = store.powers();
        let has_lists = powers.users().is_some() && powers.listing().is_some();
        has_lists.then(|| Self::of(Arc::clone(store), unique("user")))
    }

    /// Returns a process of the service of `user`, which has a provider of its own.
    fn of(store: Arc<dyn ErasedStore>, user: String) -> Self {
        Self {
            manager: Site::new(Arc::clone(&store)).0,
            provider: ProviderSessions::new(format!("https://login.example/{user}"), store),
            user,
        }
    }

    /// Returns another process of the service, which calls the store through a spy.
    fn spied(&self, store: &Arc<dyn ErasedStore>) -> (Self, Arc<Spy<dyn ErasedStore>>) {
        let spy = Arc::new(Spy::shared(Arc::clone(store)));
        (Self::of(Arc::clone(&spy) as _, self.user.clone()), spy)
    }

    fn site(&self) -> Site {
        Site(Arc::clone(&self.manager))
    }

    /// Logs in with the provider's session `sid`, in a request of its own.
    async fn log_in(&self, jar: &mut Jar, sid: &str) -> bool {
        let request = self.site().open(jar, NOW).await;
        let session = &request.session;
        let logged_in = self.provider.log_in(session, &self.user, sid).await;
        jar.keep(&request.end().await.expect("the store works"));
        logged_in.expect("the store works")
    }

    async fn logged_in(&self, sid: &str) -> Jar {
        let mut jar = Jar::default();
        assert!(self.log_in(&mut jar, sid).await);
        jar
    }

    /// Ends the provider's session `sid`, and returns the number of revoked sessions.
    async fn end(&self, sid: &str) -> u64 {
        let ended = self.provider.end_by_sid(&self.manager, sid).await;
        ended.expect("the store works")
    }

    async fn has_user(&self, jar: &Jar) -> bool {
        let (site, mut jar) = (self.site(), jar.clone());
        site.visit(&mut jar, NOW, Session::user).await.is_some()
    }

    async fn has_sessions(&self) -> bool {
        let sessions = self.manager.sessions_of(&self.user, None, NOW).await;
        !sessions.expect("the store works").is_empty()
    }
}

/// A log-out by `sid` revokes the sessions of this `sid` only, and later log-ins with it fail.
pub async fn a_provider_ends_the_sessions_of_a_sid(store: Arc<dyn ErasedStore>) {
    let Some(service) = Service::new(&store) else {
        return;
    };
    let ended = [
        service.logged_in("one").await,
        service.logged_in("one").await,
    ];
    let other = service.logged_in("two").await;
    assert_eq!(service.end("one").await, 2);
    for jar in &ended {
        assert!(!service.has_user(jar).await);
    }
    assert!(service.has_user(&other).await);
    assert_eq!(service.end("one").await, 0, "a second call");
    assert_eq!(service.end("unknown").await, 0);
    for sid in ["one", "unknown"] {
        let mut late = Jar::default();
        assert!(!service.log_in(&mut late, sid).await, "{sid}");
        assert!(!service.has_user(&late).await, "{sid}");
    }
    assert_eq!(service.end("two").await, 1);
    assert!(!service.has_sessions().await);
}

/// A logout token is carried out once, unless it fails.
pub async fn a_logout_token_is_carried_out_once(store: Arc<dyn ErasedStore>) {
    let provider = ProviderSessions::new(unique("https://login.example"), store);
    let expires = after(120);
    let once = async |now, result| {
        let operation = async { result };
        provider.run_once("a", expires, now, operation).await
    };
    let failure = Err(StoreError::unavailable("connection refused"));
    assert!(once(NOW, failure).await.is_err());
    for (now, expected) in [(NOW, Some(1)), (NOW, None), (after(120 + 299), None)] {
        assert_eq!(once(now, Ok(1)).await.expect("the store works"), expected);
    }
}

/// A log-out by the provider revokes a log-in in progress, at any call of the store.
pub async fn a_provider_log_out_during_a_log_in_ends_it(store: Arc<dyn ErasedStore>) {
    let log_out = |service: Service| async move { _ = service.end("one").await };
    for is_before in [true, false] {
        for number in 0.. {
            let Some(service) = Service::new(&store) else {
                return;
            };
            let (spied, spy) = service.spied(&store);
            // A session without a user, so that the log-in gives it a new ID.
            let mut jar = Jar::default();
            let site = spied.site();
            let visit = site.visit(&mut jar, NOW, |session| session.insert("cart", "tea"));
            visit.await.expect("the session takes it");
            let calls = interrupt(&spy, (number, is_before), &service, log_out);
            spied.log_in(&mut jar, "one").await;
            spy.works();
            if calls.load(Ordering::SeqCst) <= number {
                assert!(number > 3, "only {number} calls");
                break;
            }
            let moment = format!("call {number}, before: {is_before}");
            assert!(!service.has_user(&jar).await, "{moment}");
            assert!(!service.has_sessions().await, "{moment}");
        }
    }
}

/// A log-in during a log-out by the provider is revoked or refused.
pub async fn a_log_in_during_a_provider_log_out_is_ended(store: Arc<dyn ErasedStore>) {
    let log_in = |service: Service| async move {
        _ = service.log_in(&mut Jar::default(), "one").await;
    };
    for is_before in [true, false] {
        for number in 0.. {
            let Some(service) = Service::new(&store) else {
                return;
            };
            let (spied, spy) = service.spied(&store);
            let first = service.logged_in("one").await;
            let calls = interrupt(&spy, (number, is_before), &service, log_in);
            spied.end("one").await;
            spy.works();
            if calls.load(Ordering::SeqCst) <= number {
                assert!(number > 3, "only {number} calls");
                break;
            }
            let moment = format!("call {number}, before: {is_before}");
            assert!(!service.has_user(&first).await, "{moment}");
            assert!(!service.has_sessions().await, "{moment}");
        }
    }
}

/// Runs `act` before the call with this number, or after it. Returns the count of calls.
fn interrupt<F>(
    spy: &Spy<dyn ErasedStore>,
    (number, is_before): (usize, bool),
    service: &Service,
    act: fn(Service) -> F,
) -> Arc<AtomicUsize>
where
    F: Future<Output = ()> + Send + 'static,
{
    let (calls, service) = (Arc::new(AtomicUsize::new(0)), service.clone());
    let counted = Arc::clone(&calls);
    let hook = move |_| -> BoxFuture<'static, Result<(), StoreError>> {
        let is_it = counted.fetch_add(1, Ordering::SeqCst) == number;
        let acting = is_it.then(|| act(service.clone()));
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
    calls
}
