//! CANCEL: the client disconnects.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use http::StatusCode;
use tokio::task::JoinSet;

use crate::{node::Node, server::Server};

/// A request that is dropped after a number of polls unless it has completed.
struct Dropped<F>(Pin<Box<F>>, u32);

impl<F: Future> Future for Dropped<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.1 == 0 {
            return Poll::Ready(None);
        }
        self.1 -= 1;
        self.0.as_mut().poll(context).map(Some)
    }
}

/// Requests of many visitors are dropped at each of their polls.
///
/// A change is applied completely or not at all, no visitor receives another's response, and the
/// connections stay usable.
pub(crate) async fn a_request_canceled_at_any_poll_is_done_or_not_done<S: Server>() {
    let node = Node::patient(S::shared()).await;
    let mut requests = JoinSet::new();
    for number in 0..8 {
        let mut visitor = node.visitor(&number.to_string()).await;
        requests.spawn(async move {
            let (mut finished, mut counted) = (0, 1);
            for polls in 0..60 {
                // One poll more in each round, for reads, writes, and both.
                let path = ["/mine", "/count", "/set/x"][polls as usize % 3];
                let request = Dropped(Box::pin(visitor.ask(path)), polls / 3);
                let answer = request.await;
                finished += u32::from(answer.is_some());
                if let Some(answer) = answer.filter(|_| path == "/count") {
                    assert_eq!(answer.status, StatusCode::OK);
                    let now: u64 = answer.body.parse().unwrap();
                    assert!(now > counted, "what was acknowledged stays");
                    counted = now;
                }
                let mine = visitor.get("/mine").await;
                let expected = ["2", "3"].map(|keys| format!("{number}//{keys}"));
                assert!(expected.contains(&mine.body), "{}", mine.body);
            }
            finished
        });
    }
    let finished: u32 = requests.join_all().await.into_iter().sum();
    println!("{finished} of 480 requests were quicker than their client");
    assert!(finished < 480 && finished > 0, "{finished}");
    let status = node.store.status();
    assert_eq!((status.failures, status.corrupt), (0, 0));
}
