//! The Rust peer of the comparison with real Flask-Session.
//!
//! Answers JSON lines; see `interop/README.md`.
//!
//! `protocol.rs` defines the lines, `application.rs` does the work of an adapter: a manager, its
//! slots, and Carafe's stores with Flask-Session's layouts. The peer never corrects Carafe's
//! results.

mod application;
mod protocol;

use std::io::{self, BufRead, Write};

use application::Application;
use protocol::{Answer, Request};

fn main() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let mut application = None;
    let mut output = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let answer = runtime.block_on(answer(&mut application, &line?));
        writeln!(output, "{}", answer.line())?;
        output.flush()?;
    }
    Ok(())
}

async fn answer(application: &mut Option<Application>, line: &str) -> Answer {
    let request = match serde_json::from_str(line) {
        Ok(request) => request,
        Err(error) => return Answer::fault(error),
    };
    match (request, application.as_mut()) {
        (Request::Use(settings), _) => match Application::new(settings).await {
            Ok(new) => {
                *application = Some(new);
                Answer::done()
            }
            Err(error) => Answer::fault(error),
        },
        (_, None) => Answer::fault("`use` comes first"),
        (
            Request::Begin {
                request,
                cookie,
                client,
            },
            Some(application),
        ) => application.begin(request, cookie, client).await,
        (Request::Finish { request, steps }, Some(application)) => {
            application.finish(&request, steps).await
        }
    }
}
