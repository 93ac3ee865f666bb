//! What every adapter must do, done by this one under actix-web's own server.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::{net::TcpListener, sync::mpsc};

use actix_web::{
    App, HttpResponse, HttpServer, dev::ServerHandle, http::StatusCode, middleware::Condition, web,
};
use carafe_actix::{Cookies, Session, SessionError, SessionMiddleware};
use carafe_test_adapters::{
    Adapter, Handler, Reply, Server, Site, adapter_conformance, tokens::flask,
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
                    App::new()
                        .wrap(Condition::new(has_layer, SessionMiddleware::from(manager)))
                        .configure(|config| routes(config, &site))
                });
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
        for method in [web::get, web::head] {
            resource = resource.route(match handler.clone() {
                Handler::Plain(reply) => method().to(move || {
                    let reply = reply.clone();
                    async move { rendered(reply) }
                }),
                Handler::Session(does) => method().to(move |session: Session| {
                    let does = does.clone();
                    async move {
                        let reply = does(&session)?;
                        if reply.commits {
                            session.commit().await?;
                        }
                        Ok::<_, SessionError>(rendered(reply))
                    }
                }),
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
