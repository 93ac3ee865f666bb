//! The real Flask-Session, in a separate process that times itself: `flask_session.py`.

use std::{cell::RefCell, rc::Rc};

use super::flask::Process;
use crate::harness::{Candidate, Outcome};

const PROGRAM: &str = include_str!("flask_session.py");

/// Flask with Flask-Session in Redis. Clones share the process.
#[derive(Clone)]
pub(crate) struct FlaskSession(Rc<RefCell<Process>>);

impl FlaskSession {
    /// Starts Flask with its sessions in the Redis at this URL.
    pub(crate) fn start(url: &str) -> Outcome<Self> {
        let mut process = Process::start(PROGRAM)?;
        println!("\n{}.", process.ask(url)?);
        Ok(Self(Rc::new(RefCell::new(process))))
    }

    /// Returns requests that `read` or `write` these sessions in turn.
    pub(crate) fn candidate(&self, row: &str, verb: &'static str, ids: &[&str]) -> Candidate {
        let (process, ids) = (Rc::clone(&self.0), ids.join(","));
        Candidate::told(row, verb, move |operations| {
            let question = format!("{verb} {operations} {ids}");
            Ok(process.borrow_mut().ask(&question)?.parse()?)
        })
    }
}
