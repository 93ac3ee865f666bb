//! Explores every order of the steps of concurrent operations, with a crash between any two steps.
//!
//! A step is one operation of the database. An operation of the contract depends only on the
//! results of its steps, so two orders of steps lead to the same state if the database has the same
//! content and each operation has received the same results. Each such state is visited once. A
//! crashed operation takes no further step, so the checks of every state cover a crash of any of
//! the operations, or of all of them.

use std::{
    collections::{BTreeMap, HashSet},
    future::poll_fn,
    hash::{DefaultHasher, Hash, Hasher},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll, Waker},
};

use proptest::{collection::vec, prelude::*};

use super::*;
use crate::{
    data::{SessionData, UpdateFn},
    id::{Nonce, PublicId},
    store::{SessionMeta, retired_until},
};

const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);
const LATER: Timestamp = Timestamp::from_unix(1_700_003_600);
/// The observer of a state, which is not one of its tasks.
const OBSERVER: usize = usize::MAX;

#[derive(Clone, Copy, Debug)]
enum Operation {
    Replace(&'static str),
    Renew(&'static str),
    Patch,
    Touch,
    Delete(&'static str),
    Load(&'static str),
}

/// The record that the changes are made on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    /// A loaded record, with its stored version.
    Loaded,
    /// A record without a version, which a change reads first.
    Unversioned,
}

/// A database with operations that are each pending once.
#[derive(Default)]
struct Database(Mutex<State>);

#[derive(Default)]
struct State {
    values: BTreeMap<StoreKey, Value>,
    /// The task of the current step.
    task: usize,
    seen: BTreeMap<usize, Seen>,
}

/// The bytes of a key, if it has any, and the number of its writes.
#[derive(Clone, Default, Hash)]
struct Value {
    bytes: Option<Vec<u8>>,
    version: u64,
}

/// A digest of the results that a task has received, and whether the task has written.
#[derive(Clone, Default)]
struct Seen {
    digest: u64,
    has_written: bool,
}

impl State {
    fn digest_of(&self, task: usize) -> u64 {
        self.seen.get(&task).map_or(0, |seen| seen.digest)
    }

    fn has_written(&self, task: usize) -> bool {
        self.seen.get(&task).is_some_and(|seen| seen.has_written)
    }
}

impl Database {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no test has panicked in here")
    }

    /// Returns a database with the same values.
    fn copy(&self) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State {
            values: self.state().values.clone(),
            task: OBSERVER,
            ..State::default()
        })))
    }

    /// Takes a step, and records its result for the task.
    async fn step<T: Hash>(&self, key: &StoreKey, act: impl FnOnce(&mut Value) -> T) -> T {
        pending_once().await;
        let state = &mut *self.state();
        let value = state.values.entry(*key).or_default();
        let before = value.version;
        let result = act(value);
        let seen = state.seen.entry(state.task).or_default();
        seen.has_written |= value.version > before;
        let mut hasher = DefaultHasher::new();
        (seen.digest, &result).hash(&mut hasher);
        seen.digest = hasher.finish();
        result
    }

    async fn swap(&self, key: &StoreKey, expected: u64, bytes: Option<&[u8]>) -> bool {
        self.step(key, |value| {
            let is_expected = match value.bytes {
                Some(_) => value.version == expected,
                None => expected == 0,
            };
            if is_expected {
                value.bytes = bytes.map(<[u8]>::to_vec);
                value.version += 1;
            }
            is_expected
        })
        .await
    }
}

impl CompareAndSwap for Database {
    type Version = u64;

    async fn read(&self, key: &StoreKey) -> Result<Option<(Vec<u8>, u64)>, StoreError> {
        let read = self.step(key, |value| value.clone()).await;
        Ok(read.bytes.map(|bytes| (bytes, read.version)))
    }

    async fn insert(&self, key: &StoreKey, value: &[u8], _: Timestamp) -> Result<bool, StoreError> {
        Ok(self.swap(key, 0, Some(value)).await)
    }

    async fn replace(
        &self,
        key: &StoreKey,
        version: &u64,
        value: &[u8],
        _: Timestamp,
    ) -> Result<bool, StoreError> {
        Ok(self.swap(key, *version, Some(value)).await)
    }

    async fn remove(&self, key: &StoreKey, version: &u64) -> Result<bool, StoreError> {
        Ok(self.swap(key, *version, None).await)
    }
}

async fn pending_once() {
    let mut is_second = false;
    poll_fn(|_| match std::mem::replace(&mut is_second, true) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
    .await;
}

impl Operation {
    /// Returns the dictionary key that this operation sets.
    fn mark(self) -> Option<&'static str> {
        match self {
            Self::Replace(to) | Self::Renew(to) => Some(to),
            Self::Patch => Some("patched"),
            Self::Touch | Self::Delete(_) | Self::Load(_) => None,
        }
    }

    /// Returns whether the change was applied, the session was deleted, or a record was loaded.
    async fn run(self, database: Arc<Database>, base: Record) -> Result<bool, StoreError> {
        let (database, from) = (&*database, key("from"));
        let change = self.mark().map(marked).unwrap_or_default();
        let rotation = match self {
            Self::Renew(_) => Rotation::Renewal(Nonce::from_bytes([3; 16])),
            _ => Rotation::Replacement,
        };
        Ok(match self {
            Self::Replace(to) | Self::Renew(to) => {
                let keys = (&from, &key(to));
                let rotated = rotate(database, keys, &base, &change, rotation, NOW);
                rotated.await?.is_applied()
            }
            Self::Patch => patch(database, &from, &base, &change, NOW)
                .await?
                .is_applied(),
            Self::Touch => {
                let access = Access {
                    at: NOW,
                    expires: LATER.saturating_add(60),
                    confirms: None,
                };
                touch(database, &from, &access).await?
            }
            Self::Delete(name) => delete(database, &key(name), NOW).await?,
            Self::Load(name) => load(database, &key(name), NOW).await?.record().is_some(),
        })
    }
}

/// Tasks that have taken some of their steps.
struct World {
    operations: Vec<Operation>,
    database: Arc<Database>,
    tasks: Vec<Task>,
    /// Whether the record existed when a task took its first step.
    was_there: Vec<Option<bool>>,
}

enum Task {
    Running(Pin<Box<dyn Future<Output = Result<bool, StoreError>>>>),
    Finished(bool),
}

impl World {
    fn after(operations: &[Operation], start: Start, schedule: &[usize]) -> Self {
        let (database, mut base) = (Arc::new(Database::default()), base());
        finished(create(&*database, &key("from"), &base)).expect("the key is new");
        if start == Start::Loaded {
            let state = finished(load(&*database, &key("from"), NOW));
            let loaded = state.expect("the database works").into_record();
            base = loaded.expect("the record is there");
        }
        database.state().seen.clear();
        let tasks = operations.iter().map(|operation| {
            let run = operation.run(Arc::clone(&database), base.clone());
            Task::Running(Box::pin(run))
        });
        let mut world = Self {
            operations: operations.to_vec(),
            tasks: tasks.collect(),
            was_there: vec![None; operations.len()],
            database,
        };
        // Polls each task up to its first step.
        (0..operations.len()).for_each(|task| world.poll(task));
        schedule.iter().for_each(|&task| world.step(task));
        world
    }

    fn step(&mut self, task: usize) {
        if let (Operation::Load(name), None) = (self.operations[task], self.was_there[task]) {
            let state = finished(load(&*self.database.copy(), &key(name), NOW));
            let state = state.expect("the database works");
            self.was_there[task] = Some(state.record().is_some());
        }
        self.poll(task);
    }

    fn poll(&mut self, task: usize) {
        self.database.state().task = task;
        let Task::Running(future) = &mut self.tasks[task] else {
            return;
        };
        let context = &mut Context::from_waker(Waker::noop());
        if let Poll::Ready(outcome) = future.as_mut().poll(context) {
            self.tasks[task] = Task::Finished(outcome.expect("the database works"));
        }
    }

    fn running(&self) -> impl Iterator<Item = usize> {
        let tasks = self.tasks.iter().enumerate();
        tasks
            .filter(|(_, task)| matches!(task, Task::Running(_)))
            .map(|(number, _)| number)
    }

    /// Returns a digest of the state that determines the further steps of the running tasks.
    fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let state = self.database.state();
        (&state.values, &self.was_there).hash(&mut hasher);
        for (number, task) in self.tasks.iter().enumerate() {
            match task {
                Task::Finished(done) => (1, u64::from(*done)).hash(&mut hasher),
                Task::Running(_) => (2, state.digest_of(number)).hash(&mut hasher),
            }
        }
        hasher.finish()
    }

    /// Returns a digest of the state that [`World::check`] checks.
    fn evident(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let state = self.database.state();
        (&state.values, &self.was_there).hash(&mut hasher);
        for (number, task) in self.tasks.iter().enumerate() {
            match task {
                Task::Finished(done) => (1, *done).hash(&mut hasher),
                Task::Running(_) => (2, state.has_written(number)).hash(&mut hasher),
            }
        }
        hasher.finish()
    }

    /// Returns the outcome of the operation, or `None` if it is running.
    fn outcome(&self, is_meant: impl Fn(Operation) -> bool) -> Option<bool> {
        let tasks = self.operations.iter().zip(&self.tasks);
        let mut meant = tasks.filter(|(operation, _)| is_meant(**operation));
        match meant.next()?.1 {
            Task::Running(_) => None,
            Task::Finished(done) => Some(*done),
        }
    }

    /// Checks the invariants that hold even if the tasks never take another step.
    fn check(&self, schedule: &[usize]) {
        let database = self.database.copy();
        let context = || format!("{:?} after {schedule:?}", self.operations);
        let names = ["from", "to", "other"];
        let states = names.map(|name| finished(load(&*database, &key(name), NOW)));
        let states = states.map(|state| state.expect("the database works"));
        let current: Vec<_> = (names.iter().zip(&states))
            .filter(|(_, state)| matches!(state, KeyState::Current(_)))
            .collect();
        assert!(current.len() <= 1, "two sessions: {}", context());

        let is_delete = |operation| matches!(operation, Operation::Delete(_));
        let deleted = self.outcome(is_delete);
        let mut deletes = (0..).zip(&self.operations);
        let delete = deletes.find(|(_, operation)| is_delete(**operation));
        let has_written = delete.is_some_and(|(task, _)| self.database.state().has_written(task));
        match (deleted, current.first()) {
            (Some(true), Some(_)) => panic!("a deleted session is there: {}", context()),
            (Some(true), None) => {}
            // The delete may have taken effect.
            (None, None) if has_written => {}
            (_, None) => panic!("the session is lost: {}", context()),
            (_, Some((name, state))) => self.check_record(name, state, &context),
        }
        for state in &states {
            if let KeyState::Moved(moved) = state {
                let Some((_, KeyState::Current(current))) = current.first() else {
                    panic!("a pointer leads to no session: {}", context());
                };
                assert_eq!(json(moved), json(current), "{}", context());
            }
        }
        let replaced = |operation| matches!(operation, Operation::Replace(_));
        if self.outcome(replaced) == Some(true) {
            assert!(
                matches!(states[0], KeyState::Retired),
                "the old key is retired: {states:?}, {}",
                context()
            );
        }
        let reads = self.operations.iter().zip(&self.was_there).zip(&self.tasks);
        for ((operation, was_there), task) in reads {
            // In the orders with readers, a record stays under its new key.
            if let (Operation::Load("to"), Some(true), Task::Finished(loaded)) =
                (operation, was_there, task)
            {
                assert!(loaded, "a load finds the session: {}", context());
            }
        }
        if self.running().next().is_none() {
            let state = self.database.state();
            let kinds = (state.values.values()).filter_map(|value| value.bytes.as_ref()?.get(1));
            let unfinished = kinds.filter(|kind| b"?M".contains(kind)).count();
            assert_eq!(unfinished, 0, "every move is finished: {}", context());
        }
        self.check_later(&context);
    }

    /// Checks that the record contains a change if its operation has succeeded.
    fn check_record(&self, name: &str, state: &KeyState, context: &dyn Fn() -> String) {
        let Some(record) = state.record() else { return };
        let text = |key: &str| record.data.text_of(key);
        assert_eq!(text("kept"), Some("true"), "{}", context());
        let (mut marks, mut moves) = (0, vec!["from"]);
        for (operation, task) in self.operations.iter().zip(&self.tasks) {
            let Some(mark) = operation.mark() else {
                continue;
            };
            let is_there = text(mark).is_some();
            marks += u64::from(is_there);
            if is_there && !matches!(operation, Operation::Patch) {
                moves.push(mark);
            }
            if let Task::Finished(done) = task {
                assert_eq!(is_there, *done, "{operation:?}: {}", context());
            }
        }
        assert_eq!(text("n"), Some(marks.to_string().as_str()), "{}", context());
        assert!(moves.contains(&name), "{name}: {}", context());
        assert_eq!(moves.len() > 1, name != "from", "{name}: {}", context());
    }

    /// Checks that a later request can use and delete the session, and that the deletion is final.
    fn check_later(&self, context: &dyn Fn() -> String) {
        let (database, mut deleted) = (self.database.copy(), 0);
        for name in ["from", "to", "other"] {
            let key = key(name);
            let Ok(KeyState::Current(record)) = finished(load(&*database, &key, NOW)) else {
                continue;
            };
            let patched = finished(patch(&*database, &key, &record, &marked("later"), NOW));
            assert!(patched.expect("it works").is_applied(), "{}", context());
            let gone = finished(delete(&*database, &key, NOW));
            deleted += u64::from(gone.expect("it works"));
        }
        assert!(deleted <= 1, "{}", context());
        for name in ["from", "to", "other"] {
            let state = finished(load(&*database, &key(name), NOW)).expect("it works");
            assert!(state.record().is_none(), "{name}: {}", context());
        }
        // No reservation outlives its session.
        let after = retired_until(NOW);
        for name in ["from", "to", "other"] {
            let state = finished(load(&*database, &key(name), after)).expect("it works");
            assert!(matches!(state, KeyState::Absent), "{name}: {}", context());
        }
    }
}

/// Visits and checks every state that the operations can reach.
fn explore(operations: &[Operation], start: Start) {
    let (mut visited, mut checked) = (HashSet::new(), HashSet::new());
    let mut stack = vec![Vec::new()];
    while let Some(mut schedule) = stack.pop() {
        let mut world = World::after(operations, start, &schedule);
        while visited.insert(world.digest()) {
            if checked.insert(world.evident()) {
                world.check(&schedule);
            }
            let running: Vec<_> = world.running().collect();
            let Some((&first, others)) = running.split_first() else {
                break;
            };
            for &other in others {
                stack.push([&schedule[..], &[other]].concat());
            }
            schedule.push(first);
            world.step(first);
        }
    }
    assert!(visited.len() > 100, "the operations take steps");
    println!("{operations:?}, {start:?}: {} states", visited.len());
}

/// Checks each state along one order, in which the numbers in `order` select the next step.
fn follow(operations: &[Operation], start: Start, order: &[usize]) {
    let (mut world, mut schedule) = (World::after(operations, start, &[]), Vec::new());
    for number in order.iter().copied().chain(std::iter::repeat(0)) {
        let running: Vec<_> = world.running().collect();
        if running.is_empty() {
            return;
        }
        let task = running[number % running.len()];
        schedule.push(task);
        world.step(task);
        world.check(&schedule);
    }
}

/// Runs a future without other tasks.
fn finished<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    loop {
        let context = &mut Context::from_waker(Waker::noop());
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return output;
        }
    }
}

fn key(name: &str) -> StoreKey {
    StoreKey::of_id(name)
}

fn base() -> Record {
    let data = r#"{"kept":true,"n":0}"#.to_owned();
    Record::new(
        SessionMeta::new(PublicId::from_bytes([7; 12]), NOW, LATER),
        SessionData::parse(data, Record::STYLE).expect("it is JSON"),
    )
}

fn json(record: &Record) -> String {
    record.data.payload(Record::STYLE)
}

/// Returns a patch that sets `mark` and counts the patches.
fn marked(mark: &str) -> Patch {
    let again: UpdateFn = Arc::new(|text| {
        let count: u64 = text.unwrap_or_default().parse()?;
        Ok((count + 1).to_string())
    });
    let mut patch = Patch::default();
    patch.set(mark, "1".to_owned());
    patch.update("n", Some("0".to_owned()), "1".to_owned(), again);
    patch
}

const FOUR: [[Operation; 4]; 6] = {
    use Operation::{Delete, Patch, Renew, Replace};
    [
        [Replace("to"), Replace("other"), Patch, Delete("from")],
        [Renew("to"), Renew("other"), Patch, Delete("from")],
        [Renew("to"), Replace("other"), Patch, Delete("from")],
        [Replace("to"), Replace("other"), Patch, Delete("to")],
        [Renew("to"), Renew("other"), Patch, Delete("to")],
        [Renew("to"), Replace("other"), Patch, Delete("to")],
    ]
};

/// Explores all sets of three of four operations.
fn explore_three(start: Start) {
    let mut explored = HashSet::new();
    for four in FOUR {
        for left_out in 0..four.len() {
            let mut three = four.to_vec();
            three.remove(left_out);
            if explored.insert(format!("{three:?}")) {
                explore(&three, start);
            }
        }
    }
}

#[test]
fn every_order_of_three_operations_leaves_one_session_or_none() {
    explore_three(Start::Loaded);
}

#[test]
#[ignore = "takes a minute: cargo xtask test"]
fn every_order_of_three_operations_that_read_first_leaves_one_session_or_none() {
    explore_three(Start::Unversioned);
}

#[test]
fn every_order_with_readers_leaves_one_session() {
    use Operation::{Load, Renew, Replace, Touch};
    for rotation in [Renew("to"), Replace("to")] {
        for start in [Start::Loaded, Start::Unversioned] {
            explore(&[rotation, Load("from"), Load("to")], start);
            explore(&[rotation, Load("to"), Touch], start);
        }
    }
}

#[test]
#[ignore = "takes a minute: cargo xtask test"]
fn every_order_of_two_replacements_a_patch_and_a_delete_leaves_one_session_or_none() {
    explore(&FOUR[0], Start::Loaded);
    explore(&FOUR[0], Start::Unversioned);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn orders_of_four_operations_leave_one_session_or_none(
        four in 0..FOUR.len(),
        is_loaded: bool,
        order in vec(0_usize..12, 0..60),
    ) {
        let start = if is_loaded { Start::Loaded } else { Start::Unversioned };
        follow(&FOUR[four], start, &order);
    }
}
