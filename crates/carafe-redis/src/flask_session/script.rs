//! The scripts of this layout.

use std::sync::LazyLock;

use crate::script::LuaScript;

macro_rules! scripts {
    ($($name:ident: $file:literal;)+) => {
        $(
            pub(super) static $name: LazyLock<LuaScript> =
                LazyLock::new(|| LuaScript::new(concat!(include_str!("scripts/look.lua"), include_str!($file))));
        )+
    };
}

scripts! {
    LOAD: "scripts/load.lua";
    CREATE: "scripts/create.lua";
    REPLACE: "scripts/replace.lua";
    WITHDRAW: "scripts/withdraw.lua";
    TOUCH: "scripts/touch.lua";
}
