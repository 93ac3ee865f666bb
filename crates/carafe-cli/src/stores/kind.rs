//! The kinds of stores.

/// A kind of store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StoreKind {
    Sqlite,
    Redis,
    Postgres,
    MySql,
}

impl StoreKind {
    pub(crate) const ALL: [Self; 4] = [Self::Sqlite, Self::Redis, Self::Postgres, Self::MySql];

    /// Its word in reports; also the name of the feature that builds it in.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Redis => "redis",
            Self::Postgres => "postgres",
            Self::MySql => "mysql",
        }
    }

    /// Its name for people.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Redis => "Redis",
            Self::Postgres => "Postgres",
            Self::MySql => "MySQL",
        }
    }

    /// The kind that a URL's scheme names.
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

    /// Whether this program can open one.
    pub(crate) const fn is_built_in(self) -> bool {
        match self {
            Self::Sqlite => true,
            Self::Redis => cfg!(feature = "redis"),
            Self::Postgres => cfg!(feature = "postgres"),
            Self::MySql => cfg!(feature = "mysql"),
        }
    }
}
