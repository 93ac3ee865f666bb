//! Orders in which requests of one session can meet, one of which logs out: LIF-5.

use std::sync::Arc;

use super::site::{Jar, NOW, Request, Site, after};
use crate::{
    session::{Session, SessionError, Timeouts},
    store::SessionStore,
};

type Handler = fn(&Session) -> Result<(), SessionError>;

/// What the requests beside the log-out do.
const ACTIONS: [Handler; 6] = [
    |session| session.insert("late", &1),
    |session| {
        let update = session.update("n", |n: Option<u64>| n.unwrap_or(0) + 1);
        update.map(drop)
    },
    |session| session.renew(),
    |session| session.clear().and_then(|()| session.insert("late", &1)),
    |_| Ok(()),
    READ,
];
const READ: Handler = |session| session.get::<u64>("n").map(drop);
const LOG_OUT: Handler = Session::log_out;
/// Seconds after the log-in: at once; late enough that a use is noted; later still, so that it renews the id.
const MOMENTS: [i64; 3] = [0, 100, 1_000];

/// LIF-5: the marker that a logged-in session carries is never seen again once its log-out is committed, whatever
/// two other requests do before, between and after its halves, in every order; and no response gives out an id
/// under which it could be (CVE-2025-46336).
pub async fn lif_5_no_order_of_three_requests_resurrects(store: Arc<dyn SessionStore>) {
    let site = site(store);
    for order in orders() {
        for action in ACTIONS {
            for moment in &MOMENTS[1..] {
                let plans = [(action, 0), (LOG_OUT, 0), (READ, *moment)];
                Schedule::run(&site, &plans, &order).await;
            }
        }
    }
}

/// `count` schedules of three to six requests, chosen at random from `seed` on, for long campaigns. Panics with the
/// schedule if one resurrects the session.
pub async fn random_schedules(store: Arc<dyn SessionStore>, seed: u64, count: u64) {
    let (site, mut random) = (site(store), Random(seed));
    for _ in 0..count {
        let requests = 3 + random.below(4);
        let mut plans = vec![(LOG_OUT, 0)];
        for _ in 1..requests {
            let moment = MOMENTS[random.below(MOMENTS.len())];
            plans.push((ACTIONS[random.below(ACTIONS.len())], moment));
        }
        let mut order: Vec<_> = (0..requests).chain(0..requests).collect();
        for last in (1..order.len()).rev() {
            order.swap(last, random.below(last + 1));
        }
        Schedule::run(&site, &plans, &order).await;
    }
}

fn site(store: Arc<dyn SessionStore>) -> Site {
    Site::with(store, |side| side.with_timeouts(Timeouts::asvs_l2()))
}

/// The 90 orders of the halves of three requests.
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
    /// Every cookie that the browser ever had.
    given: Vec<Jar>,
}

impl<'s> Schedule<'s> {
    /// Takes `plans`, what each request does and when, through `order`; then looks for what must be gone.
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

    /// The next half of a request.
    async fn step(&mut self, request: usize, (handler, moment): (Handler, i64)) {
        let Some(opened) = self.open[request].take() else {
            let opened = self.site.open(&self.jar, after(moment)).await;
            handler(&opened.session).expect("the session takes it");
            self.open[request] = Some(opened);
            return;
        };
        let effects = opened.end().await.expect("the store works");
        let mut given = Jar::default();
        given.keep(&effects);
        self.given.extend(given.0.is_some().then_some(given));
        // A browser with one jar: what comes back last counts.
        self.jar.keep(&effects);
    }
}

/// SplitMix64: a schedule can be run again from its seed, on any machine.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }
}
