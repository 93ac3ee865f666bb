//! The requests of the benchmarks over HTTP.

/// The kind of a request.
#[derive(Clone, Copy)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) path: &'static str,
    pub(crate) with_cookie: bool,
}

/// The requests that do not change who the user is.
pub(crate) const STEADY: [Scenario; 4] = [
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
];
pub(crate) const LOG_IN: Scenario = Scenario {
    name: "5 log-in",
    path: "/login",
    with_cookie: true,
};
pub(crate) const SCENARIOS: [Scenario; 5] = {
    let [first, second, third, fourth] = STEADY;
    [first, second, third, fourth, LOG_IN]
};
