//! Memory costs of the layer for a request that does not use the session.

use allocation_counter::measure;
use axum::{Router, body::Body, routing::get};
use carafe::{ClientSide, SecretKey, SessionConfig, SessionLayer};
use http::{Request, header};
use tower::{ServiceExt, layer::util::Identity};

fn allocations(router: &Router, cookie: &str) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let once = || {
        let request = Request::get("/")
            .header(header::COOKIE, cookie)
            .body(Body::empty())
            .unwrap();
        let router = router.clone();
        measure(|| drop(runtime.block_on(router.oneshot(request)).unwrap())).count_total
    };
    once();
    once()
}

#[test]
fn an_untouched_request_costs_at_most_three_small_allocations() {
    let routes = || Router::new().route("/", get(async || "body"));
    let key = || {
        SecretKey::new("4cbd5c8cd0a4e2ed1fd3c9cb6a07c9d1b0ff4d4e1c8f4c5b9e3a2d1c0b9a8f7e").unwrap()
    };
    let without = routes().layer(Identity::new());
    let safe = SessionLayer::new(ClientSide::encrypted(key(), "shop"));
    let flask =
        SessionLayer::with_config(ClientSide::signed(key()), SessionConfig::flask()).unwrap();
    for cookie in [
        "theme=dark",
        "__Host-Http-session=junk",
        &"a=b; ".repeat(1_000),
    ] {
        let baseline = allocations(&without, cookie);
        assert!(baseline > 0, "the counter counts");
        let cost =
            |layer: &SessionLayer| allocations(&routes().layer(layer.clone()), cookie) - baseline;
        assert!(cost(&safe) <= 3, "{} allocations", cost(&safe));
        // Flask's preset keeps the header, to refresh a permanent session.
        assert!(cost(&flask) <= 5, "Flask: {} allocations", cost(&flask));
    }
}
