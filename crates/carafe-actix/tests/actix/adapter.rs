//! The tests for all adapters, run on actix-web's server.

use std::{net::TcpListener, sync::mpsc};

use actix_web::{
    App, HttpResponse, HttpServer, dev::ServerHandle, http::StatusCode, middleware::Condition, web,
};
use carafe_actix::{
    Cookies, CsrfMiddleware, LoggedIn, RecentlyAuthenticated, Session, SessionError,
    SessionMiddleware,
};
use carafe_test_adapters::{
    Adapter, Handler, Reply, Server, Site, adapter_conformance, adapter_names, tokens::flask,
};

struct Actix;

impl Adapter for Actix {
    fn serve(site: Site) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let server = HttpServer::new(move || {
                    let (has_layer, spare) = (site.manager.is_some(), flask().manager);
                    let manager = site.manager.clone().or(spare).unwrap();
                    let csrf = CsrfMiddleware::new(site.csrf.clone().unwrap_or_default());
                    App::new()
                        .wrap(Condition::new(site.csrf.is_some(), csrf))
                        .wrap(Condition::new(has_layer, SessionMiddleware::from(manager)))
                        .configure(|config| routes(config, &site))
                });
                // By default, a handler continues after its client has disconnected, which would
                // defeat the tests.
                let server = server.h1_allow_half_closed(false);
                let server = server.workers(2).disable_signals().listen(listener);
                let running = server.unwrap().run();
                tell.send(running.handle()).unwrap();
                running.await
            })
        });
        Server::new(address, Running(told.recv().unwrap()))
    }
}

/// Stops the server without waiting for it.
struct Running(ServerHandle);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.stop(false));
    }
}

fn routes(config: &mut web::ServiceConfig, site: &Site) {
    for (path, handler) in &site.routes {
        let mut resource = web::resource(*path);
        for method in [web::get, web::head, web::post] {
            resource = resource.route(match handler.clone() {
                Handler::Plain(reply) => method().to(move || {
                    let reply = reply.clone();
                    async move { rendered(reply) }
                }),
                Handler::Session(does) => method().to(move |session: Session| {
                    let reply = does(session);
                    async move { Ok::<_, SessionError>(rendered(reply.await?)) }
                }),
                Handler::Stream(chunks) => method().to(move |session: Session| {
                    std::future::ready(HttpResponse::Ok().streaming(chunks(session)))
                }),
                Handler::LoggedIn => method().to(async |user: LoggedIn| user.user),
                Handler::RecentlyAuthenticated => {
                    type Recent = RecentlyAuthenticated<5>;
                    method().to(async |RecentlyAuthenticated(user): Recent| user.user)
                }
                Handler::Cookies(shows) => {
                    method().to(move |cookies: Cookies| std::future::ready(shows(&cookies)))
                }
            });
        }
        config.service(resource);
    }
}

fn rendered(reply: Reply) -> HttpResponse {
    let mut response = HttpResponse::build(StatusCode::from_u16(reply.status).unwrap());
    for header in reply.headers {
        response.append_header(header);
    }
    for cookie in reply.cookies {
        response.append_header(cookie);
    }
    response.body(reply.body)
}

adapter_conformance!(Actix);
adapter_names!(carafe_actix);
