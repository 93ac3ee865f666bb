//! The text of `carafe --version`.

use std::sync::LazyLock;

use clap::ValueEnum as _;

use crate::{format::FormatName, stores::StoreKind};

/// Returns the version and the enabled features. Static, as clap requires.
pub(super) fn long() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(text);
    &TEXT
}

fn text() -> String {
    let stores = StoreKind::ALL.into_iter();
    let stores: Vec<_> = stores
        .filter(|kind| kind.is_built_in())
        .map(StoreKind::as_str)
        .collect();
    let stores = match stores.is_empty() {
        true => "none".to_owned(),
        false => stores.join(", "),
    };
    let formats = FormatName::value_variants()
        .iter()
        .map(|format| format.as_str());
    // A layout that only `migrate --from` reads.
    let stored = cfg!(feature = "flask-session").then_some("flask-session");
    let formats: Vec<_> = formats.chain(stored).collect();
    format!(
        "{}\nstores: {stores}\nformats: {}",
        env!("CARGO_PKG_VERSION"),
        formats.join(", ")
    )
}
