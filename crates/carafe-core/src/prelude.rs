//! What the author of a service names. Each adapter re-exports it whole, so that a service depends on its adapter
//! alone.

pub use crate::{
    clock::Timestamp,
    cookie::{self, CookieError, CookiePolicy, RequestCookies as Cookies, SameSite, SetCookie},
    flask::{self, FlaskConfig},
    json::{
        self,
        tag::{Bytes, DateTime, Markup, Tuple, Uuid},
    },
    key::{self, KeyError, KeyRing, SecretKey},
    session::{
        ClientSide, Flash, OnCorrupt, Refresh, ServerSide, Session, SessionConfig, SessionError,
        SessionManager, Side, Timeouts,
    },
    store::{self, MemoryStore, SessionStore, StoreError},
    token,
};
