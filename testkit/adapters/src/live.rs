//! Commits by a running handler.
//!
//! The handler streams a body, or makes a decision that only one request may make.

use std::sync::{Arc, Mutex};

use carafe_core::{
    session::{ServerSide, Session, SessionConfig, SessionError},
    store::{
        BoxFuture, ErasedStore, MemoryStore, Selection, StoreError,
        conformance::{Spy, Verb},
    },
};

use crate::{
    Adapter, Handler, Site,
    gate::{Gate, wait_until},
    site::At,
    stored::{pair, stores},
    text,
    tokens::safe,
};

fn site(store: Arc<dyn ErasedStore>) -> Site {
    let site = Site::of(ServerSide::shared(store), SessionConfig::development());
    let manager = site.manager.clone().unwrap();
    site.takes("/begin", |session| {
        session.log_in("bob")?;
        session.insert("voucher", "V-1")
    })
    .takes("/step", |session| {
        Ok(text(format!("{:?}", session.get::<u64>("step")?)))
    })
    .takes("/login", |session| session.log_in("bob"))
    .takes("/renew", Session::renew)
    .takes("/logout", Session::log_out)
    .waits("/log_out_now", |session| async move {
        session.log_out_now().await
    })
    .waits("/revoke", move |_| {
        let manager = manager.clone();
        async move {
            let ended = manager.end_sessions_of("bob", Selection::All).await;
            ended.map(drop).map_err(SessionError::Store)
        }
    })
}

/// The errors in a streamed body.
type Met = Arc<Mutex<Vec<SessionError>>>;

/// Returns a handler whose body waits at the gate, then writes and commits its step, until this
/// fails.
fn steps(gate: &Gate, met: &Met) -> Handler {
    let (gate, met) = (gate.clone(), met.clone());
    let begin = |session: &Session| session.insert("begun", &1).unwrap();
    Handler::streams(begin, move |session, number| {
        let (gate, met) = (gate.clone(), met.clone());
        async move {
            gate.pass().await;
            let step = async {
                session.insert("step", &number)?;
                session.commit().await
            };
            match step.await {
                Ok(()) => Some(format!("step {number}")),
                Err(error) => {
                    met.lock().unwrap().push(error);
                    None
                }
            }
        }
    })
}

pub fn a_streamed_body_saves_each_step_until_its_session_ends<A: Adapter>() {
    for store in stores() {
        let (gate, met) = (Gate::default(), Met::default());
        let server = A::serve(site(store).with("/stream", steps(&gate, &met)));
        for end in ["/login", "/renew", "/logout", "/log_out_now", "/revoke"] {
            for is_new in [false, true] {
                if is_new && end == "/revoke" {
                    continue; // A new session has no user, so it cannot be revoked by user.
                }
                let jar = match is_new {
                    false => pair(&server, "/begin", ""),
                    true => String::new(),
                };
                let mut stream = server.follow("/stream", &jar);
                let jar = match stream.head.pair() {
                    Some(new) if is_new => new.to_owned(),
                    sent => {
                        assert_eq!(sent, None);
                        jar
                    }
                };
                for number in 0..3 {
                    gate.wait_for(1);
                    gate.open();
                    let step = format!("step {number}");
                    assert_eq!(stream.chunk(), Some(step), "{end}");
                    let seen = server.get("/step", &jar).body;
                    assert_eq!(seen, format!("Some({number})"), "{end}");
                }
                gate.wait_for(1);
                let operators = if end == "/revoke" { "" } else { &jar };
                let next = server.get(end, operators);
                assert_eq!(next.status, 200, "{end}");
                gate.open();
                assert_eq!(stream.chunk(), None, "{end}");
                let errors = std::mem::take(&mut *met.lock().unwrap());
                assert!(
                    matches!(errors[..], [SessionError::Gone]),
                    "{end}: {errors:?}"
                );
                if let Some(next) = next.pair() {
                    assert_ne!(server.get("/step", next).body, "Some(3)", "{end}");
                }
            }
        }
    }
}

/// Sends twenty requests and returns their bodies.
///
/// All of them open the session before the first continues.
fn asked_at_once<A: Adapter>(site: Site, gate: &Gate, path: &'static str) -> Vec<String> {
    const REQUESTS: usize = 20;
    let server = A::serve(site);
    let jar = pair(&server, "/begin", "");
    let at: At = *server;
    std::thread::scope(|scope| {
        let jar = &jar;
        let asking: Vec<_> = (0..REQUESTS)
            .map(|_| scope.spawn(move || at.get(path, jar)))
            .collect();
        gate.wait_for(REQUESTS);
        gate.open();
        let answers = asking.into_iter().map(|asking| asking.join().unwrap());
        let bodies = answers.map(|answer| {
            assert_eq!(answer.status, 200);
            answer.body
        });
        bodies.collect()
    })
}

pub fn a_value_is_taken_once_by_twenty_requests<A: Adapter>() {
    for store in stores() {
        let gate = Gate::default();
        let waits = gate.clone();
        let site = site(store).waits("/take", move |session| {
            let gate = waits.clone();
            async move {
                gate.pass().await;
                let taken = session.take_once::<String>("voucher").await?;
                Ok(text(taken.unwrap_or_default()))
            }
        });
        let mut bodies = asked_at_once::<A>(site, &gate, "/take");
        bodies.retain(|body| !body.is_empty());
        assert_eq!(bodies, ["V-1"]);
    }
}

pub fn twenty_updates_are_told_twenty_values<A: Adapter>() {
    for store in stores() {
        let gate = Gate::default();
        let waits = gate.clone();
        let site = site(store).waits("/count", move |session| {
            let gate = waits.clone();
            async move {
                gate.pass().await;
                let count = |n: Option<u64>| n.unwrap_or(0) + 1;
                Ok(text(session.update_now("n", count).await?.to_string()))
            }
        });
        let bodies = asked_at_once::<A>(site, &gate, "/count");
        let mut told: Vec<u64> = bodies.iter().map(|body| body.parse().unwrap()).collect();
        told.sort_unstable();
        assert_eq!(told, (1..=20).collect::<Vec<_>>());
    }
}

/// Asserts the response to a handler's error.
fn assert_answers<A: Adapter>(site: Site, path: &str, jar: &str, status: u16, retries: bool) {
    let server = A::serve(site);
    let answer = server.get(path, jar);
    assert_eq!(answer.status, status, "{path}");
    let retry_after = if retries { &["1"][..] } else { &[] };
    assert_eq!(answer.all("retry-after"), retry_after, "{path}");
    assert!(answer.set_cookies().is_empty(), "{path}: {answer:?}");
    let body = if status == 500 {
        "Internal Server Error"
    } else {
        assert_eq!(answer.all("cache-control"), ["no-store"], "{path}");
        ""
    };
    assert_eq!(answer.body, body, "{path}");
}

/// A handler returns the error of a store in which a patch fails with `fails`.
pub fn an_error_of_the_store_is_answered_by_whose_fault_it_is<A: Adapter>() {
    for (fails, status, retries) in [
        (
            (|| StoreError::unavailable("connection refused")) as fn() -> StoreError,
            503,
            true,
        ),
        (|| StoreError::Full, 503, true),
        (|| StoreError::Conflict, 409, false),
        (|| StoreError::Unsupported, 500, false),
    ] {
        let store = Arc::new(Spy::new(MemoryStore::new()));
        let jar = pair(&A::serve(site(store.clone())), "/begin", "");
        store.before(move |call| {
            Box::pin(async move {
                match call.verb {
                    Verb::Patch => Err(fails()),
                    _ => Ok(()),
                }
            })
        });
        assert_eq!(SessionError::Store(fails()).status(), status);
        let site = site(store)
            .waits("/commit", |session| async move {
                session.insert("n", &1)?;
                session.commit().await
            })
            .waits("/take_once", |session| async move {
                let taken = session.take_once::<String>("voucher").await?;
                Ok(text(taken.unwrap_or_default()))
            });
        for path in ["/commit", "/take_once"] {
            assert_answers::<A>(site.clone(), path, &jar, status, retries);
        }
    }
}

type Call = fn(Session) -> BoxFuture<'static, Result<(), SessionError>>;

pub fn an_error_of_a_session_is_answered_by_whose_fault_it_is<A: Adapter>() {
    let store: Arc<dyn ErasedStore> = Arc::new(MemoryStore::new());
    let gone = |site: Site, path, call: Call| {
        let manager = site.manager.clone().unwrap();
        site.waits(path, move |session| {
            let manager = manager.clone();
            async move {
                let ended = manager.end_sessions_of("bob", Selection::All).await;
                assert_eq!(ended.unwrap(), 1);
                session.insert("n", &1)?;
                call(session).await
            }
        })
    };
    let calls: [(&str, Call); 4] = [
        ("/commit", |session| {
            Box::pin(async move { session.commit().await })
        }),
        ("/reload", |session| {
            Box::pin(async move { session.reload().await })
        }),
        ("/keep_alive", |session| {
            Box::pin(async move { session.keep_alive().await })
        }),
        ("/update_now", |session| {
            Box::pin(async move { session.update_now("n", |_| 1).await.map(drop) })
        }),
    ];
    for (path, call) in calls {
        let jar = pair(&A::serve(site(store.clone())), "/begin", "");
        let site = gone(site(store.clone()), path, call);
        assert_answers::<A>(site, path, &jar, 409, false);
    }
    let refuses = |_: Option<u64>| Err::<u64, _>("too little");
    let refused = site(store.clone()).waits("/refused", move |session| async move {
        session.try_update_now("n", refuses).await.map(drop)
    });
    assert_answers::<A>(refused, "/refused", "", 500, false);
    let huge = site(store).waits("/huge", |session| async move {
        session.insert("cart", &"x".repeat(2 << 20))?;
        session.commit().await
    });
    assert_answers::<A>(huge, "/huge", "", 500, false);
    let unsupported = safe().waits("/unsupported", |session| async move {
        session.take_once::<u64>("n").await.map(drop)
    });
    assert_answers::<A>(unsupported, "/unsupported", "", 500, false);
}

/// A stream that is not read completely keeps its committed steps.
///
/// Its body is dropped together with the session.
pub fn a_stream_whose_client_hangs_up_keeps_what_it_committed<A: Adapter>() {
    let (gate, met) = (Gate::default(), Met::default());
    let store: Arc<dyn ErasedStore> = Arc::new(MemoryStore::new());
    let server = A::serve(site(store).with("/stream", steps(&gate, &met)));
    let jar = pair(&server, "/begin", "");
    let mut stream = server.follow("/stream", &jar);
    gate.wait_for(1);
    gate.open();
    assert_eq!(stream.chunk().as_deref(), Some("step 0"));
    drop(stream);
    gate.open_for_all();
    wait_until("the step can be read", || {
        server.get("/step", &jar).body.starts_with("Some(")
    });
    assert!(met.lock().unwrap().is_empty());
}
