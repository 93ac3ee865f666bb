//! One browser with overlapping requests and a session in a store: late responses of several tabs
//! beside timed renewals, `renew`, log-ins and log-outs. `carafe_core::session::conformance` checks
//! the same promises with a model of a browser.

use std::{
    collections::BTreeSet,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant, SystemTime},
};

use axum::{
    Router,
    extract::{FromRequestParts, Query, Request, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderName, header, request::Parts},
    middleware::{Next, from_fn_with_state},
    response::{Html, Response},
    routing::get,
};
use carafe::{
    MemoryStore, ServerSide, Session, SessionConfig, SessionError, SessionLayer, Timeouts,
};
use carafe_test_browser::{Chromium, PATIENCE, Visitor};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;

const TIMEOUTS: Timeouts = Timeouts {
    idle: None,
    absolute: None,
    renewal: Some(Duration::from_secs(3)),
    grace: Duration::from_secs(2),
};

/// `start` runs loops of requests. `stop` waits for their last responses and returns a report.
const PAGE: &str = "<!DOCTYPE html><link rel=icon href='data:,'><script>
    let running, loops, seen, sequence = 0, late = [];
    const ask = async path => {
        const response = await fetch(path, {cache: 'no-store'});
        return [response.status, await response.text()];
    };
    const below = limit => Math.floor(Math.random() * limit);
    const run = async key => {
        while (running) {
            const act = ['read', 'write', 'untouched', 'flash'][below(4)];
            const delay = below(400), before = below(delay), value = ++sequence;
            const query = new URLSearchParams({key, value, before, after: delay - before});
            const [status, text] = await ask(`/${act}?${query}`);
            if (status === 409 && ['write', 'flash'].includes(act)) seen.conflicts++;
            else if (status !== 200) seen.errors.push(`${act}: ${status} ${text}`);
            else if (act === 'write') seen.saved[key] = value;
            else if (act === 'read' && !seen.users.includes(text)) seen.users.push(text);
        }
    };
    const start = (tab, count) => {
        running = true;
        seen = {conflicts: 0, errors: [], saved: {}, users: []};
        loops = Array.from({length: count}, (_, number) => run(`loop-${tab}-${number}`));
    };
    const stop = async () => {
        running = false;
        await Promise.all(loops);
        return seen;
    };
</script>";

/// The instructions of a request to its handler.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Plan {
    key: String,
    value: u64,
    user: String,
    /// Milliseconds before the session is opened.
    before: u64,
    /// Milliseconds after it was opened and changed.
    after: u64,
    /// `before` or `after`: wait there until the test releases the request.
    hold: String,
}

/// The state of the test server.
struct Watch {
    permanent: bool,
    held: AtomicUsize,
    gate: Semaphore,
    log: Mutex<Log>,
}

#[derive(Default)]
struct Log {
    requests: usize,
    renewals: usize,
    /// Every ID in a response.
    ids: BTreeSet<String>,
    /// Requests that did not log out, with a response that removed the cookie.
    removed_by: Vec<String>,
}

impl Watch {
    async fn wait(&self, milliseconds: u64, is_held: bool) {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        if is_held {
            self.held.fetch_add(1, Ordering::SeqCst);
            self.gate.acquire().await.unwrap().forget();
        }
    }

    async fn wait_after(&self, plan: &Plan) {
        self.wait(plan.after, plan.hold == "after").await;
    }

    /// Waits until `count` requests have been held in total.
    fn await_held(&self, count: usize) {
        let until = Instant::now() + PATIENCE;
        while self.held.load(Ordering::SeqCst) < count {
            assert!(Instant::now() < until, "the requests do not arrive");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Delays the request before the inner extractors open the session.
impl FromRequestParts<Arc<Watch>> for Plan {
    type Rejection = QueryRejection;

    async fn from_request_parts(
        parts: &mut Parts,
        watch: &Arc<Watch>,
    ) -> Result<Self, QueryRejection> {
        let Query(plan): Query<Self> = Query::from_request_parts(parts, watch).await?;
        watch.wait(plan.before, plan.hold == "before").await;
        Ok(plan)
    }
}

type Watched = State<Arc<Watch>>;
type Answer = Result<String, SessionError>;

async fn page() -> Html<&'static str> {
    Html(PAGE)
}

async fn untouched(State(watch): Watched, plan: Plan) {
    watch.wait_after(&plan).await;
}

async fn read(State(watch): Watched, plan: Plan, session: Session) -> Answer {
    let user = session.user().unwrap_or_default();
    watch.wait_after(&plan).await;
    Ok(user)
}

async fn write(State(watch): Watched, plan: Plan, session: Session) -> Answer {
    session.insert(&plan.key, &plan.value)?;
    if watch.permanent && !session.is_permanent() {
        session.set_permanent(true)?;
    }
    watch.wait_after(&plan).await;
    Ok(String::new())
}

async fn flash(State(watch): Watched, plan: Plan, session: Session) -> Answer {
    if session.take_flashes()?.is_empty() {
        session.flash("note", &plan.key)?;
        // Taking the only value of a session removes its cookie.
        session.insert("noted", &true)?;
    }
    watch.wait_after(&plan).await;
    Ok(String::new())
}

async fn clear(State(watch): Watched, plan: Plan, session: Session) -> Answer {
    session.clear()?;
    watch.wait_after(&plan).await;
    Ok(String::new())
}

/// Sets a cookie with an unknown ID, such as a cookie of another application on the host.
async fn forget() -> ([(HeaderName, String); 1], &'static str) {
    let line = format!("session={}; Path=/; HttpOnly", "A".repeat(43));
    ([(header::SET_COOKIE, line)], "")
}

async fn renew(session: Session) -> Answer {
    session.renew()?;
    Ok(String::new())
}

async fn log_in(
    State(watch): Watched,
    plan: Plan,
    session: Session,
) -> Result<Html<&'static str>, SessionError> {
    session.log_in(&plan.user)?;
    session.insert("login", &plan.value)?;
    if watch.permanent {
        session.set_permanent(true)?;
    }
    Ok(Html(PAGE))
}

async fn log_out(session: Session) -> Result<Html<&'static str>, SessionError> {
    session.log_out()?;
    Ok(Html(PAGE))
}

async fn who(session: Session) -> Answer {
    let mut saved = Map::new();
    for key in session.keys() {
        if key.starts_with("loop-") {
            let value = session.get::<u64>(&key)?;
            saved.insert(key, json!(value));
        }
    }
    let login = session.get::<u64>("login")?;
    Ok(json!({"user": session.user(), "login": login, "saved": saved}).to_string())
}

/// Notes what the responses do to the cookie.
async fn note(State(watch): Watched, request: Request, next: Next) -> Response {
    let has_cookie = request.headers().contains_key(header::COOKIE);
    let path = request.uri().path().to_owned();
    let response = next.run(request).await;
    let mut log = watch.log.lock().unwrap();
    log.requests += usize::from(path != "/who");
    match set_id(response.headers()) {
        Some("") if path != "/log-out" => log.removed_by.push(path),
        None | Some("") => {}
        Some(id) => {
            let is_new = log.ids.insert(id.to_owned());
            let is_asked_for = matches!(path.as_str(), "/log-in" | "/renew");
            log.renewals += usize::from(is_new && has_cookie && !is_asked_for);
        }
    }
    drop(log);
    response
}

/// Returns the session's ID in a `Set-Cookie`. Empty if the cookie is removed.
fn set_id(headers: &HeaderMap) -> Option<&str> {
    let line = headers.get(header::SET_COOKIE)?.to_str().unwrap();
    line.strip_prefix("session=")?.split(';').next()
}

/// A server, and a browser in front of it with the session's first cookie.
struct Site {
    watch: Arc<Watch>,
    address: SocketAddr,
    visitor: Visitor,
    // Stops the browser when dropped.
    _chromium: Chromium,
}

impl Site {
    fn new(config: SessionConfig, permanent: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let watch = Arc::new(Watch {
            permanent,
            held: AtomicUsize::new(0),
            gate: Semaphore::new(0),
            log: Mutex::default(),
        });
        let side = ServerSide::new(MemoryStore::new()).with_timeouts(TIMEOUTS);
        let app = Router::new()
            .route("/", get(page))
            .route("/untouched", get(untouched))
            .route("/read", get(read))
            .route("/write", get(write))
            .route("/flash", get(flash))
            .route("/clear", get(clear))
            .route("/forget", get(forget))
            .route("/renew", get(renew))
            .route("/log-in", get(log_in))
            .route("/log-out", get(log_out))
            .route("/who", get(who))
            .layer(SessionLayer::with_config(side, config).unwrap())
            .layer(from_fn_with_state(Arc::clone(&watch), note))
            .with_state(Arc::clone(&watch));
        // A single thread, so that responses leave in the order of their commits. Responses that
        // overtake each other on the network are a documented limitation (docs/lifecycle.md).
        thread::spawn(move || {
            let mut builder = tokio::runtime::Builder::new_current_thread();
            let runtime = builder.enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                axum::serve(listener, app).await.unwrap();
            });
        });
        let chromium = Chromium::start();
        let visitor = chromium.visitor();
        visitor.open(&format!("http://{address}/"));
        let site = Self {
            watch,
            address,
            visitor,
            _chromium: chromium,
        };
        site.ask("/write?key=first");
        site
    }

    fn both() -> [Self; 2] {
        [
            Self::new(SessionConfig::development(), false),
            Self::new(SessionConfig::flask(), true),
        ]
    }

    /// Fetches a path and waits for the response.
    fn ask(&self, path: &str) -> String {
        fetch(&self.visitor, path)
    }

    /// Starts fetches that the server holds before or after it opens the session.
    fn start_late(&self, paths: &[String]) {
        let held = self.watch.held.load(Ordering::SeqCst);
        for path in paths {
            let fetch = format!("void late.push(ask({path:?}))");
            self.visitor.ask(&fetch);
        }
        self.watch.await_held(held + paths.len());
    }

    /// Releases `count` of the held requests. Returns the statuses of all responses so far.
    fn release(&self, count: usize) -> Value {
        self.watch.gate.add_permits(count);
        let statuses = format!(
            "Promise.all(late.splice(0, {count})).then(all => all.map(([status]) => status))"
        );
        self.visitor.resolve(&statuses)
    }

    fn id(&self) -> Option<String> {
        Some(self.visitor.cookie("session")?.value)
    }

    fn who(&self) -> Value {
        serde_json::from_str(&self.ask("/who")).unwrap()
    }

    /// Returns the log-in of the session with this ID, without a browser.
    fn login_of(&self, id: &str) -> Value {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let head = "GET /who HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: session=";
        stream
            .write_all(format!("{head}{id}\r\n\r\n").as_bytes())
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str::<Value>(body).unwrap()["login"].take()
    }
}

/// Fetches a path from a page and returns the body. The status must be 200.
fn fetch(tab: &Visitor, path: &str) -> String {
    let answer = tab.resolve(&format!("ask({path:?})"));
    assert_eq!(answer[0], 200, "{path}: {}", answer[1]);
    answer[1].as_str().unwrap().to_owned()
}

#[test]
#[ignore = "needs Chromium; run by `cargo xtask test`"]
fn late_responses_keep_the_cookie_of_a_log_in_a_renewal_and_a_log_out() {
    for site in Site::both() {
        for (act, user) in [
            ("/log-in?user=ada", json!("ada")),
            ("/renew", json!("ada")),
            ("/log-in?user=bob", json!("bob")),
            ("/log-out", Value::Null),
        ] {
            for hold in ["before", "after"] {
                let case = format!("{act}, held {hold} the session is opened");
                if act == "/log-out" {
                    site.ask("/log-in?user=bob");
                }
                let old = site.id();
                let late = ["read", "untouched", "write", "flash", "clear"];
                site.start_late(&late.map(|late| format!("/{late}?key=late&hold={hold}")));
                site.ask(act);
                let new = site.id();
                assert_ne!(new, old, "{case}");
                assert_eq!(
                    site.release(late.len()),
                    json!([200, 200, 409, 409, 409]),
                    "{case}"
                );
                assert_eq!(site.id(), new, "{case}");
                assert_eq!(site.who()["user"], user, "{case}");
            }
        }
    }
}

#[test]
#[ignore = "needs Chromium; run by `cargo xtask test`"]
fn late_responses_to_an_unknown_cookie_keep_the_cookie_of_a_log_in() {
    for site in Site::both() {
        for hold in ["before", "after"] {
            site.ask("/forget");
            site.start_late(&["read", "untouched"].map(|late| format!("/{late}?hold={hold}")));
            site.ask("/log-in?user=ada");
            let new = site.id();
            assert_eq!(site.release(2), json!([200, 200]), "held {hold}");
            assert_eq!(site.id(), new, "held {hold}");
            assert_eq!(site.who()["user"], "ada", "held {hold}");
        }
    }
}

#[test]
#[ignore = "needs Chromium; run by `cargo xtask test`"]
fn slow_writes_across_a_timed_renewal_are_saved_and_do_not_send_the_old_id() {
    for site in Site::both() {
        site.ask("/log-in?user=ada");
        let old = site.id();
        let slow = [1, 2].map(|n| format!("/write?key=loop-{n}&value={n}&hold=after"));
        site.start_late(&slow[..1]);
        site.start_late(&slow[1..]);
        thread::sleep(Duration::from_secs(4));
        site.ask("/read");
        let new = site.id();
        assert_ne!(new, old, "the renewal is due");
        assert_eq!(
            site.release(1),
            json!([200]),
            "the new id was not presented"
        );
        assert_eq!(site.id(), new);
        site.ask("/read");
        assert_eq!(site.release(1), json!([200]), "the new id was presented");
        assert_eq!(site.id(), new);
        thread::sleep(TIMEOUTS.grace + Duration::from_secs(1));
        let who = site.who();
        assert_eq!(who["user"], "ada");
        assert_eq!(who["saved"], json!({"loop-1": 1, "loop-2": 2}));
    }
}

/// An action while the loops of both tabs run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Nothing,
    Renew,
    /// By a fetch, or by a navigation, which cancels the requests of the page that it leaves.
    LogIn {
        navigates: bool,
    },
    LogOut {
        navigates: bool,
    },
}

const ROUND: [Act; 10] = [
    Act::LogIn { navigates: false },
    Act::Nothing,
    Act::Nothing,
    Act::LogIn { navigates: true },
    Act::Nothing,
    Act::Nothing,
    Act::Renew,
    Act::LogOut { navigates: false },
    Act::LogIn { navigates: false },
    Act::LogOut { navigates: true },
];

/// A browser with two tabs, and the log-in that it should have.
struct Overlap {
    site: Site,
    other: Visitor,
    logins: u64,
    logouts: u64,
    user: Option<&'static str>,
}

impl Overlap {
    fn new(site: Site) -> Self {
        let other = site.visitor.another_tab();
        other.open(&format!("http://{}/", site.address));
        Self {
            site,
            other,
            logins: 0,
            logouts: 0,
            user: None,
        }
    }

    fn go(&self, path: &str, navigates: bool) {
        if navigates {
            let tab = &self.site.visitor;
            tab.open(&format!("http://{}{path}", self.site.address));
            tab.ask("start('one', 6)");
        } else {
            fetch(&self.other, path);
        }
    }

    fn perform(&mut self, act: Act) {
        match act {
            Act::Nothing => {}
            Act::Renew => self.go("/renew", false),
            Act::LogIn { navigates } => {
                self.logins += 1;
                let user = ["ada", "bob"][usize::from(self.logins.is_multiple_of(2))];
                self.user = Some(user);
                let path = format!("/log-in?user={user}&value={}", self.logins);
                self.go(&path, navigates);
            }
            Act::LogOut { navigates } => {
                self.logouts += 1;
                self.user = None;
                self.go("/log-out", navigates);
            }
        }
    }

    /// Runs the loops during `act`, waits for the last response, and checks the session.
    fn step(&mut self, act: Act) {
        // Concurrent first visits create several sessions. Their cookies would replace that of a
        // log-in.
        self.site.ask("/write?key=first");
        let before = self.user.unwrap_or_default();
        self.site.visitor.ask("start('one', 6)");
        self.other.ask("start('two', 1)");
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap();
        thread::sleep(Duration::from_millis(
            300 + u64::from(now.subsec_micros()) % 600,
        ));
        self.perform(act);
        thread::sleep(Duration::from_millis(300));
        let seen = [&self.site.visitor, &self.other].map(|tab| tab.resolve("stop()"));

        let who = self.site.who();
        let case = format!("{act:?} after log-in {}: {who} {seen:?}", self.logins);
        assert_eq!(who["user"], json!(self.user), "{case}");
        let login = self.user.map(|_| self.logins);
        assert_eq!(who["login"], json!(login), "{case}");
        for seen in &seen {
            assert_eq!(seen["errors"], json!([]), "{case}");
            if act == Act::Nothing {
                assert_eq!(seen["conflicts"], 0, "{case}");
                let users = seen["users"].as_array().unwrap();
                assert!(users.iter().all(|user| user == before), "{case}");
            }
            if matches!(act, Act::Nothing | Act::Renew) {
                for (key, value) in seen["saved"].as_object().unwrap() {
                    assert_eq!(&who["saved"][key], value, "a saved value is lost: {case}");
                }
            }
        }
        if matches!(act, Act::LogOut { .. }) {
            let ids = self.site.watch.log.lock().unwrap().ids.clone();
            for id in &ids {
                let login = self.site.login_of(id);
                assert_ne!(
                    login,
                    self.logins,
                    "a cookie undoes the log-out; it is one of {}",
                    ids.len()
                );
            }
        }
        let log = self.site.watch.log.lock().unwrap();
        assert_eq!(log.removed_by, [""; 0], "{case}");
    }

    /// Runs one round, or rounds for a minute in long runs.
    fn run(mut self) {
        let long = std::env::var_os("CARAFE_LONG").is_some_and(|long| long == "1");
        let until = Instant::now() + Duration::from_secs(if long { 60 } else { 0 });
        loop {
            for act in ROUND {
                self.step(act);
            }
            if Instant::now() >= until {
                break;
            }
        }
        let log = self.site.watch.log.lock().unwrap();
        println!(
            "{} requests, {} timed renewals, {} log-ins, {} log-outs",
            log.requests, log.renewals, self.logins, self.logouts
        );
        assert!(log.renewals > 0, "nothing was renewed by time");
    }
}

#[test]
#[ignore = "needs Chromium; run by `cargo xtask test`, with CARAFE_LONG=1 for a minute"]
fn overlapping_requests_of_two_tabs_keep_the_log_in() {
    Overlap::new(Site::new(SessionConfig::development(), false)).run();
}

#[test]
#[ignore = "needs Chromium; run by `cargo xtask test`, with CARAFE_LONG=1 for a minute"]
fn overlapping_requests_of_two_tabs_keep_a_permanent_log_in_under_flask_rules() {
    Overlap::new(Site::new(SessionConfig::flask(), true)).run();
}
