//! The Lua scripts and calls of them.
//!
//! A script is called by its hash. A server that does not have it (a new server, or one after
//! `SCRIPT FLUSH`) rejects the call before it does anything, and then gets the text, which it
//! caches.

use std::{borrow::Cow, sync::LazyLock};

use redis::{Cmd, Script};

macro_rules! scripts {
    ($($(#[$doc:meta])* $name:ident: $($file:literal),+;)+) => {
        $(
            $(#[$doc])*
            pub(crate) static $name: LazyLock<LuaScript> =
                LazyLock::new(|| LuaScript::new(concat!($(include_str!($file)),+)));
        )+

        /// Returns all scripts.
        pub(crate) fn all() -> Vec<&'static LuaScript> {
            vec![$(&*$name),+]
        }
    };
}

scripts! {
    CREATE: "scripts/value.lua", "scripts/index.lua", "scripts/create.lua";
    PATCH: "scripts/unlike.lua", "scripts/patch.lua", "scripts/index.lua", "scripts/relist.lua", "scripts/prolong.lua";
    ROTATE: "scripts/value.lua", "scripts/unlike.lua", "scripts/index.lua", "scripts/rotate.lua";
    RESERVE: "scripts/reserve.lua";
    COMMIT: "scripts/value.lua", "scripts/unlike.lua", "scripts/commit.lua";
    FILL: "scripts/value.lua", "scripts/fill.lua";
    SETTLE: "scripts/value.lua", "scripts/settle.lua";
    LEAD: "scripts/value.lua", "scripts/lead.lua";
    TOUCH: "scripts/value.lua", "scripts/record.lua", "scripts/index.lua", "scripts/relist.lua", "scripts/touch.lua";
    REMOVE: "scripts/value.lua", "scripts/record.lua", "scripts/index.lua", "scripts/remove.lua";
    EXPIRE: "scripts/record.lua", "scripts/expire.lua";
    LIST: "scripts/value.lua", "scripts/list.lua";
    ENLIST: "scripts/index.lua", "scripts/enlist.lua";
    DELIST: "scripts/index.lua", "scripts/delist.lua";
    NAMED: "scripts/index.lua", "scripts/named.lua";
    UP_TO: "scripts/upto.lua";
    CLAIM: "scripts/claim.lua";
}

/// The text of a script and its hash.
pub(crate) struct LuaScript {
    text: &'static str,
    hash: String,
}

impl LuaScript {
    pub(crate) fn new(text: &'static str) -> Self {
        let hash = Script::new(text).get_hash().to_owned();
        Self { text, hash }
    }

    pub(crate) fn hash(&self) -> &str {
        &self.hash
    }
}

/// An argument of a script.
pub(crate) trait Argument<'a> {
    fn bytes(self) -> Cow<'a, [u8]>;
}

impl<'a> Argument<'a> for &'a str {
    fn bytes(self) -> Cow<'a, [u8]> {
        Cow::Borrowed(self.as_bytes())
    }
}

impl<'a> Argument<'a> for String {
    fn bytes(self) -> Cow<'a, [u8]> {
        Cow::Owned(self.into_bytes())
    }
}

impl<'a> Argument<'a> for Cow<'a, str> {
    fn bytes(self) -> Cow<'a, [u8]> {
        match self {
            Cow::Borrowed(text) => Argument::bytes(text),
            Cow::Owned(text) => Argument::bytes(text),
        }
    }
}

impl<'a> Argument<'a> for Vec<u8> {
    fn bytes(self) -> Cow<'a, [u8]> {
        Cow::Owned(self)
    }
}

/// A script with its keys and arguments.
pub(crate) struct Call<'a> {
    source: &'static LuaScript,
    keys: Vec<String>,
    args: Vec<Cow<'a, [u8]>>,
}

impl<'a> Call<'a> {
    pub(crate) fn new(
        source: &'static LuaScript,
        keys: impl IntoIterator<Item = String>,
        args: impl IntoIterator<Item = impl Argument<'a>>,
    ) -> Self {
        let keys = keys.into_iter().collect();
        let args = args.into_iter().map(Argument::bytes).collect();
        Self { source, keys, args }
    }
}

/// A [`Call`], or a type that writes its keys and arguments without storing them.
pub(crate) trait Callable {
    fn source(&self) -> &'static LuaScript;

    /// Returns the number of keys, and the approximate size of keys and arguments in bytes.
    fn size(&self) -> (usize, usize);

    /// Writes the keys, then the arguments.
    fn write(&self, command: &mut Cmd);

    /// Returns the command that calls the script by its hash.
    fn by_hash(&self) -> Cmd {
        self.command("EVALSHA", &self.source().hash)
    }

    /// Returns the command that contains the text of the script.
    fn by_text(&self) -> Cmd {
        self.command("EVAL", self.source().text)
    }

    fn command(&self, verb: &str, script: &str) -> Cmd {
        let (keys, bytes) = self.size();
        let mut command = Cmd::with_capacity(16, bytes + script.len() + 16);
        command.arg(verb).arg(script).arg(keys);
        self.write(&mut command);
        command
    }
}

impl Callable for Call<'_> {
    fn source(&self) -> &'static LuaScript {
        self.source
    }

    fn size(&self) -> (usize, usize) {
        let keys: usize = self.keys.iter().map(String::len).sum();
        let args: usize = self.args.iter().map(|arg| arg.len()).sum();
        (self.keys.len(), keys + args)
    }

    fn write(&self, command: &mut Cmd) {
        command.arg(&self.keys[..]);
        for arg in &self.args {
            command.arg(&**arg);
        }
    }
}
