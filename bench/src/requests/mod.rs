//! Family 2: a request through the middleware, without a network.
//!
//! The service is called directly, on a single-threaded runtime. The cost of a peer is its time
//! minus the time of its framework without a layer, with the same request in the same round; both
//! include building the request and dropping the response.
//!
//! `caller` calls axum or actix-web, `report` prints the tables.

mod caller;
mod report;

use std::{cell::RefCell, rc::Rc};

use axum::Router;
use tokio::runtime::{Builder, Runtime};

pub(crate) use caller::{Caller, Carrier};
use caller::{Opened, sent_back};
use report::Framework;

use crate::{
    harness::{Candidate, Candidates, Measured, Outcome},
    peers::{
        actix_alone, actix_httpauth, actix_session, axum_alone, axum_extra, axum_session, carafe,
        carafe_actix, least, tower_sessions,
    },
    scenario::{LOG_IN, SCENARIOS, STEADY, Scenario},
};

const BROWSERS: u32 = 1_000;
/// A login revokes the id of its request, so a batch needs a browser for each of its operations.
const LOG_INS: u32 = 2_000;
const AXUM: Framework = Framework {
    floor: "axum without a layer",
    idle: "a layer that does nothing",
};
const ACTIX: Framework = Framework {
    floor: "actix-web without a middleware",
    idle: "a middleware that does nothing",
};

/// A name for the tables, where its clients keep the token, and the peer's constructor.
struct Peer<C> {
    name: &'static str,
    carrier: Carrier,
    caller: fn() -> C,
}

impl<C> Peer<C> {
    const fn by_cookie(name: &'static str, caller: fn() -> C) -> Self {
        Self {
            name,
            carrier: Carrier::Cookie,
            caller,
        }
    }

    const fn by_bearer(name: &'static str, caller: fn() -> C) -> Self {
        Self {
            name,
            carrier: Carrier::Bearer,
            caller,
        }
    }
}

/// The peers that share one heap, with or without sessions.
const PEERS: &[Peer<Router>] = &[
    Peer::by_cookie("**Carafe signed, Flask's rules**", carafe::as_flask),
    Peer::by_cookie(OURS, carafe::signed),
    Peer::by_cookie(OURS_ENCRYPTED, carafe::encrypted),
    Peer::by_cookie(OURS_STORED, carafe::in_memory),
    Peer::by_cookie(LEAST, least::in_memory),
    Peer::by_cookie(TOWER_SESSIONS, tower_sessions::in_memory),
    Peer::by_cookie(SIGNED_JAR, axum_extra::signed),
    Peer::by_cookie("axum-extra, signed jar, struct", axum_extra::signed_struct),
    Peer::by_cookie("axum-extra, private jar", axum_extra::private),
    Peer::by_cookie(
        "axum-extra, private jar, struct",
        axum_extra::private_struct,
    ),
];
/// Separate from the other peers: each request without a session creates one on the heap.
const PEERS_APART: &[Peer<Router>] = &[
    Peer::by_cookie(OURS_STORED, carafe::in_memory),
    Peer::by_cookie(AXUM_SESSION, axum_session::in_memory),
];
const PEERS_ON_ACTIX: &[Peer<actix_alone::Site>] = &[
    Peer::by_cookie(OURS, carafe_actix::signed),
    Peer::by_cookie(OURS_ENCRYPTED, carafe_actix::encrypted),
    Peer::by_cookie(OURS_STORED, carafe_actix::in_memory),
    Peer::by_cookie(ACTIX_SIGNED, actix_session::signed),
    Peer::by_cookie(ACTIX_PRIVATE, actix_session::private),
];
/// The same store, its ids in a cookie and in `Authorization: Bearer`.
const PEERS_BY_BEARER: &[Peer<Router>] = &[
    Peer::by_cookie(OURS_STORED, carafe::in_memory),
    Peer::by_bearer(OURS_BEARER, carafe::in_memory_by_bearer),
];
const PEERS_BY_BEARER_ON_ACTIX: &[Peer<actix_alone::Site>] = &[
    Peer::by_cookie(OURS_STORED, carafe_actix::in_memory),
    Peer::by_bearer(OURS_BEARER, carafe_actix::in_memory_by_bearer),
    Peer::by_bearer(HTTPAUTH, actix_httpauth::in_a_map),
];
const OURS: &str = "**Carafe signed**";
const OURS_ENCRYPTED: &str = "**Carafe encrypted**";
const OURS_STORED: &str = "**Carafe, memory**";
const OURS_BEARER: &str = "**Carafe, memory, bearer**";
const HTTPAUTH: &str = "actix-web-httpauth, a map";
/// No library.
const LEAST: &str = "the least, memory";
const TOWER_SESSIONS: &str = "tower-sessions, memory";
const AXUM_SESSION: &str = "axum_session, memory";
const SIGNED_JAR: &str = "axum-extra, signed jar";
const ACTIX_SIGNED: &str = "actix-session, signed cookie";
const ACTIX_PRIVATE: &str = "actix-session, private cookie";

const BEARER_SHARES: &str = "As a share of what Carafe adds with a cookie";

pub(crate) fn candidates(_alone: bool) -> Outcome<Candidates> {
    candidates_of(&AXUM, PEERS, on_axum())
}

pub(crate) fn candidates_apart(_alone: bool) -> Outcome<Candidates> {
    candidates_of(&AXUM, PEERS_APART, on_axum())
}

pub(crate) fn candidates_on_actix(_alone: bool) -> Outcome<Candidates> {
    candidates_of(&ACTIX, PEERS_ON_ACTIX, on_actix())
}

pub(crate) fn candidates_by_bearer(_alone: bool) -> Outcome<Candidates> {
    candidates_of(&AXUM, PEERS_BY_BEARER, on_axum())
}

pub(crate) fn candidates_by_bearer_on_actix(_alone: bool) -> Outcome<Candidates> {
    candidates_of(&ACTIX, PEERS_BY_BEARER_ON_ACTIX, on_actix())
}

fn on_axum() -> [fn() -> Router; 2] {
    [axum_alone::bare, axum_alone::with_idle_layer]
}

fn on_actix() -> [fn() -> actix_alone::Site; 2] {
    [actix_alone::bare, actix_alone::with_idle_middleware]
}

/// Returns the candidates. `bare` are the framework without a layer and with an idle one.
fn candidates_of<C: Caller>(
    framework: &Framework,
    peers: &[Peer<C>],
    bare: [fn() -> C; 2],
) -> Outcome<Candidates> {
    let runtime = Rc::new(Builder::new_current_thread().enable_time().build()?);
    let mut candidates = Candidates::new();
    let mut cookies = Vec::new();
    for peer in peers {
        let (name, caller, carrier) = (peer.name, peer.caller, peer.carrier);
        let site = runtime.block_on(async { Opened::open(caller(), carrier, BROWSERS).await });
        let site = Rc::new(site);
        if cookies.is_empty() {
            cookies.extend(site.sessions.iter().map(C::text).map(C::value));
        }
        candidates.extend(STEADY.map(|scenario| candidate(name, scenario, &runtime, &site)));
        // With a store of its own, because each log-in leaves an entry in the store.
        candidates.extend([log_ins(name, LOG_IN, &runtime, carrier, caller)]);
    }
    for (name, caller) in [framework.floor, framework.idle].into_iter().zip(bare) {
        let site = Rc::new(Opened {
            caller: runtime.block_on(async { caller() }),
            carrier: Carrier::Cookie,
            sessions: cookies.iter().map(C::text).map(C::value).collect(),
        });
        candidates.extend(SCENARIOS.map(|scenario| candidate(name, scenario, &runtime, &site)));
    }
    Ok(candidates)
}

fn candidate<C: Caller>(
    name: &str,
    scenario: Scenario,
    runtime: &Rc<Runtime>,
    site: &Rc<Opened<C>>,
) -> Candidate {
    let (runtime, site) = (Rc::clone(runtime), Rc::clone(site));
    let mut caller = site.caller.clone();
    let path = C::path(scenario.path);
    Candidate::batch(name, scenario.name, move |numbers| {
        runtime.block_on(async {
            for number in numbers {
                let session = scenario.with_cookie.then(|| site.session(number));
                let answer = caller.call(&path, session).await;
                assert!(C::is_ok(&answer));
            }
        });
    })
}

/// Measures logins, each with the token that the browser's last login returned.
///
/// New tokens are stored after the batch.
fn log_ins<C: Caller>(
    name: &str,
    scenario: Scenario,
    runtime: &Rc<Runtime>,
    carrier: Carrier,
    caller: fn() -> C,
) -> Candidate {
    let runtime = Rc::clone(runtime);
    let site = runtime.block_on(async { Opened::open(caller(), carrier, LOG_INS).await });
    let mut caller = site.caller;
    let path = C::path(scenario.path);
    let sessions = Rc::new(RefCell::new(site.sessions));
    let answers = Rc::new(RefCell::new(Vec::<(usize, C::Value)>::new()));
    let (known, given) = (Rc::clone(&sessions), Rc::clone(&answers));
    let batch = Candidate::batch(name, scenario.name, move |numbers| {
        let (known, mut given) = (known.borrow(), given.borrow_mut());
        assert!(numbers.len() <= known.len(), "a browser would come twice");
        given.reserve(2 * numbers.len());
        runtime.block_on(async {
            for number in numbers {
                let browser = number % known.len();
                let answer = caller.call(&path, Some((carrier, &known[browser]))).await;
                assert!(C::is_ok(&answer));
                let before = given.len();
                C::new_tokens(answer, carrier, |value| given.push((browser, value)));
                assert!(given.len() > before, "a log-in gives a token");
            }
        });
    });
    batch.and_then(move || {
        for (browser, new) in answers.borrow_mut().drain(..) {
            if let Some(session) = sent_back::<C>(carrier, &new) {
                sessions.borrow_mut()[browser] = session;
            }
        }
    })
}

pub(crate) fn report(measured: &Measured) {
    println!("\n## A request, beyond axum without a layer");
    AXUM.costs(measured, &names(PEERS));
    let others = names(PEERS).into_iter();
    let others = others.filter(|name| !name.contains("Carafe") && *name != LEAST);
    AXUM.shares(
        measured,
        "Carafe signed, as a share of what the others add",
        others.map(|other| (other, OURS, other)),
    );
    AXUM.shares(
        measured,
        "In memory, as a share of what tower-sessions adds",
        [OURS_STORED, LEAST].map(|row| (row, row, TOWER_SESSIONS)),
    );
    report::spread(measured);
}

pub(crate) fn report_apart(measured: &Measured) {
    println!("\n## A request, beside axum_session");
    AXUM.costs(measured, &names(PEERS_APART));
    AXUM.shares(
        measured,
        "Carafe, memory, as a share of what it adds",
        [(AXUM_SESSION, OURS_STORED, AXUM_SESSION)],
    );
    report::spread(measured);
}

pub(crate) fn report_on_actix(measured: &Measured) {
    println!("\n## A request, beside actix-session");
    ACTIX.costs(measured, &names(PEERS_ON_ACTIX));
    ACTIX.shares(
        measured,
        "Carafe, as a share of what actix-session adds",
        [
            ("signed", OURS, ACTIX_SIGNED),
            ("encrypted", OURS_ENCRYPTED, ACTIX_PRIVATE),
        ],
    );
    report::spread(measured);
}

pub(crate) fn report_by_bearer(measured: &Measured) {
    println!("\n## A request with a bearer token, on axum");
    AXUM.costs(measured, &names(PEERS_BY_BEARER));
    AXUM.shares(
        measured,
        BEARER_SHARES,
        [(OURS_BEARER, OURS_BEARER, OURS_STORED)],
    );
    report::spread(measured);
}

pub(crate) fn report_by_bearer_on_actix(measured: &Measured) {
    println!("\n## A request with a bearer token, on actix-web");
    ACTIX.costs(measured, &names(PEERS_BY_BEARER_ON_ACTIX));
    ACTIX.shares(
        measured,
        BEARER_SHARES,
        [OURS_BEARER, HTTPAUTH].map(|row| (row, row, OURS_STORED)),
    );
    report::spread(measured);
}

fn names<C>(peers: &[Peer<C>]) -> Vec<&'static str> {
    peers.iter().map(|peer| peer.name).collect()
}
