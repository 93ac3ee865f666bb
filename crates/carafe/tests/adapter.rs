//! What every adapter must do, done by this one under axum's own server.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use axum::{
    Router,
    response::{AppendHeaders, IntoResponse, Response},
    routing::get,
};
use carafe::{Cookies, Session, SessionError, SessionLayer};
use carafe_test_adapters::{Adapter, Handler, Reply, Server, Site, adapter_conformance};
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
                    Handler::Plain(reply) => get(async move || rendered(reply)),
                    Handler::Session(does) => get(async move |session: Session| {
                        let reply = does(&session)?;
                        if reply.commits {
                            session.commit().await?;
                        }
                        Ok::<_, SessionError>(rendered(reply))
                    }),
                    Handler::Cookies(shows) => get(async move |cookies: Cookies| shows(&cookies)),
                },
            )
        });
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
