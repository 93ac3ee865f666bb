//! One browser with concurrent requests. Responses arrive in any order or not at all.
//!
//! The response that the browser processes last determines its cookie, which the server receives
//! with the next request.

use std::{sync::Arc, time::Duration};

use super::{
    schedules::Random,
    site::{Jar, NOW, Request, Site, TOKEN, is_sent, set_clock},
};
use crate::{
    clock::Timestamp,
    session::{
        CommitError, HeaderChanges, Session, SessionConfig, SessionError, Timeouts, Transport,
    },
    store::{ErasedStore, Selection, StoreError},
};

/// The action of a request's handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Read,
    Untouched,
    Write,
    CommitNow,
    Take,
    Flash,
    TakeFlashes,
    Permanent(bool),
    Renew,
    LogIn,
    LogOut,
    Clear,
}

const ACTS: [Act; 13] = [
    Act::Read,
    Act::Untouched,
    Act::Write,
    Act::CommitNow,
    Act::Take,
    Act::Flash,
    Act::TakeFlashes,
    Act::Permanent(true),
    Act::Permanent(false),
    Act::Renew,
    Act::LogIn,
    Act::LogOut,
    Act::Clear,
];

impl Act {
    /// Returns whether the handler itself revokes the session or can empty it.
    const fn ends(self) -> bool {
        matches!(
            self,
            Self::LogOut | Self::Clear | Self::Take | Self::TakeFlashes
        )
    }
}

/// Runs 200 random histories with each preset. Long campaigns call [`random_histories`].
pub async fn no_order_of_responses_loses_a_session(store: Arc<dyn ErasedStore>) {
    random_histories(store, 7, 200).await;
}

/// Runs `count` random histories from `seed` on, with each preset.
///
/// A history has up to four concurrent requests of one browser, with all actions, timed renewals,
/// revocations and lost responses. Panics with the history if it violates an invariant:
///
/// 1. No response to a request that neither revoked nor emptied its session removes a valid session
///    cookie, unless two responses with the session's cookie overtook each other on the network.
/// 2. If the last action is a log-in and its response was processed, the cookie is valid for that
///    user, unless the response of another session was processed later.
/// 3. After a log-out, no cookie that was ever sent is valid for a session of that log-in.
/// 4. Even if responses are lost, a visitor stays logged in if no request logs in or out or renews
///    the session.
/// 5. `take_once` returns a value to one request only, and a change that is reported as saved is in
///    the store.
pub async fn random_histories(store: Arc<dyn ErasedStore>, seed: u64, count: u64) {
    // Without aliases and markers of retired IDs, a store cannot guarantee this during concurrent
    // log-ins.
    if !store.capabilities().aliases {
        return;
    }
    let timeouts = Timeouts {
        renewal: Some(Duration::from_secs(60)),
        grace: Duration::from_secs(10),
        ..Timeouts::default()
    };
    let presets: [fn() -> SessionConfig; 6] = [
        SessionConfig::development,
        SessionConfig::flask,
        SessionConfig::starlette,
        SessionConfig::default,
        || SessionConfig::development().with_transports([Transport::header(TOKEN)]),
        || {
            let transports = [Transport::header(TOKEN), Transport::cookie()];
            SessionConfig::development().with_transports(transports)
        },
    ];
    for preset in presets {
        let site = Site::configured(store.clone(), preset(), |side| side.with_timeouts(timeouts));
        for number in 0..count {
            let seed = seed.wrapping_mul(1_000_003).wrapping_add(number);
            History::new(&site, seed).run().await;
        }
    }
    set_clock(0);
}

/// A request of the browser.
struct Visit {
    act: Act,
    sent: Jar,
    request: Option<Request>,
    /// The log-in of the session when the request opened it.
    login: Option<u64>,
    /// Whether the request's ID refers to a session.
    stored: bool,
    /// The value that the request writes.
    number: u64,
}

/// A response in transit.
struct Response {
    act: Act,
    sent: Jar,
    effects: HeaderChanges,
    /// The position in the order of commits.
    order: usize,
    creates: bool,
    login: Option<u64>,
}

impl Response {
    fn sets(&self) -> bool {
        is_sent(&self.effects)
    }

    /// Returns whether this is a timed renewal.
    ///
    /// All requests with the old ID get the same new ID, so their order does not matter.
    fn is_timed(&self) -> bool {
        let renews = !matches!(self.act, Act::Renew | Act::LogIn | Act::LogOut);
        let mut jar = self.sent.clone();
        jar.keep(&self.effects);
        renews && !self.creates && jar != self.sent && jar != Jar::default()
    }
}

struct History<'s> {
    site: &'s Site,
    random: Random,
    seed: u64,
    now: Timestamp,
    jar: Jar,
    /// All cookies from all responses.
    given: Vec<Jar>,
    in_flight: Vec<Visit>,
    on_their_way: Vec<Response>,
    /// The processed responses with a cookie: the commit number, and whether it is a timed renewal.
    processed: Vec<(usize, bool)>,
    commits: usize,
    logins: u64,
    /// The log-ins that ended with a log-out.
    ended: Vec<u64>,
    /// The number of commits before the last revocation by an operator.
    revoked: usize,
    taken: u64,
    log: Vec<String>,
}

impl<'s> History<'s> {
    fn new(site: &'s Site, seed: u64) -> Self {
        Self {
            site,
            random: Random(seed),
            seed,
            now: NOW,
            jar: Jar::default(),
            given: Vec::new(),
            in_flight: Vec::new(),
            on_their_way: Vec::new(),
            processed: Vec::new(),
            commits: 0,
            logins: 0,
            ended: Vec::new(),
            revoked: 0,
            taken: 0,
            log: Vec::new(),
        }
    }

    async fn run(mut self) {
        set_clock(self.now.seconds_since(NOW));
        let starts_with_user = self.random.below(3) > 0;
        let start = |session: &Session| {
            if starts_with_user {
                session.log_in("user-0")?;
                session.insert("login", &0)?;
            }
            session.insert("voucher", &1)?;
            session.insert("start", &1)
        };
        let site = self.site;
        let visit = site.visit(&mut self.jar, self.now, start).await;
        visit.expect("the session takes it");
        self.given.push(self.jar.clone());
        let mut acts = Vec::new();
        let total = 2 + self.random.below(3);
        let mut revoked = false;
        while acts.len() < total || !self.in_flight.is_empty() || !self.on_their_way.is_empty() {
            match self.random.below(9) {
                0..3 if acts.len() < total => {
                    let act = ACTS[self.random.below(ACTS.len())];
                    acts.push(act);
                    self.send(act).await;
                }
                3..5 if !self.in_flight.is_empty() => {
                    let place = self.random.below(self.in_flight.len());
                    let visit = self.in_flight.swap_remove(place);
                    self.commit(visit).await;
                }
                5..7 if !self.on_their_way.is_empty() => {
                    let place = self.random.below(self.on_their_way.len());
                    let response = self.on_their_way.swap_remove(place);
                    self.arrive(response).await;
                }
                7 => {
                    let seconds = [1, 8, 30, 70][self.random.below(4)];
                    self.now = self.now.saturating_add(seconds);
                    set_clock(self.now.seconds_since(NOW));
                    self.log.push(format!("{seconds} s pass"));
                }
                8 if self.random.below(12) == 0 => {
                    revoked |= self.revoke().await;
                }
                _ => {}
            }
        }
        let quiet = |act: &Act| !act.ends() && !matches!(act, Act::LogIn | Act::Renew);
        if starts_with_user && !revoked && acts.iter().all(quiet) {
            assert_eq!(
                self.look(&self.jar, "login").await,
                Some(0),
                "logged out: {}",
                self.told()
            );
        }
    }

    async fn look(&self, jar: &Jar, key: &str) -> Option<u64> {
        self.site.look(jar, self.now, key).await
    }

    /// Returns whether a cookie is valid for a session.
    async fn leads(&self, jar: &Jar) -> bool {
        !self.site.open(jar, self.now).await.session.is_empty()
    }

    async fn send(&mut self, act: Act) {
        self.log.push(format!(
            "{act:?} is sent with cookie {}",
            self.name(&self.jar)
        ));
        let sent = self.jar.clone();
        // The request is sent with its cookie before the session is opened.
        self.in_flight.push(Visit {
            act,
            sent,
            request: None,
            login: None,
            stored: false,
            number: 0,
        });
        if self.random.below(3) > 0 {
            let place = self.in_flight.len() - 1;
            self.open(place).await;
        }
    }

    async fn open(&mut self, place: usize) {
        let act = self.in_flight[place].act;
        if act == Act::Untouched {
            return;
        }
        let request = self.site.open(&self.in_flight[place].sent, self.now).await;
        let session = &request.session;
        let login = session.get("login").expect("a number");
        let stored = !session.is_empty();
        let number = self.commits as u64 + 1_000 * (self.log.len() as u64);
        let done = match act {
            Act::Read | Act::Untouched => session.get::<u64>("start").map(drop),
            Act::Write => session.insert("written", &number),
            Act::CommitNow => match session.insert("written", &number) {
                Ok(()) => session.commit().await,
                error => error,
            },
            Act::Take => match session.take_once::<u64>("voucher").await {
                Ok(voucher) => {
                    self.taken += voucher.unwrap_or(0);
                    Ok(())
                }
                Err(error) => Err(error),
            },
            Act::Flash => session.flash("note", "hello"),
            Act::TakeFlashes => session.take_flashes().map(drop),
            Act::Permanent(permanent) => session.set_permanent(permanent),
            Act::Renew => session.renew(),
            Act::LogIn => {
                self.logins += 1;
                let user = format!("user-{}", self.logins % 2);
                match session.log_in(&user) {
                    Ok(()) => session.insert("login", &self.logins),
                    error => error,
                }
            }
            Act::LogOut => session.log_out(),
            Act::Clear => session.clear(),
        };
        match done {
            Ok(()) | Err(SessionError::Gone) => {}
            Err(error) => panic!("{error}: {}", self.told()),
        }
        let login = match act {
            Act::LogIn => Some(self.logins),
            _ => login,
        };
        self.log
            .push(format!("{act:?} is opened, log-in {login:?}"));
        let visit = &mut self.in_flight[place];
        (visit.request, visit.login, visit.stored) = (Some(request), login, stored);
        visit.number = number;
        assert!(
            self.taken <= 1,
            "a voucher was taken twice: {}",
            self.told()
        );
    }

    async fn commit(&mut self, visit: Visit) {
        self.in_flight.push(visit);
        let place = self.in_flight.len() - 1;
        if self.in_flight[place].request.is_none() {
            self.open(place).await;
        }
        let visit = self.in_flight.swap_remove(place);
        let Visit {
            act,
            sent,
            request,
            login,
            stored,
            number,
        } = visit;
        self.commits += 1;
        let result = match &request {
            Some(request) => request.end_at(200, self.now).await,
            None => {
                let slot = self.site.0.begin();
                let lines = sent.0.iter().map(String::as_bytes);
                self.site.0.end(&slot, lines, 200, || self.now).await
            }
        };
        let effects = match result {
            Ok(effects) => effects,
            Err(CommitError::Conflict) => {
                assert_ne!(act, Act::LogIn, "a log-in failed: {}", self.told());
                self.log.push(format!("{act:?} is a conflict"));
                return;
            }
            Err(error) => panic!("{error}: {}", self.told()),
        };
        let mut given = sent.clone();
        given.keep(&effects);
        if is_sent(&effects) && given != Jar::default() {
            self.given.push(given.clone());
        }
        self.log.push(format!(
            "{act:?} is committed, cookie {}",
            match is_sent(&effects) {
                true => self.name(&given),
                false => "untouched".to_owned(),
            }
        ));
        if act == Act::Write {
            // Check all cookies of the session, because the request's own cookie may have been
            // replaced.
            let mut saved = false;
            for jar in self.given.iter().chain([&given]) {
                saved |= self.look(jar, "written").await == Some(number);
            }
            assert!(saved, "a saved change is missing: {}", self.told());
        }
        if act == Act::LogOut {
            self.ended.extend(login);
        }
        for ended in &self.ended {
            for jar in &self.given {
                let login = self.look(jar, "login").await;
                assert_ne!(login, Some(*ended), "a log-out was undone: {}", self.told());
            }
        }
        let order = self.commits;
        self.on_their_way.push(Response {
            act,
            creates: !stored && given != sent,
            sent,
            effects,
            order,
            login,
        });
    }

    async fn arrive(&mut self, response: Response) {
        let act = response.act;
        if self.random.below(5) == 0 {
            self.log.push(format!("the response to {act:?} is lost"));
            return;
        }
        let led = self.leads(&self.jar).await;
        let before = self.jar.clone();
        self.jar.keep(&response.effects);
        let jar = self.name(&self.jar);
        self.log
            .push(format!("the response to {act:?} arrives, jar {jar}"));
        if !response.sets() {
            assert_eq!(self.jar, before);
            return;
        }
        let timed = response.is_timed();
        let overtook =
            |(order, other): &(usize, bool)| *order > response.order && !(*other && timed);
        let overtaken = self.processed.iter().any(overtook);
        self.processed.push((response.order, timed));
        let allowed = act.ends() || act == Act::LogIn || response.creates || overtaken;
        if led && !allowed {
            assert!(
                self.leads(&self.jar).await,
                "a good cookie was lost: {}",
                self.told()
            );
        }
        let is_last = response.order == self.commits && self.in_flight.is_empty();
        if act == Act::LogIn && is_last && !overtaken {
            let login = self.look(&self.jar, "login").await;
            let revoked = self.revoked >= response.order;
            assert!(
                login == response.login || revoked,
                "a log-in was lost: {}",
                self.told()
            );
        }
    }

    /// Revokes the sessions of a user, as an operator.
    async fn revoke(&mut self) -> bool {
        let user = format!("user-{}", self.random.below(2));
        let which = self.site.0.end_sessions_of(&user, Selection::All).await;
        self.revoked = self.commits;
        self.log.push(format!("the sessions of {user} are revoked"));
        match which {
            Err(StoreError::Unsupported) => false,
            ended => ended.expect("the store works") > 0,
        }
    }

    /// Returns a label for a cookie that does not contain its value.
    fn name(&self, jar: &Jar) -> String {
        let known = self.given.iter().position(|given| given == jar);
        match (known, jar.0.is_some()) {
            (Some(place), true) => place.to_string(),
            (None, true) => "new".to_owned(),
            (_, false) => "none".to_owned(),
        }
    }

    fn told(&self) -> String {
        format!("seed {}\n  {}", self.seed, self.log.join("\n  "))
    }
}
