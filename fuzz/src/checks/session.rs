//! A session compared with a plain dictionary.
//!
//! Any sequence of calls leaves both equal, also after a cookie round trip.

use futures_executor::block_on;
use std::{collections::BTreeMap, sync::Arc};

use carafe_core::{
    json::{Value, tag::Markup},
    session::{
        ClientSide, CommitError, Session, SessionConfig, SessionError, SessionManager, Slot,
    },
};

use super::input::{Input, NOW, keys};

/// The types of values in this check.
#[derive(Clone, Debug, PartialEq)]
enum Entry {
    Number(i64),
    Text(String),
    Truth(bool),
    Flashes(Vec<Flash>),
}

/// A message: its category, its text and whether it is markup.
type Flash = (String, String, bool);

/// A browser, its open request, and the expected content of the session.
struct Visit {
    manager: Arc<SessionManager>,
    slot: Slot,
    session: Session,
    cookie: Option<String>,
    model: BTreeMap<String, Entry>,
    /// The messages that this request has already returned.
    taken: Option<Vec<Flash>>,
    written: bool,
}

const KEYS: [&str; 8] = [
    "a",
    "b",
    "user_id",
    "",
    " t",
    " u",
    "é\u{1f377}",
    "_flashes",
];

/// More calls would be slow and find no more defects.
const MOST_CALLS: usize = 64;

/// Checks a sequence of calls.
///
/// The first byte selects format and rules. Each call is a byte, its key and its value.
pub fn session_model(data: &[u8]) {
    let mut input = Input(data);
    let mut visit = Visit::new(input.byte());
    for _ in 0..MOST_CALLS {
        if input.0.is_empty() {
            break;
        }
        if visit.step(&mut input).is_none() {
            return; // The cookie would be too large, so the request fails.
        }
        visit.compare();
    }
    if visit.commit_and_return().is_some() {
        visit.compare();
    }
}

impl Visit {
    fn new(choice: u8) -> Self {
        let side = match choice & 1 {
            0 => ClientSide::signed(keys()),
            _ => ClientSide::encrypted(keys(), "shop"),
        };
        let config = match choice >> 1 & 3 {
            0 => SessionConfig::flask(),
            1 => SessionConfig::starlette(),
            _ => SessionConfig::default(),
        };
        let manager = Arc::new(SessionManager::new(side, config).expect("a preset"));
        let slot = manager.begin();
        let session = block_on(manager.open(&slot, [], NOW)).expect("no store");
        Self {
            manager,
            slot,
            session,
            cookie: None,
            model: BTreeMap::new(),
            taken: None,
            written: false,
        }
    }

    fn step(&mut self, input: &mut Input<'_>) -> Option<()> {
        let call = input.byte();
        let key = KEYS[usize::from(call >> 5)];
        match call & 15 {
            0 => self.insert(key, input.i64(), Entry::Number),
            1 => self.insert(key, input.line().into_owned(), Entry::Text),
            2 => self.insert(key, input.byte() & 1 == 1, Entry::Truth),
            3 => self.remove(key),
            4 => self.take(key),
            5 => self.update(key, input.i64()),
            6 => self.flash(&input.line(), input.byte() & 1 == 1),
            7 => self.take_flashes(),
            8 => self.clear(),
            9 => self.set_permanent(input.byte() & 1 == 1),
            10 => return self.commit_and_return(),
            _ => {}
        }
        Some(())
    }

    fn insert<T: serde::Serialize + Clone>(&mut self, key: &str, value: T, entry: fn(T) -> Entry) {
        self.session
            .insert(key, &value)
            .expect("the request is open");
        self.model.insert(key.to_owned(), entry(value));
        self.written = true;
    }

    fn remove(&mut self, key: &str) {
        let was_there = self.session.remove(key).expect("the request is open");
        assert_eq!(was_there, self.model.remove(key).is_some());
        self.written |= was_there;
    }

    fn take(&mut self, key: &str) {
        let taken = self.session.take::<i64>(key);
        match self.model.get(key) {
            None => assert_eq!(taken.expect("nothing is no error"), None),
            Some(&Entry::Number(number)) => {
                assert_eq!(taken.expect("a number"), Some(number));
                self.model.remove(key);
                self.written = true;
            }
            Some(_) => assert!(matches!(taken, Err(SessionError::Decode { .. }))),
        }
    }

    fn update(&mut self, key: &str, by: i64) {
        let updated = self
            .session
            .update(key, move |n: Option<i64>| n.unwrap_or(7).wrapping_add(by));
        let before = match self.model.get(key) {
            None => 7,
            Some(Entry::Number(number)) => *number,
            Some(_) => return assert!(matches!(updated, Err(SessionError::Decode { .. }))),
        };
        let after = before.wrapping_add(by);
        assert_eq!(updated.expect("a number"), after);
        self.model.insert(key.to_owned(), Entry::Number(after));
        self.written = true;
    }

    fn flash(&mut self, message: &str, is_markup: bool) {
        // A format without tags has no markup.
        let is_markup = is_markup && self.manager.style().tags;
        let flashed = if is_markup {
            self.session.flash("info", &Markup(message.to_owned()))
        } else {
            self.session.flash("info", message)
        };
        flashed.expect("the request is open");
        let mut list = self.flashes();
        list.push(("info".to_owned(), message.to_owned(), is_markup));
        self.model
            .insert("_flashes".to_owned(), Entry::Flashes(list));
        self.written = true;
    }

    fn take_flashes(&mut self) {
        let taken = self.session.take_flashes().expect("the request is open");
        let taken = taken
            .into_iter()
            .map(|flash| (flash.category, flash.message, flash.is_markup));
        let taken: Vec<Flash> = taken.collect();
        if let Some(shown) = &self.taken {
            return assert_eq!(taken, *shown);
        }
        assert_eq!(taken, self.flashes());
        self.written |= self.model.remove("_flashes").is_some();
        self.taken = Some(taken);
    }

    /// Returns the current messages. A value other than a list of messages is one message.
    fn flashes(&self) -> Vec<Flash> {
        let one = |message: String| vec![("message".to_owned(), message, false)];
        match self.model.get("_flashes") {
            None => Vec::new(),
            Some(Entry::Flashes(list)) => list.clone(),
            Some(Entry::Number(number)) => one(number.to_string()),
            Some(Entry::Text(text)) => one(text.clone()),
            Some(Entry::Truth(on)) => one(on.to_string()),
        }
    }

    fn clear(&mut self) {
        self.session.clear().expect("the request is open");
        self.model.clear();
        self.written = true;
    }

    fn set_permanent(&mut self, on: bool) {
        self.session.set_permanent(on).expect("the request is open");
        self.model.insert("_permanent".to_owned(), Entry::Truth(on));
        self.written = true;
    }

    /// Finishes the request and begins the next one with the cookie that a browser would store.
    fn commit_and_return(&mut self) -> Option<()> {
        let effects = match block_on(self.manager.commit(&self.slot, [], 200, NOW)) {
            Ok(effects) => effects,
            Err(error) => {
                assert!(matches!(error, CommitError::TooLarge { .. }), "{error}");
                return None;
            }
        };
        assert!(matches!(
            self.session.insert("late", &1),
            Err(SessionError::AlreadySent)
        ));
        let Self { written, model, .. } = self;
        assert!(
            !*written || effects.set_cookie.is_some(),
            "a change without a cookie"
        );
        assert!(effects.set_cookie.is_none() || effects.vary_cookie && effects.no_store);
        if let Some(set) = effects.set_cookie {
            let pair = set.split(';').next().unwrap_or_default();
            assert_eq!(set == self.manager.cookie().removal(), model.is_empty());
            self.cookie = (!model.is_empty()).then(|| pair.to_owned());
        }
        self.slot = self.manager.begin();
        let sent = self.cookie.as_deref().map(str::as_bytes);
        self.session = block_on(self.manager.open(&self.slot, sent, NOW)).expect("no store");
        assert_eq!(self.session.rejection(), None);
        (self.taken, self.written) = (None, false);
        Some(())
    }

    fn compare(&self) {
        let mut keys = self.session.keys();
        keys.sort_unstable();
        assert!(
            keys.iter().eq(self.model.keys()),
            "{keys:?} for {:?}",
            self.model
        );
        assert_eq!(
            (self.session.len(), self.session.is_empty()),
            (self.model.len(), self.model.is_empty())
        );
        for (key, entry) in &self.model {
            assert!(self.session.contains_key(key));
            assert!(self.holds(key, entry), "{key:?} is not {entry:?}");
        }
        assert_eq!(
            self.session.is_permanent(),
            self.model.get("_permanent") == Some(&Entry::Truth(true))
        );
    }

    fn holds(&self, key: &str, entry: &Entry) -> bool {
        match entry {
            Entry::Number(number) => self.session.get(key).ok() == Some(Some(*number)),
            Entry::Text(text) => self.session.get(key).ok() == Some(Some(text.clone())),
            Entry::Truth(truth) => self.session.get(key).ok() == Some(Some(*truth)),
            Entry::Flashes(list) => {
                let value = self.session.get_value(key);
                matches!(value, Ok(Some(Value::List(items))) if items.len() == list.len())
            }
        }
    }
}
