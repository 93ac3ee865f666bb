//! Health of the servers, for operators.

use std::collections::{BTreeSet, HashMap};

use carafe_core::{
    clock::Timestamp,
    session::SessionData,
    store::{
        Created, Health, PublicId, Record, SessionMeta, SessionStore as _, StoreError, StoreKey,
    },
};
use redis::Value;

use crate::{
    RedisStore, call::unexpected_reply, endpoint::Endpoint, layout::VERSION, script, store::Listing,
};

/// The fields of one server's `INFO`.
type Info = HashMap<String, String>;

impl RedisStore {
    /// Reports the state of the servers, and whether a session can be created, read and deleted.
    /// The test session is deleted before the call returns, or expires after a minute if the call
    /// is interrupted.
    ///
    /// # Errors
    /// The errors of the store: a server cannot be reached or rejects a command.
    pub async fn health(&self) -> Result<Health, StoreError> {
        let mut health = Health::default();
        let infos = self
            .with_deadline(self.deadlines.read, self.infos())
            .await?;
        describe(&infos, &mut health);
        health.fact("mode", self.connection.mode());
        Endpoint::describe(self.endpoint, &mut health);
        health.fact("layout", format_args!("version {VERSION}"));
        let parts = self.names.parts();
        match self.listing {
            Listing::Off => health.fact("index of all sessions", "off"),
            _ => health.fact("index of all sessions", format_args!("on, {parts} part(s)")),
        }
        self.describe_waiting(&infos, &mut health);
        self.round_trip().await?;
        health.fact("round trip", "works");
        let known = self
            .with_deadline(self.deadlines.read, self.known_scripts())
            .await?;
        let all = script::all().len();
        health.fact("scripts", format_args!("{known} of {all} are loaded"));
        Ok(health)
    }

    async fn infos(&self) -> Result<Vec<Info>, StoreError> {
        match self.read(&redis::cmd("INFO")).await? {
            // A cluster returns the text of each primary.
            Value::Map(nodes) => nodes.into_iter().map(|(_, text)| info(text)).collect(),
            text => Ok(vec![info(text)?]),
        }
    }

    fn describe_waiting(&self, infos: &[Info], health: &mut Health) {
        let Some(replication) = &self.replication else {
            return;
        };
        let wanted = replication.wait.replicas;
        health.fact("revocations wait for", format_args!("{wanted} replica(s)"));
        for info in infos {
            let there = value(info, "connected_slaves").parse().unwrap_or(0);
            if wanted > there {
                health.problem(format!(
                    "a revocation waits for {wanted} replica(s) and a primary has {there}: add replicas or \
                     wait for fewer"
                ));
            }
        }
    }

    /// Creates, reads and deletes a session.
    async fn round_trip(&self) -> Result<(), StoreError> {
        let key = StoreKey::random().map_err(StoreError::unavailable)?;
        let now = Timestamp::now();
        let record = probe(now)?;
        let created = self.create(&key, &record, now).await?;
        let found = self.load(&key, now).await?;
        let ended = self.delete(&key, now).await?;
        let found = found.into_record();
        let is_same = found.is_some_and(|found| found.meta.public_id == record.meta.public_id);
        let works = created == Created::Created && is_same && ended;
        works.then_some(()).ok_or_else(unexpected_reply)
    }

    async fn known_scripts(&self) -> Result<usize, StoreError> {
        let mut command = redis::cmd("SCRIPT");
        command.arg("EXISTS");
        for source in script::all() {
            command.arg(source.hash());
        }
        let known = redis::from_redis_value(self.read(&command).await?);
        let known: Vec<bool> = known.map_err(StoreError::corrupt)?;
        Ok(known.into_iter().filter(|&known| known).count())
    }
}

fn probe(now: Timestamp) -> Result<Record, StoreError> {
    let data = SessionData::parse("{}".to_owned(), Record::STYLE);
    Ok(Record::new(
        SessionMeta::new(
            PublicId::random().map_err(StoreError::unavailable)?,
            now,
            now.saturating_add(60),
        ),
        data.map_err(StoreError::corrupt)?,
    ))
}

fn describe(infos: &[Info], health: &mut Health) {
    health.fact("server", each(infos, version));
    health.fact("memory", each(infos, memory));
    health.fact(
        "maxmemory-policy",
        each(infos, |info| value(info, "maxmemory_policy").to_owned()),
    );
    health.fact("persistence", each(infos, persistence));
    health.fact(
        "replicas",
        each(infos, |info| value(info, "connected_slaves").to_owned()),
    );
    let problems: BTreeSet<_> = infos.iter().flat_map(problems).collect();
    problems
        .into_iter()
        .for_each(|problem| health.problem(problem));
}

fn problems(info: &Info) -> Vec<String> {
    let mut problems = Vec::new();
    let mut note = |is_so: bool, text: String| {
        if is_so {
            problems.push(text);
        }
    };
    let policy = value(info, "maxmemory_policy");
    note(
        policy.starts_with("allkeys-"),
        format!(
            "maxmemory-policy is {policy}, which logs visitors out when memory is short: set noeviction or volatile-ttl"
        ),
    );
    note(
        value(info, "role") == "slave",
        "this server is a read-only replica: connect to the primary".to_owned(),
    );
    for (field, what) in [
        ("rdb_last_bgsave_status", "the last snapshot (RDB) failed"),
        ("aof_last_write_status", "the last write to the AOF failed"),
    ] {
        note(
            value(info, field) == "err",
            format!("{what}: see the server's log"),
        );
    }
    problems
}

fn version(info: &Info) -> String {
    match info.get("valkey_version") {
        Some(version) => format!("Valkey {version}"),
        None => format!("Redis {}", value(info, "redis_version")),
    }
}

fn memory(info: &Info) -> String {
    let limit = match value(info, "maxmemory_human") {
        "0B" | "" => "no limit",
        limit => limit,
    };
    format!("{} of {limit}", value(info, "used_memory_human"))
}

fn persistence(info: &Info) -> String {
    let aof = if value(info, "aof_enabled") == "1" {
        "on"
    } else {
        "off"
    };
    match value(info, "rdb_last_save_time").parse() {
        Ok(at) => {
            let age = Timestamp::now().seconds_since(Timestamp::from_unix(at));
            format!("AOF {aof}, last snapshot or start {age} s ago")
        }
        Err(_) => format!("AOF {aof}"),
    }
}

/// Joins the distinct values of `say` over all servers.
fn each(infos: &[Info], say: impl Fn(&Info) -> String) -> String {
    let answers: BTreeSet<_> = infos.iter().map(say).collect();
    answers.into_iter().collect::<Vec<_>>().join("; ")
}

fn value<'a>(info: &'a Info, field: &str) -> &'a str {
    info.get(field).map_or("", String::as_str)
}

fn info(text: Value) -> Result<Info, StoreError> {
    let text: String = redis::from_redis_value(text).map_err(StoreError::corrupt)?;
    let pairs = text.lines().filter_map(|line| line.split_once(':'));
    Ok(pairs
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect())
}
