//! SHUT: graceful shutdown.

use std::time::Duration;

use axum::Router;
use carafe::{ErasedStore, Sweeping};
use http::StatusCode;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinSet,
};

use crate::{
    node::{Node, SLACK, number_in},
    server::Server,
};

/// Sends `GET path` over a new connection; returns the status and the body of the response.
async fn get(port: u16, path: &str, cookie: &str) -> Option<(String, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncookie: {cookie}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?;
    Some((status.to_owned(), body.to_owned()))
}

async fn serve(listener: TcpListener, app: Router, stop: oneshot::Receiver<()>) {
    let stopped = async {
        let _ = stop.await;
    };
    let served = axum::serve(listener, app).with_graceful_shutdown(stopped);
    served.await.unwrap();
}

/// A graceful shutdown under load loses no acknowledged change.
///
/// The server completes the requests that it has started. The sweeper stops, and no log-out is
/// pending.
pub(crate) async fn a_graceful_shutdown_loses_nothing_acknowledged<S: Server>() {
    let node = Node::patient(S::shared()).await;
    let mut jars = Vec::new();
    for number in 0..8 {
        jars.push(node.visitor(&number.to_string()).await.jar());
    }
    let sweeping = Sweeping::every(Duration::from_secs(1));
    let sweeper = sweeping.start(node.store.clone() as std::sync::Arc<dyn ErasedStore>);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (stop, stopped) = oneshot::channel();
    let server = tokio::spawn(serve(listener, node.app.clone(), stopped));
    let mut visitors = JoinSet::new();
    for jar in jars {
        visitors.spawn(async move {
            let mut acknowledged = 1;
            while let Some((status, body)) = get(port, "/count", &jar).await {
                assert_eq!(status, StatusCode::OK.as_str());
                acknowledged = body.parse().unwrap();
            }
            (jar, acknowledged)
        });
    }
    tokio::time::sleep(Duration::from_millis(700)).await;
    stop.send(()).unwrap();
    server.await.unwrap();
    sweeper.stop().await;
    assert_eq!(node.store.shutdown(SLACK).await, 0);
    let mut total = 0;
    for (jar, acknowledged) in visitors.join_all().await {
        let counted = number_in(S::shared(), &jar).await.unwrap();
        assert_eq!(
            counted, acknowledged,
            "none lost, none that was not answered"
        );
        total += counted;
    }
    assert!(total > 16, "there was load: {total}");
}
