//! Family 2: a request through the middleware, without a network.
//!
//! The router is called directly, on a runtime of one thread. What a peer adds is its time less that of axum without a
//! layer, with the same request in the same round; building the request and dropping the response are in both.

use std::{cell::RefCell, rc::Rc};

use axum::{
    Router,
    http::{
        HeaderValue, StatusCode, Uri,
        header::{self, Entry},
    },
};
use tokio::runtime::{Builder, Runtime};

use crate::{
    harness::{Candidate, Candidates, Measured, Outcome, Table},
    peers::{
        Site, axum_alone, axum_extra, axum_session, call, carafe, least, sent_back, tower_sessions,
        visitors,
    },
};

const BROWSERS: u32 = 1_000;
/// A log-in ends the id that it came with, so a batch needs a browser for each of its operations.
const LOG_INS: u32 = 2_000;
const FLOOR: &str = "axum without a layer";
const IDLE: &str = "a layer that does nothing";

/// A name for the tables, and how to build it.
type Peer = (&'static str, fn() -> Router);

/// Who takes part in one heap: with sessions of their own, or none.
const PEERS: &[Peer] = &[
    ("**Carafe signed, Flask's rules**", carafe::as_flask),
    (OURS, carafe::signed),
    ("**Carafe encrypted**", carafe::encrypted),
    (OURS_STORED, carafe::in_memory),
    (LEAST, least::in_memory),
    (TOWER_SESSIONS, tower_sessions::in_memory),
    (SIGNED_JAR, axum_extra::signed),
    ("axum-extra, signed jar, struct", axum_extra::signed_struct),
    ("axum-extra, private jar", axum_extra::private),
    (
        "axum-extra, private jar, struct",
        axum_extra::private_struct,
    ),
];
/// Apart from the others, whose heap it would fill: each request without a session begins one.
const PEERS_APART: &[Peer] = &[
    (OURS_STORED, carafe::in_memory),
    (AXUM_SESSION, axum_session::in_memory),
];
const OURS: &str = "**Carafe signed**";
const OURS_STORED: &str = "**Carafe, memory**";
/// No library.
const LEAST: &str = "the least, memory";
const TOWER_SESSIONS: &str = "tower-sessions, memory";
const AXUM_SESSION: &str = "axum_session, memory";
const SIGNED_JAR: &str = "axum-extra, signed jar";

/// What happens in a request.
#[derive(Clone, Copy)]
struct Scenario {
    name: &'static str,
    path: &'static str,
    with_cookie: bool,
}

const SCENARIOS: [Scenario; 5] = [
    Scenario {
        name: "1 untouched, no cookie",
        path: "/untouched",
        with_cookie: false,
    },
    Scenario {
        name: "2 untouched, cookie",
        path: "/untouched",
        with_cookie: true,
    },
    Scenario {
        name: "3 read",
        path: "/read",
        with_cookie: true,
    },
    Scenario {
        name: "4 read + write",
        path: "/write",
        with_cookie: true,
    },
    Scenario {
        name: LOG_IN,
        path: "/login",
        with_cookie: true,
    },
];
const LOG_IN: &str = "5 log-in";

pub(crate) fn candidates(_alone: bool) -> Outcome<Candidates> {
    candidates_of(PEERS)
}

pub(crate) fn candidates_apart(_alone: bool) -> Outcome<Candidates> {
    candidates_of(PEERS_APART)
}

fn candidates_of(peers: &[Peer]) -> Outcome<Candidates> {
    let runtime = Rc::new(Builder::new_current_thread().enable_time().build()?);
    let mut sites: Vec<(&str, Rc<Site>)> = Vec::new();
    for &(name, router) in peers {
        let site = runtime.block_on(async { Site::open(router(), BROWSERS).await });
        sites.push((name, Rc::new(site)));
    }
    let cookies = sites[0].1.cookies.clone();
    for (name, router) in [
        (FLOOR, axum_alone::bare()),
        (IDLE, axum_alone::with_idle_layer()),
    ] {
        let site = Site {
            router,
            cookies: cookies.clone(),
        };
        sites.push((name, Rc::new(site)));
    }
    let each = |(name, site): &(&str, Rc<Site>)| {
        SCENARIOS.map(|scenario| match scenario.name {
            LOG_IN if *name != FLOOR && *name != IDLE => log_ins(name, scenario, &runtime, site),
            _ => candidate(name, scenario, &runtime, site),
        })
    };
    Ok(sites.iter().flat_map(each).collect())
}

fn candidate(name: &str, scenario: Scenario, runtime: &Rc<Runtime>, site: &Rc<Site>) -> Candidate {
    let (runtime, site) = (Rc::clone(runtime), Rc::clone(site));
    let mut router = site.router.clone();
    let uri = Uri::from_static(scenario.path);
    Candidate::batch(name, scenario.name, move |numbers| {
        runtime.block_on(async {
            for number in numbers {
                let cookie = scenario.with_cookie.then(|| site.cookie(number));
                let response = call(&mut router, &uri, cookie).await;
                assert_eq!(response.status(), StatusCode::OK);
            }
        });
    })
}

/// Each browser logs in with the cookie that its last log-in gave it, which is taken up after the batch.
fn log_ins(name: &str, scenario: Scenario, runtime: &Rc<Runtime>, site: &Rc<Site>) -> Candidate {
    let runtime = Rc::clone(runtime);
    let mut router = site.router.clone();
    let uri = Uri::from_static(scenario.path);
    let cookies = runtime.block_on(visitors(&mut router, LOG_INS));
    let cookies = Rc::new(RefCell::new(cookies));
    let answers = Rc::new(RefCell::new(Vec::<(usize, HeaderValue)>::new()));
    let (known, given) = (Rc::clone(&cookies), Rc::clone(&answers));
    let batch = Candidate::batch(name, scenario.name, move |numbers| {
        let (known, mut given) = (known.borrow(), given.borrow_mut());
        assert!(numbers.len() <= known.len(), "a browser would come twice");
        given.reserve(2 * numbers.len());
        runtime.block_on(async {
            for number in numbers {
                let browser = number % known.len();
                let mut response = call(&mut router, &uri, Some(&known[browser])).await;
                assert_eq!(response.status(), StatusCode::OK);
                let Entry::Occupied(set) = response.headers_mut().entry(header::SET_COOKIE) else {
                    panic!("a log-in sets a cookie");
                };
                let (_, values) = set.remove_entry_mult();
                given.extend(values.map(|value| (browser, value)));
            }
        });
    });
    batch.and_then(move || {
        for (browser, set) in answers.borrow_mut().drain(..) {
            if let Some(cookie) = sent_back(&set) {
                cookies.borrow_mut()[browser] = cookie;
            }
        }
    })
}

pub(crate) fn report(measured: &Measured) {
    println!("\n## A request, beyond axum without a layer");
    report_costs(measured, PEERS);
    let others = PEERS.iter().map(|(name, _)| *name);
    let others = others.filter(|name| !name.contains("Carafe") && *name != LEAST);
    ratios(measured, OURS, others).print("Carafe signed, as a share of what the others add");
    let mut shares = head();
    for row in [OURS_STORED, LEAST] {
        shares.row(row, shares_of(measured, row, TOWER_SESSIONS));
    }
    shares.print("In memory, as a share of what tower-sessions adds");
    report_spread(measured);
}

pub(crate) fn report_apart(measured: &Measured) {
    println!("\n## A request, beside axum_session");
    report_costs(measured, PEERS_APART);
    let others = std::iter::once(AXUM_SESSION);
    ratios(measured, OURS_STORED, others).print("Carafe, memory, as a share of what it adds");
    report_spread(measured);
}

fn report_spread(measured: &Measured) {
    println!(
        "\nUsual spread: ± {:.1} %.",
        measured.usual_spread() * 100.0
    );
}

fn report_costs(measured: &Measured, peers: &[Peer]) {
    let rows = || std::iter::once(IDLE).chain(peers.iter().map(|(name, _)| *name));
    let mut times = head();
    times.row(
        "axum without a layer, in all",
        cells(|scenario| format!("{:.0}", measured.nanoseconds(FLOOR, scenario))),
    );
    let mut allocations = head();
    for row in rows() {
        let added = |scenario: &str| measured.added(row, FLOOR, scenario);
        times.row(
            row,
            cells(|scenario| format!("{:+.0}", added(scenario).nanoseconds)),
        );
        allocations.row(
            row,
            cells(|scenario| {
                let added = added(scenario);
                format!("{:+.0} ({:+.0} B)", added.allocations, added.bytes)
            }),
        );
    }
    times.print("CPU time, ns");
    allocations.print("Allocations");
}

fn ratios(measured: &Measured, ours: &str, others: impl Iterator<Item = &'static str>) -> Table {
    let mut table = head();
    for other in others {
        table.row(other, shares_of(measured, ours, other));
    }
    table
}

/// What one adds as a share of what another adds.
fn shares_of(measured: &Measured, one: &str, other: &str) -> impl Iterator<Item = String> {
    cells(move |scenario| {
        let added = |row| measured.added(row, FLOOR, scenario).nanoseconds;
        format!("{:.2}", added(one) / added(other))
    })
}

fn head() -> Table {
    Table::new(std::iter::once("").chain(SCENARIOS.iter().map(|scenario| scenario.name)))
}

fn cells(cell: impl Fn(&str) -> String) -> impl Iterator<Item = String> {
    SCENARIOS.iter().map(move |scenario| cell(scenario.name))
}
