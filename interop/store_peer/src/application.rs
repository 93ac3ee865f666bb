//! The work of an adapter: a manager, a slot for each request, and a commit of the slot.

use std::{collections::HashMap, error::Error, sync::Arc, time::Duration};

use carafe_core::{
    clock::Timestamp,
    error::ErrorChain,
    flask::stored::{self, FlaskSession},
    json::Value,
    key::{KeyRing, SecretKey},
    session::{
        ClientSide, CommitError, Rejection, ServerSide, Session, SessionBackend, SessionConfig,
        SessionError, SessionManager, Slot,
    },
    store::{ErasedStore, StoreError},
    token::signed::{SignedFormat, Signer, SignerSettings},
};
use carafe_redis::{Deadlines, RedisOptions};
use carafe_sqlite::SqliteOptions;
use carafe_sqlx::{MySqlStore, PostgresStore};

use crate::protocol::{Answer, Client, Format, Preset, Settings, Step, Store};

/// Longer than any delay on a busy machine; the comparison does not measure time.
const PATIENT: Duration = Duration::from_secs(20);

pub(crate) struct Application {
    manager: Arc<SessionManager>,
    /// The open requests.
    open: HashMap<String, (Slot, Session)>,
}

impl Application {
    pub(crate) async fn new(settings: Settings) -> Result<Self, Box<dyn Error>> {
        let lifetime = Duration::from_secs(settings.lifetime);
        let (config, format) = match settings.preset {
            Preset::Flask => (SessionConfig::flask(), SignedFormat::flask()),
            Preset::Quart => (SessionConfig::flask(), SignedFormat::quart()),
            Preset::Starlette => (SessionConfig::starlette(), SignedFormat::starlette()),
        };
        let keys = settings.secret.as_ref().map(SecretKey::dangerous_weak);
        let keys = keys.transpose()?.map(KeyRing::new);
        let side: SessionBackend = match (settings.store, keys) {
            (Store::Cookie, None) => return Err("a cookie needs a secret".into()),
            (Store::Cookie, Some(keys)) => ClientSide::signed_as(keys, format).into(),
            (_, keys) => {
                let side = ServerSide::shared(store(&settings, lifetime).await?);
                let sign = |keys| Signer::new(&keys, SignerSettings::flask_session());
                match keys.map(sign) {
                    Some(signer) => side.with_signed_ids(signer).into(),
                    None => side.into(),
                }
            }
        };
        Ok(Self {
            manager: Arc::new(SessionManager::new(side, config.with_lifetime(lifetime))?),
            open: HashMap::new(),
        })
    }

    pub(crate) async fn begin(
        &mut self,
        request: String,
        cookie: Option<String>,
        client: Option<Client>,
    ) -> Answer {
        let slot = self.manager.begin();
        if let Some(client) = &client {
            let bytes = |text: &String| text.chars().filter_map(|c| u8::try_from(c).ok()).collect();
            let [forwarded_for, user_agent]: [Option<Vec<u8>>; 2] =
                [&client.forwarded_for, &client.user_agent].map(|value| value.as_ref().map(bytes));
            slot.note_client(
                forwarded_for.as_deref(),
                Some(client.peer),
                user_agent.as_deref(),
            );
        }
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
        let public_id = session.public_id().map(|public_id| public_id.to_string());
        let rejection = session.rejection();
        let rejection = rejection.as_ref().map(Rejection::code);
        let seen = Answer::seen(
            &members,
            session.user().as_deref(),
            public_id.as_deref(),
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
            Ok(effects) => Answer::sent(
                effects.set_cookie.as_deref(),
                effects.remember_cookie.as_deref(),
            ),
            Err(CommitError::Store { source, .. }) => refusal(&source),
            Err(error) => Answer::refused("commit", error),
        }
    }
}

fn refusal(error: &StoreError) -> Answer {
    Answer::refused(error.code(), ErrorChain::of(error))
}

fn apply(session: &Session, step: Step) -> Result<(), SessionError> {
    match step {
        Step::Set(key, text) => {
            let value = Value::parse(&text, true).expect("the harness sends JSON");
            session.insert(&key, &value)
        }
        Step::Flash(category, text) => {
            let value = Value::parse(&text, true).expect("the harness sends JSON");
            session.flash(&category, &value)
        }
        Step::Flashes(key) => {
            let taken = session.take_flashes()?.into_iter();
            let pairs =
                taken.map(|flash| Value::List(vec![Value::from(&*flash.category), flash.value]));
            session.insert(&key, &Value::List(pairs.collect()))
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
) -> Result<Arc<dyn ErasedStore>, Box<dyn Error>> {
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
        Store::Cookie => return Err("a cookie is no store".into()),
    })
}
