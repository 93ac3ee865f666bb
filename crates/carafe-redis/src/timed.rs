//! A future with a deadline whose timer is set when it first has to wait: not before somebody polls it, who is inside a
//! runtime then. What tokio has wants the runtime at once, or wrappers that move the future about.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep};

pin_project! {
    pub(crate) struct Timed<F> {
        #[pin]
        work: F,
        #[pin]
        timer: Option<Sleep>,
        deadline: Duration,
    }
}

impl<F> Timed<F> {
    pub(crate) const fn new(deadline: Duration, work: F) -> Self {
        Self {
            work,
            timer: None,
            deadline,
        }
    }
}

impl<F: Future> Future for Timed<F> {
    /// The deadline if it has passed.
    type Output = Result<F::Output, Duration>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Poll::Ready(output) = this.work.poll(context) {
            return Poll::Ready(Ok(output));
        }
        if this.timer.is_none() {
            this.timer.set(Some(sleep(*this.deadline)));
        }
        let timer = this.timer.as_pin_mut().expect("set above");
        timer.poll(context).map(|()| Err(*this.deadline))
    }
}
