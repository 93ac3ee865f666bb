//! The requests of the benchmark.

/// The kind of a request.
#[derive(Clone, Copy)]
pub(super) struct Scenario {
    pub(super) name: &'static str,
    pub(super) path: &'static str,
    pub(super) with_cookie: bool,
}

pub(super) const SCENARIOS: [Scenario; 5] = [
    Scenario {
        name: "1 untouched, no cookie",
        path: "/untouched",
        with_cookie: false,
    },
    Scenario {
        name: "2 untouched, cookie",
        path: "/untouched",
        with_cookie: true,
    },
    Scenario {
        name: "3 read",
        path: "/read",
        with_cookie: true,
    },
    Scenario {
        name: "4 read + write",
        path: "/write",
        with_cookie: true,
    },
    Scenario {
        name: LOG_IN,
        path: "/login",
        with_cookie: true,
    },
];
pub(super) const LOG_IN: &str = "5 log-in";
