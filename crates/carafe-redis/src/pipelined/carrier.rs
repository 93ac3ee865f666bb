//! The task of a connection. It writes together whatever has been queued since it last wrote, so that under load many
//! commands share a system call, and reads as much at a time.

use std::{
    collections::VecDeque,
    io, mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use redis::{ErrorKind, RedisError, RedisResult};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{Asking, Shared, closed, replies::Replies};

/// Bytes that room is kept for when nothing is to be written.
const KEPT: usize = 256 << 10;

/// Runs until the connection ends, and then, or if it is dropped, tells all who wait.
pub(super) struct Carrier<S> {
    stream: S,
    shared: Arc<Shared>,
    /// What is being written, and how much of it has been.
    output: Vec<u8>,
    written: usize,
    /// Who waits for the replies to come, in their order.
    asking: VecDeque<Asking>,
    replies: Replies,
}

impl<S> Carrier<S> {
    pub(super) fn new(stream: S, shared: Arc<Shared>) -> Self {
        Self {
            stream,
            shared,
            output: Vec::new(),
            written: 0,
            asking: VecDeque::new(),
            replies: Replies::default(),
        }
    }

    /// Takes what is queued. If it is nothing, whoever queues next wakes this task.
    fn is_there_more(&mut self, context: &Context<'_>) -> bool {
        self.output.clear();
        self.output.shrink_to(KEPT);
        self.written = 0;
        let mut queue = self.shared.queue();
        if queue.bytes.is_empty() {
            queue.sleeping = Some(context.waker().clone());
            return false;
        }
        mem::swap(&mut queue.bytes, &mut self.output);
        self.asking.append(&mut queue.asking);
        true
    }

    /// Tells the first who waits why there is no reply, and all others that the connection is closed.
    fn end(&mut self, why: Option<RedisError>) {
        self.asking.append(&mut self.shared.end());
        if let (Some(asking), Some(why)) = (self.asking.pop_front(), why) {
            let _ = asking.send(Err(why));
        }
        self.asking.clear();
    }

    /// Hands out the replies that have come.
    fn hand_out(&mut self) -> RedisResult<()> {
        while let Some(reply) = self.replies.next()? {
            let Some(asking) = self.asking.pop_front() else {
                let why = "the server replied to nothing";
                return Err(RedisError::from((ErrorKind::Parse, why)));
            };
            // Whoever has stopped waiting needs no reply.
            let _ = asking.send(Ok(reply));
        }
        Ok(())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Carrier<S> {
    /// Writes until nothing is queued or the server takes no more.
    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.output.len() || self.is_there_more(context) {
            let rest = &self.output[self.written..];
            match ready!(Pin::new(&mut self.stream).poll_write(context, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.written += written,
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Reads until there is no more to read; never ready but with the error that ends the connection.
    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<RedisError> {
        loop {
            let mut room = ReadBuf::new(self.replies.room());
            if let Err(error) = ready!(Pin::new(&mut self.stream).poll_read(context, &mut room)) {
                return Poll::Ready(error.into());
            }
            match room.filled().len() {
                0 => return Poll::Ready(closed()),
                bytes => self.replies.came(bytes),
            }
            if let Err(error) = self.hand_out() {
                return Poll::Ready(error);
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Future for Carrier<S> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let carrier = &mut *self;
        // Both always: a server that waits for its replies to be read takes no more commands.
        let error = match carrier.poll_write(context) {
            Poll::Ready(Err(error)) => error.into(),
            _ => ready!(carrier.poll_read(context)),
        };
        carrier.end(Some(error));
        Poll::Ready(())
    }
}

impl<S> Drop for Carrier<S> {
    fn drop(&mut self) {
        self.end(None);
    }
}
