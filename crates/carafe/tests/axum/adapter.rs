//! The tests for all adapters, run on axum's server.

use axum::{
    Router,
    body::Body,
    response::{AppendHeaders, IntoResponse, Response},
    routing::any,
};
use carafe::{
    Cookies, CsrfLayer, LoggedIn, RecentlyAuthenticated, Session, SessionError, SessionLayer,
};
use carafe_test_adapters::{
    Adapter, Handler, Reply, Server, Site, adapter_conformance, adapter_names,
};
use http::StatusCode;
use tokio::{net::TcpListener, sync::oneshot};

struct Axum;

impl Adapter for Axum {
    fn serve(site: Site) -> Server {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let (running, stop) = oneshot::channel::<()>();
        std::thread::spawn(move || {
            runtime.spawn(async { axum::serve(listener, router(site)).await });
            let _ = stop.blocking_recv();
            runtime.shutdown_background();
        });
        Server::new(address, running)
    }
}

fn router(site: Site) -> Router {
    let router = site
        .routes
        .into_iter()
        .fold(Router::new(), |router, (path, handler)| {
            router.route(
                path,
                match handler {
                    Handler::Plain(reply) => any(async move || rendered(reply)),
                    Handler::Session(does) => any(async move |session: Session| {
                        Ok::<_, SessionError>(rendered(does(session).await?))
                    }),
                    Handler::Stream(chunks) => {
                        any(async move |session: Session| Body::from_stream(chunks(session)))
                    }
                    Handler::LoggedIn => any(async |user: LoggedIn| user.user),
                    Handler::RecentlyAuthenticated => {
                        any(async |RecentlyAuthenticated(user): RecentlyAuthenticated<5>| user.user)
                    }
                    Handler::Cookies(shows) => any(async move |cookies: Cookies| shows(&cookies)),
                },
            )
        });
    let router = match site.csrf {
        Some(policy) => router.layer(CsrfLayer::new(policy)),
        None => router,
    };
    match site.manager {
        Some(manager) => router.layer(SessionLayer::from(manager)),
        None => router,
    }
}

fn rendered(reply: Reply) -> Response {
    let status = StatusCode::from_u16(reply.status).unwrap();
    let response = (status, AppendHeaders(reply.headers), reply.body).into_response();
    let cookies = reply.cookies.into_iter();
    cookies.fold(response, |response, cookie| {
        (cookie, response).into_response()
    })
}

adapter_conformance!(Axum);
adapter_names!(carafe);
