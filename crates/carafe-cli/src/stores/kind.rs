//! The kinds of stores.

/// The kind of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StoreKind {
    Sqlite,
    Redis,
    Postgres,
    MySql,
}

impl StoreKind {
    pub(crate) const ALL: [Self; 4] = [Self::Sqlite, Self::Redis, Self::Postgres, Self::MySql];

    /// Returns the name in reports, which is also the name of the cargo feature.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Redis => "redis",
            Self::Postgres => "postgres",
            Self::MySql => "mysql",
        }
    }

    /// Returns the name for people.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Redis => "Redis",
            Self::Postgres => "Postgres",
            Self::MySql => "MySQL",
        }
    }

    /// Returns the kind for the scheme of a URL.
    pub(crate) fn of_scheme(scheme: &str) -> Option<Self> {
        Some(match scheme {
            "sqlite" => Self::Sqlite,
            "redis" | "rediss" | "valkey" | "valkeys" | "redis+unix" | "valkey+unix" | "unix"
            | "redis+cluster" | "rediss+cluster" | "redis+sentinel" => Self::Redis,
            "postgres" | "postgresql" => Self::Postgres,
            "mysql" | "mariadb" => Self::MySql,
            _ => return None,
        })
    }

    /// Returns whether this program is built with the store.
    pub(crate) const fn is_built_in(self) -> bool {
        match self {
            Self::Sqlite => true,
            Self::Redis => cfg!(feature = "redis"),
            Self::Postgres => cfg!(feature = "postgres"),
            Self::MySql => cfg!(feature = "mysql"),
        }
    }
}
