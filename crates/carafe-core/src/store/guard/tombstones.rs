//! Log-outs that the store could not be told: the node refuses these sessions at once, and the store is told
//! as soon as it can be.
//!
//! They are told in the order in which they came. While the store fails, one is tried after each pause, whatever
//! their number; once it answers, many at a time. An order of the same kind for the same sessions takes the place
//! of the one before. It holds keys and no ids, and nothing on disk: a node that ends before the store was told
//! forgets them.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use super::{Backoff, LogOut, Standing, Whose};
use crate::{
    clock::Timestamp,
    store::{StoreKey, Which},
};

/// How many are told at a time once the store answers.
const TOGETHER: usize = 16;
/// Bytes of the name of a user that an order may be for: what is held stays bounded.
const LONGEST_USER: usize = 1_024;

/// How many log-outs are remembered, and how often the store is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TombstoneRules {
    /// How many are remembered; one more is refused, and the others are kept. 10,000 unless set, at less
    /// than 200 bytes each and twice the name of the user, of which 1,024 bytes are taken.
    pub most: usize,
    /// The pauses between tries: 100 ms and then twice as long, at most 1 s, unless set.
    pub pauses: Backoff,
}

impl Default for TombstoneRules {
    fn default() -> Self {
        Self {
            most: 10_000,
            pauses: Backoff {
                first: Duration::from_millis(100),
                longest: Duration::from_secs(1),
            },
        }
    }
}

/// Orders to end sessions that count here, and perhaps not yet in the store.
#[derive(Debug)]
pub struct Tombstones {
    rules: TombstoneRules,
    held: HashMap<Whose, Held>,
    /// Those of `held` that are for a user, so that a record finds the few that may mean it.
    of_users: HashMap<Arc<str>, Vec<Which>>,
    /// Those of `held` that wait to be told, in order. The others are being told.
    waiting: VecDeque<Whose>,
    missed: usize,
    failures: u32,
    /// No try before.
    pause_until: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Held {
    at: Timestamp,
    waits: bool,
    /// Whether the store has missed it once.
    missed: bool,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Tell the store of these now, and report each: [`Tombstones::told`], [`Tombstones::told_in_part`] or
    /// [`Tombstones::not_told`].
    Tell(Vec<LogOut>),
    /// Nothing before.
    Wait(Instant),
    /// Nothing: none waits.
    Nothing,
}

impl Tombstones {
    /// None yet.
    #[must_use]
    pub fn new(rules: TombstoneRules) -> Self {
        Self {
            rules,
            held: HashMap::new(),
            of_users: HashMap::new(),
            waiting: VecDeque::new(),
            missed: 0,
            failures: 0,
            pause_until: None,
        }
    }

    /// Notes that these sessions have ended and that the store is being told; whether there was room.
    /// [`Tombstones::told`] or [`Tombstones::not_told`] must follow.
    #[must_use]
    pub fn note(&mut self, order: &LogOut) -> bool {
        if let Some(held) = self.held.get_mut(&order.whose) {
            held.at = held.at.max(order.at);
            return true;
        }
        let bounded = !matches!(&order.whose, Whose::User(user, _) if user.len() > LONGEST_USER);
        let fits = bounded && self.held.len() < self.rules.most;
        if fits {
            self.hold(order);
        }
        fits
    }

    /// Takes up what was remembered elsewhere, whatever its number; it waits to be told.
    pub fn restore(&mut self, order: &LogOut) {
        match self.held.get_mut(&order.whose) {
            Some(held) => held.at = held.at.max(order.at),
            None => self.hold(order),
        }
        self.wait(&order.whose);
    }

    fn hold(&mut self, order: &LogOut) {
        if let Whose::User(user, which) = &order.whose {
            let of_user = self.of_users.entry(Arc::clone(user)).or_default();
            of_user.push(*which);
        }
        let held = Held {
            at: order.at,
            waits: false,
            missed: false,
        };
        self.held.insert(order.whose.clone(), held);
    }

    /// Has it told later, and notes that the store has missed it.
    fn wait(&mut self, whose: &Whose) {
        let Some(held) = self.held.get_mut(whose) else {
            return;
        };
        if !std::mem::replace(&mut held.missed, true) {
            self.missed += 1;
        }
        if !std::mem::replace(&mut held.waits, true) {
            self.waiting.push_back(whose.clone());
        }
    }

    /// The store knows. A later order for the same sessions stays.
    pub fn told(&mut self, order: &LogOut) {
        (self.failures, self.pause_until) = (0, None);
        let Some(held) = self.held.get(&order.whose).copied() else {
            return;
        };
        if held.at > order.at {
            return;
        }
        self.held.remove(&order.whose);
        self.missed -= usize::from(held.missed);
        // Somebody else has told the store while it waited.
        if held.waits {
            self.waiting.retain(|waiting| *waiting != order.whose);
        }
        if let Whose::User(user, which) = &order.whose
            && let Some(of_user) = self.of_users.get_mut(user)
        {
            of_user.retain(|held| held != which);
            if of_user.is_empty() {
                self.of_users.remove(user);
            }
        }
    }

    /// The store was told of some of the sessions; the others follow when all that wait have had their turn.
    pub fn told_in_part(&mut self, order: &LogOut) {
        (self.failures, self.pause_until) = (0, None);
        self.wait(&order.whose);
    }

    /// The store could not be told; it will be tried again after a pause. `jitter` as for [`Backoff::after`].
    pub fn not_told(&mut self, order: &LogOut, now: Instant, jitter: u32) {
        if !self.held.contains_key(&order.whose) {
            return;
        }
        self.wait(&order.whose);
        // Failures of one moment are one failure.
        if self.pause_until.is_none_or(|until| until <= now) {
            self.failures = self.failures.saturating_add(1);
            self.pause_until = Some(now + self.rules.pauses.after(self.failures, jitter));
        }
    }

    /// What to do at `now`.
    pub fn step(&mut self, now: Instant) -> Step {
        if self.waiting.is_empty() {
            return Step::Nothing;
        }
        if let Some(until) = self.pause_until.filter(|&until| now < until) {
            return Step::Wait(until);
        }
        let count = if self.failures == 0 { TOGETHER } else { 1 };
        let count = count.min(self.waiting.len());
        let mut orders = Vec::with_capacity(count);
        for whose in self.waiting.drain(..count) {
            if let Some(held) = self.held.get_mut(&whose) {
                held.waits = false;
                orders.push(LogOut { whose, at: held.at });
            }
        }
        Step::Tell(orders)
    }

    /// Ends the pause: the next step is a try.
    pub fn hurry(&mut self) {
        self.pause_until = None;
    }

    /// Whether the session under `key` has ended here.
    #[must_use]
    pub fn has_ended(&self, key: &StoreKey) -> bool {
        self.held.contains_key(&Whose::Key(*key))
    }

    /// Whether an order for more than one key has ended this session here: [`LogOut::ends`].
    #[must_use]
    pub fn ends<'a>(&self, session: impl Into<Standing<'a>>) -> bool {
        let session = session.into();
        let by = |whose: Whose| {
            let at = self.held.get(&whose).map(|held| held.at);
            at.is_some_and(|at| LogOut { whose, at }.ends(session))
        };
        let of_user = session.user().and_then(|user| {
            let (user, which) = self.of_users.get_key_value(user)?;
            let mut orders = which.iter().map(|&one| Whose::User(Arc::clone(user), one));
            Some(orders.any(by))
        });
        of_user == Some(true) || by(Whose::Everyone) || by(Whose::Handle(session.handle()))
    }

    /// How many the store may not know of.
    #[must_use]
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Whether the store knows of all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Those that the store has missed once and does not know of yet.
    pub fn missed(&self) -> impl Iterator<Item = LogOut> + '_ {
        let missed = self.held.iter().filter(|(_, held)| held.missed);
        missed.map(|(whose, held)| LogOut {
            whose: whose.clone(),
            at: held.at,
        })
    }

    /// How many those are.
    #[must_use]
    pub const fn missed_count(&self) -> usize {
        self.missed
    }
}

#[cfg(test)]
mod tests;
