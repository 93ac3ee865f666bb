//! Orders of concurrent requests of one session, one of which logs out: LIF-5.

use std::sync::Arc;

use super::site::{Jar, NOW, Request, Site, after};
use crate::{
    session::{CommitError, Session, SessionError, Timeouts},
    store::ErasedStore,
};

type Handler = fn(&Session) -> Result<(), SessionError>;

/// The actions of the other requests.
const ACTIONS: [Handler; 5] = [
    |session| session.insert("late", &1),
    |session| {
        let update = session.update("n", |n: Option<u64>| n.unwrap_or(0) + 1);
        update.map(drop)
    },
    |session| session.clear().and_then(|()| session.insert("late", &1)),
    |_| Ok(()),
    READ,
];
/// After a renewal, a log-out with the old ID finds the session only in the list of its user.
const RENEW: Handler = |session| session.renew();
const READ: Handler = |session| session.get::<u64>("n").map(drop);
const LOG_OUT: Handler = Session::log_out;
/// Seconds after the log-in: immediately; late enough to record a use; late enough to renew the ID.
const MOMENTS: [i64; 3] = [0, 100, 1_000];

fn actions(store: &dyn ErasedStore) -> Vec<Handler> {
    let finds = store.capabilities().aliases && store.powers().users().is_some();
    ACTIONS.into_iter().chain(finds.then_some(RENEW)).collect()
}

/// LIF-5: the secret of a logged-in session is never visible again once its log-out is committed.
///
/// This holds for every order of the halves of the log-out and two other requests, and no response
/// contains an ID under which the secret is visible (CVE-2025-46336).
pub async fn no_order_of_three_requests_resurrects(store: Arc<dyn ErasedStore>) {
    let (actions, site) = (actions(&*store), site(store));
    for order in orders() {
        for &action in &actions {
            for moment in &MOMENTS[1..] {
                let plans = [(action, 0), (LOG_OUT, 0), (READ, *moment)];
                Schedule::run(&site, &plans, &order).await;
            }
        }
    }
}

/// Runs `count` random schedules of three to six requests from `seed` on, for long campaigns.
///
/// Panics with the schedule if it resurrects the session.
pub async fn random_schedules(store: Arc<dyn ErasedStore>, seed: u64, count: u64) {
    let (actions, mut random) = (actions(&*store), Random(seed));
    let site = site(store);
    for _ in 0..count {
        let requests = 3 + random.below(4);
        let mut plans = vec![(LOG_OUT, 0)];
        for _ in 1..requests {
            let moment = MOMENTS[random.below(MOMENTS.len())];
            plans.push((actions[random.below(actions.len())], moment));
        }
        let mut order: Vec<_> = (0..requests).chain(0..requests).collect();
        for last in (1..order.len()).rev() {
            order.swap(last, random.below(last + 1));
        }
        Schedule::run(&site, &plans, &order).await;
    }
}

fn site(store: Arc<dyn ErasedStore>) -> Site {
    Site::with(store, |side| side.with_timeouts(Timeouts::asvs_l2()))
}

/// Returns the 90 orders of the halves of three requests.
fn orders() -> Vec<Vec<usize>> {
    let mut orders = vec![vec![]];
    for _ in 0..6 {
        let longer = |order: &Vec<usize>| {
            let fits = |request: &usize| order.iter().filter(|other| *other == request).count() < 2;
            let nexts = (0..3).filter(fits);
            nexts
                .map(|next| [&order[..], &[next]].concat())
                .collect::<Vec<_>>()
        };
        orders = orders.iter().flat_map(longer).collect();
    }
    orders
}

/// Requests with the cookie of one browser, in two halves each.
struct Schedule<'s> {
    site: &'s Site,
    jar: Jar,
    open: Vec<Option<Request>>,
    /// All cookies that the browser has received.
    given: Vec<Jar>,
}

impl<'s> Schedule<'s> {
    /// Runs the requests of `plans` (handler and time) in `order`, then looks for the secret.
    async fn run(site: &'s Site, plans: &[(Handler, i64)], order: &[usize]) {
        let mut jar = Jar::default();
        let mark = |session: &Session| {
            session.log_in("bob")?;
            session.insert("secret", &1)
        };
        let marked = site.visit(&mut jar, NOW, mark).await;
        marked.expect("a log-in works");
        let mut schedule = Self {
            site,
            given: vec![jar.clone()],
            jar,
            open: plans.iter().map(|_| None).collect(),
        };
        for &request in order {
            schedule.step(request, plans[request]).await;
        }
        for jar in &schedule.given {
            for moment in MOMENTS {
                let seen = site.look(jar, after(moment), "secret").await;
                let moments: Vec<_> = plans.iter().map(|(_, moment)| moment).collect();
                assert_eq!(seen, None, "resurrected by {order:?} at {moments:?}");
            }
        }
    }

    /// Runs the next half of a request.
    async fn step(&mut self, request: usize, (handler, moment): (Handler, i64)) {
        let Some(opened) = self.open[request].take() else {
            let opened = self.site.open(&self.jar, after(moment)).await;
            handler(&opened.session).expect("the session takes it");
            self.open[request] = Some(opened);
            return;
        };
        let effects = match opened.end().await {
            Ok(effects) => effects,
            Err(CommitError::Conflict) => return,
            Err(error) => panic!("{error}"),
        };
        let mut given = Jar::default();
        given.keep(&effects);
        self.given.extend(given.0.is_some().then_some(given));
        // The browser has one jar, and the last response determines its cookie.
        self.jar.keep(&effects);
    }
}

/// SplitMix64, so that a seed reproduces its schedule on any machine.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }
}
