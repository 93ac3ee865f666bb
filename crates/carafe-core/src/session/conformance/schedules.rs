//! Every order in which three requests of one session can meet, one of which logs out: LIF-5.

use std::sync::Arc;

use super::site::{Jar, NOW, Request, Site, after};
use crate::{
    session::{Session, SessionError, Timeouts},
    store::SessionStore,
};

type Handler = fn(&Session) -> Result<(), SessionError>;

/// What the request beside the log-out does.
const ACTIONS: [Handler; 5] = [
    |session| session.insert("late", &1),
    |session| {
        session
            .update("n", |n: Option<u64>| n.unwrap_or(0) + 1)
            .map(drop)
    },
    |session| session.renew(),
    |session| session.clear().and_then(|()| session.insert("late", &1)),
    |_| Ok(()),
];

/// LIF-5: the marker that a logged-in session carries is never seen again once its log-out is committed, whatever
/// two other requests do before, between and after its halves; and no response gives out an id under which it
/// could be (CVE-2025-46336).
pub async fn lif_5_no_order_of_three_requests_resurrects(store: Arc<dyn SessionStore>) {
    let site = Site::with(store, |side| side.with_timeouts(Timeouts::asvs_l2()));
    for order in orders() {
        for first in ACTIONS {
            // The third one only reads, late enough that its use is noted, or later still and renews the id.
            for pause in [100, 1000] {
                let mut schedule = Schedule::begin(&site, pause).await;
                for &request in &order {
                    schedule.step(request, first).await;
                }
                schedule.check(&order).await;
            }
        }
    }
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

const LOG_OUT: usize = 1;

/// Three requests with one cookie: 0 acts, 1 logs out, 2 reads.
struct Schedule<'s> {
    site: &'s Site,
    jar: Jar,
    pause: i64,
    open: [Option<Request>; 3],
    /// Every cookie that the browser ever had.
    given: Vec<Jar>,
}

impl<'s> Schedule<'s> {
    async fn begin(site: &'s Site, pause: i64) -> Self {
        let mut jar = Jar::default();
        let mark = |session: &Session| {
            session
                .log_in("bob")
                .and_then(|()| session.insert("secret", &1))
        };
        site.visit(&mut jar, NOW, mark)
            .await
            .expect("a log-in works");
        Self {
            site,
            given: vec![jar.clone()],
            jar,
            pause,
            open: [const { None }; 3],
        }
    }

    /// The next half of a request.
    async fn step(&mut self, request: usize, action: Handler) {
        let handler = [action, Session::log_out, |session| {
            session.get::<u64>("n").map(drop)
        }][request];
        let Some(opened) = self.open[request].take() else {
            let now = after(if request == 2 { self.pause } else { 0 });
            let opened = self.site.open(&self.jar, now).await;
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

    /// All halves are through, so the log-out is: nothing that was ever given out leads to the marker.
    async fn check(&self, order: &[usize]) {
        for jar in &self.given {
            let seen = self.site.look(jar, after(self.pause), "secret").await;
            assert_eq!(
                seen, None,
                "resurrected by {order:?}, where {LOG_OUT} logs out"
            );
        }
    }
}
