//! What an adapter does: a manager, a slot for each request, and a commit at its end.

use std::{collections::HashMap, error::Error, sync::Arc, time::Duration};

use carafe_core::{
    clock::Timestamp,
    flask::stored::{self, FlaskSession},
    json::Value,
    key::{KeyRing, SecretKey},
    session::{
        CommitError, Rejection, ServerSide, Session, SessionConfig, SessionError, SessionManager,
        Slot,
    },
    store::{SessionStore, StoreError},
    token::signed::{Signer, SignerSettings},
};
use carafe_redis::{Deadlines, RedisOptions};
use carafe_sqlite::SqliteOptions;
use carafe_sqlx::{MySqlStore, PostgresStore};

use crate::protocol::{Answer, Format, Settings, Step, Store};

/// A busy machine does not hit these; what is compared is not time.
const PATIENT: Duration = Duration::from_secs(20);

pub(crate) struct Application {
    manager: Arc<SessionManager>,
    /// The requests that have begun.
    open: HashMap<String, (Slot, Session)>,
}

impl Application {
    pub(crate) async fn new(settings: Settings) -> Result<Self, Box<dyn Error>> {
        let lifetime = Duration::from_secs(settings.lifetime);
        let mut side = ServerSide::shared(store(&settings, lifetime).await?);
        if let Some(secret) = &settings.secret {
            let keys = KeyRing::new(SecretKey::short(secret)?);
            side = side.with_signed_ids(Signer::new(&keys, SignerSettings::flask_session()));
        }
        let config = SessionConfig::flask().with_lifetime(lifetime);
        Ok(Self {
            manager: Arc::new(SessionManager::new(side, config)?),
            open: HashMap::new(),
        })
    }

    pub(crate) async fn begin(&mut self, request: String, cookie: Option<String>) -> Answer {
        let slot = self.manager.begin();
        let lines = cookie.iter().map(String::as_bytes);
        let session = match self.manager.open(&slot, lines, Timestamp::now()).await {
            Ok(session) => session,
            Err(error) => return refusal(&error),
        };
        let member = |key: String| {
            let text = session.json_text(&key)?;
            Some((key, text))
        };
        let members: Vec<_> = session.keys().into_iter().filter_map(member).collect();
        let handle = session.handle().map(|handle| handle.to_string());
        let rejection = session.rejection();
        let rejection = rejection.as_ref().map(Rejection::code);
        let seen = Answer::seen(
            &members,
            session.user().as_deref(),
            handle.as_deref(),
            rejection,
        );
        self.open.insert(request, (slot, session));
        seen
    }

    pub(crate) async fn finish(&mut self, request: &str, steps: Vec<Step>) -> Answer {
        let Some((slot, session)) = self.open.remove(request) else {
            return Answer::fault(format!("no request {request} has begun"));
        };
        for step in steps {
            if let Err(error) = apply(&session, step) {
                return Answer::fault(error);
            }
        }
        match self.manager.end(&slot, [], 200, Timestamp::now).await {
            Ok(effects) => Answer::sent(effects.set_cookie.as_deref()),
            Err(CommitError::Store { source, .. }) => refusal(&source),
            Err(error) => Answer::refused("commit", error),
        }
    }
}

fn refusal(error: &StoreError) -> Answer {
    Answer::refused(error.code(), error)
}

fn apply(session: &Session, step: Step) -> Result<(), SessionError> {
    match step {
        Step::Set(key, text) => {
            let value = Value::parse(&text, true).expect("the harness sends JSON");
            session.insert(&key, &value)
        }
        Step::Remove(key) => session.remove(&key).map(drop),
        Step::Increment(key) => {
            let counted = session.update(&key, |count: Option<u64>| count.unwrap_or(0) + 1);
            counted.map(drop)
        }
        Step::Clear => session.clear(),
        Step::Permanent => session.set_permanent(true),
        Step::Renew => session.renew(),
        Step::LogIn(user) => session.log_in(&user),
        Step::LogOut => session.log_out(),
    }
}

async fn store(
    settings: &Settings,
    lifetime: Duration,
) -> Result<Arc<dyn SessionStore>, Box<dyn Error>> {
    let format = match settings.format {
        Format::MsgPack => stored::Format::MsgPack,
        Format::Json => stored::Format::Json,
    };
    let layout = FlaskSession::new(format).with_prefix(settings.prefix.clone());
    let layout = layout.with_lifetime(lifetime);
    let table = settings.table.as_deref().unwrap_or("sessions");
    let sql = carafe_sqlx::Deadlines {
        connect: PATIENT,
        read: PATIENT,
        write: PATIENT,
    };
    Ok(match settings.store {
        Store::Redis => {
            let options = RedisOptions::new().deadlines(Deadlines {
                connect: PATIENT,
                read: PATIENT,
                write: PATIENT,
            });
            let redis = options.connect(settings.url.as_str()).await?;
            Arc::new(redis.flask_session(layout))
        }
        Store::Postgres => {
            let store = PostgresStore::connect(&settings.url).await?.deadlines(sql);
            Arc::new(store.flask_session(layout).table(table)?)
        }
        Store::MySql => {
            let store = MySqlStore::connect(&settings.url).await?.deadlines(sql);
            Arc::new(store.flask_session(layout).table(table)?)
        }
        Store::Sqlite => {
            let options = SqliteOptions::default().deadline(PATIENT);
            let store =
                carafe_sqlite::FlaskSessionStore::open(&settings.url, table, layout, options);
            Arc::new(store?)
        }
    })
}
