//! Family 5: live sessions in one Redis, used by Flask-Session in Python and by Carafe.
//!
//! Carafe uses both Flask-Session's layout and its own.
//!
//! A request consists of the session work of a framework: open the session, let a view use it, save
//! it. Requests run one at a time, without HTTP. All candidates follow Flask's rules.

use std::{rc::Rc, sync::Arc};

use ::carafe::{
    ServerSide, Session, SessionConfig, SessionError, SessionManager, Timestamp,
    flask::stored::FlaskSession as Layout,
};
use tokio::runtime::{Builder, Runtime};

use crate::{
    content::{COUNT, Login, USER},
    harness::{Candidate, Candidates, Outcome, Table, measure},
    peers::{carafe, flask_session::FlaskSession},
    redis_server::RedisServer,
};

const BROWSERS: u32 = 200;
const OURS: &str = "**Carafe, its own layout**";
const SHARED: &str = "**Carafe, Flask-Session's layout**";
const THEIRS: &str = "Flask-Session";
const WAYS: [(&str, Use); 2] = [("read", read), ("write", write)];

/// The use of a session by a view.
type Use = fn(&Session) -> Result<(), SessionError>;

struct Site {
    manager: Arc<SessionManager>,
    /// The `session=…` cookie of each browser.
    cookies: Vec<String>,
}

pub(crate) fn run(rounds: usize) -> Outcome {
    println!("\n## Sessions in Redis, shared with Flask-Session");
    let server = RedisServer::start()?;
    let runtime = Rc::new(Builder::new_current_thread().enable_all().build()?);
    let store = || runtime.block_on(carafe::redis(&server.url()));
    let shared = ServerSide::new(store()?.flask_session(Layout::default()));
    let shared = Rc::new(runtime.block_on(Site::open(shared))?);
    let own = Rc::new(runtime.block_on(Site::open(ServerSide::new(store()?)))?);
    let flask = FlaskSession::start(&server.url())?;

    let ids: Vec<_> = shared.cookies.iter().map(|pair| &pair[8..]).collect();
    let mut candidates = Candidates::new();
    for (verb, does) in WAYS {
        candidates.push(flask.candidate(THEIRS, verb, &ids));
        candidates.push(candidate(SHARED, verb, does, &runtime, &shared));
        candidates.push(candidate(OURS, verb, does, &runtime, &own));
    }
    // Python's first request after a pause is slower, so batches must be longer than a millisecond.
    let in_batches = |candidate: Candidate| candidate.in_batches_of(BROWSERS as usize);
    let measured = measure(candidates.into_iter().map(in_batches).collect(), rounds)?;
    let mut table = Table::new(["", "read", "read and write"]);
    for row in [THEIRS, SHARED, OURS] {
        let cell = |(verb, _)| format!("{:.1}", measured.nanoseconds(row, verb) / 1_000.0);
        table.row(row, WAYS.map(cell));
    }
    for row in [SHARED, OURS] {
        let cell = |(verb, _)| {
            let times = measured.nanoseconds(THEIRS, verb) / measured.nanoseconds(row, verb);
            format!("{times:.1} ×")
        };
        table.row(
            &format!("{THEIRS} / {}", row.trim_matches('*')),
            WAYS.map(cell),
        );
    }
    table.print("CPU time for the session of one request, µs");
    println!(
        "\nUsual spread: ± {:.1} %.",
        measured.usual_spread() * 100.0
    );
    Ok(())
}

fn candidate(
    row: &str,
    verb: &str,
    does: Use,
    runtime: &Rc<Runtime>,
    site: &Rc<Site>,
) -> Candidate {
    let (runtime, site) = (Rc::clone(runtime), Rc::clone(site));
    Candidate::batch(row, verb, move |numbers| {
        runtime.block_on(async {
            for number in numbers {
                let cookie = &site.cookies[number % site.cookies.len()];
                let set = site.visit(Some(cookie), does).await;
                set.expect("the server is there");
            }
        });
    })
}

impl Site {
    /// Opens a site with a permanent session for each browser.
    async fn open(side: ServerSide) -> Outcome<Self> {
        let manager = Arc::new(SessionManager::new(side, SessionConfig::flask())?);
        let mut site = Self {
            manager,
            cookies: Vec::new(),
        };
        for browser in 0..BROWSERS {
            let Login { csrf, n, name, uid } = Login::of((browser, 40));
            let set = site.visit(None, |session| {
                session.set_permanent(true)?;
                session.insert("csrf", &csrf)?;
                session.insert("n", &n)?;
                session.insert("name", &name)?;
                session.insert("uid", &uid)
            });
            let set = set.await?.ok_or("a new session sets a cookie")?;
            let pair = set.split(';').next().unwrap_or_default();
            site.cookies.push(pair.to_owned());
        }
        Ok(site)
    }

    /// Runs a request and returns the `Set-Cookie` of its response.
    async fn visit(
        &self,
        cookie: Option<&String>,
        view: impl FnOnce(&Session) -> Result<(), SessionError>,
    ) -> Outcome<Option<String>> {
        let (slot, lines) = (self.manager.begin(), cookie.map(String::as_bytes));
        let session = self.manager.open(&slot, lines, Timestamp::now()).await?;
        view(&session)?;
        let effects = self.manager.end(&slot, lines, 200, Timestamp::now).await?;
        Ok(effects.set_cookie)
    }
}

fn read(session: &Session) -> Result<(), SessionError> {
    assert!(matches!(session.get::<u64>("uid")?, Some(USER..)));
    Ok(())
}

fn write(session: &Session) -> Result<(), SessionError> {
    read(session)?;
    let n: u64 = session.get("n")?.unwrap_or(COUNT);
    session.insert("n", &(n + 1))
}
