//! The operations, implemented with Carafe's public API only.

use std::time::Duration;

use carafe_core::{
    json::{self, JsonDialect, Text, Value, string},
    key::KeyUse,
    session::{Patch, SessionData},
    token::signed::{Signer, TimestampSigner, UrlSafeSerializer, UrlSafeTimedSerializer},
};
use serde_json::{Value as Json, json};

use crate::{
    describe::{describe, revive, revive_text},
    mutate::mutate,
    protocol::{Class, Failure, Op, Request, needed},
    settings::{self, Sessions},
};

type Answer = Result<Json, Failure>;

/// A key and its new JSON text, or `None` to remove the key.
type Change = (Text, Option<String>);

pub(crate) fn perform(request: &Request) -> Answer {
    match request.op {
        Op::Read => read(request),
        Op::Write => write(request),
        Op::Edit => edit(request),
        Op::Refuse => refuse(request),
        Op::Mutate => mutate(request),
        Op::Sign => sign(request, needed(request.class, "class")?),
        Op::Unsign => unsign(request, needed(request.class, "class")?),
    }
}

fn read(request: &Request) -> Answer {
    let sessions = Sessions::of(request)?;
    let opened = sessions.open(needed(request.cookie.as_deref(), "cookie")?.as_bytes())?;
    let data = SessionData::parse(opened.payload.clone(), sessions.style())?;
    let members = data.iter().map(|(key, text)| {
        let value = Value::parse(text, sessions.style().tags)?;
        Ok(json!([
            describe(&Value::parse(key, false)?),
            describe(&value)
        ]))
    });
    let session = members.collect::<Result<Json, Failure>>()?;
    let key = match opened.key {
        KeyUse::Current => "current",
        KeyUse::Fallback(_) => "fallback",
    };
    Ok(json!({ "ok": true, "payload": opened.payload, "session": session, "key": key }))
}

fn write(request: &Request) -> Answer {
    let sessions = Sessions::of(request)?;
    let session = needed(request.session.as_deref(), "session")?;
    let changes = session.iter().map(|pair| change(pair, sessions.style()));
    let changes: Vec<_> = changes.collect::<Result<_, _>>()?;
    let payload = rendered(&SessionData::default(), changes, sessions.style())?;
    Ok(json!({ "ok": true, "cookie": sessions.seal(&payload)?, "payload": payload }))
}

fn edit(request: &Request) -> Answer {
    let sessions = Sessions::of(request)?;
    let style = sessions.style();
    let opened = sessions.open(needed(request.cookie.as_deref(), "cookie")?.as_bytes())?;
    let change = match (&request.set, &request.remove) {
        (Some(pair), None) => change(pair, style)?,
        (None, Some(key)) => (revive_text(key)?, None),
        _ => return Err(Failure::fault("`edit` takes `set` or `remove`")),
    };
    let payload = rendered(
        &SessionData::parse(opened.payload, style)?,
        vec![change],
        style,
    )?;
    if payload == "{}" {
        return Ok(json!({ "ok": true, "cookie": null, "payload": null }));
    }
    Ok(json!({ "ok": true, "cookie": sessions.seal(&payload)?, "payload": payload }))
}

fn change((key, value): &(Json, Json), style: JsonDialect) -> Result<Change, Failure> {
    let text = json::to_text(&revive(value)?, style)?;
    Ok((revive_text(key)?, Some(text)))
}

/// Returns the payload after the changes, through a patch if Rust can represent every key.
fn rendered(
    base: &SessionData,
    changes: Vec<Change>,
    style: JsonDialect,
) -> Result<String, Failure> {
    if changes.iter().any(|(key, _)| key.as_str().is_none()) {
        return rendered_by_raw_keys(base, changes, style);
    }
    let mut patch = Patch::default();
    for (key, text) in changes {
        let key = key.as_str().unwrap_or_default();
        match text {
            Some(text) => patch.set(&key, text),
            None => patch.remove(&key),
        }
    }
    Ok(patch.render(base, style))
}

/// Returns the payload for keys with lone surrogates, which only their JSON text can represent.
fn rendered_by_raw_keys(
    base: &SessionData,
    changes: Vec<Change>,
    style: JsonDialect,
) -> Result<String, Failure> {
    let owned = |(key, text): (&str, &str)| (key.to_owned(), text.to_owned());
    let mut members: Vec<_> = base.iter().map(owned).collect();
    for (key, text) in changes {
        let raw = json::to_text(&key, style)?;
        let same = |member: &(String, String)| string::compare(&member.0, &raw).is_eq();
        match (members.iter().position(same), text) {
            (Some(position), Some(text)) => members[position].1 = text,
            (Some(position), None) => drop(members.remove(position)),
            (None, Some(text)) => members.push((raw, text)),
            (None, None) => {}
        }
    }
    let members = members
        .iter()
        .map(|(key, text)| (key.as_str(), text.as_str()));
    Ok(json::write_object(members, style))
}

fn refuse(request: &Request) -> Answer {
    let sessions = Sessions::of(request)?;
    let cookies = needed(request.cookies.as_deref(), "cookies")?;
    let mut taken = Vec::new();
    for (index, cookie) in cookies.iter().enumerate() {
        if sessions.open(&bytes(cookie)?).is_ok() {
            taken.push(index);
        }
    }
    Ok(json!({ "ok": true, "taken": taken }))
}

/// Converts characters to bytes, one byte per character.
fn bytes(text: &str) -> Result<Vec<u8>, Failure> {
    let bytes = text.chars().map(|letter| u8::try_from(letter).ok());
    let bytes: Option<_> = bytes.collect();
    bytes.ok_or_else(|| Failure::fault("a character of a cookie is not a byte"))
}

fn sign(request: &Request, class: Class) -> Answer {
    let now = settings::now(request)?;
    let (keys, settings) = (settings::keys(request)?, settings::signer(request, class));
    let text = || needed(request.content.as_str(), "content");
    let value = || revive(&request.content);
    let signed = match class {
        Class::Signer => Signer::new(&keys, settings).sign(text()?),
        Class::TimestampSigner => TimestampSigner::new(&keys, settings).sign(text()?, now),
        Class::UrlSafeSerializer => UrlSafeSerializer::new(&keys, settings).dumps(&value()?)?,
        Class::UrlSafeTimedSerializer => {
            UrlSafeTimedSerializer::new(&keys, settings).dumps(&value()?, now)?
        }
    };
    Ok(json!({ "ok": true, "signed": signed }))
}

fn unsign(request: &Request, class: Class) -> Answer {
    let (now, max_age) = (settings::now(request)?, settings::max_age(request));
    let (keys, settings) = (settings::keys(request)?, settings::signer(request, class));
    let signed = needed(request.signed.as_deref(), "signed")?;
    let content = match class {
        Class::Signer => json!(Signer::new(&keys, settings).unsign(signed, now)?),
        Class::TimestampSigner => {
            let signer = TimestampSigner::new(&keys, settings).with_clock_skew(Duration::ZERO);
            json!(signer.unsign(signed, max_age, now)?.value)
        }
        Class::UrlSafeSerializer => {
            describe(&UrlSafeSerializer::new(&keys, settings).loads_value(signed, now)?)
        }
        Class::UrlSafeTimedSerializer => {
            let links = UrlSafeTimedSerializer::new(&keys, settings);
            let links = links.with_clock_skew(Duration::ZERO);
            describe(&links.loads_value(signed, max_age, now)?)
        }
    };
    Ok(json!({ "ok": true, "content": content }))
}
