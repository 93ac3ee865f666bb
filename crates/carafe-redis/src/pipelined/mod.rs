//! One connection to one server, which the commands of all requests share.
//!
//! The driver has such connections, too. This one does less: no messages that nobody asked for, no transactions, no RESP3. So a
//! command costs less, and nothing is taken for a reply that is none. The driver still greets the server (password, database,
//! name), and is the connection itself with TLS, in a cluster and where somebody has set options that only it knows.
//!
//! | file | holds |
//! |---|---|
//! | `greeting` | the way to the server, and the driver's greeting on it |
//! | `carrier` | the task that writes what was queued and hands out what comes |
//! | `replies` | bytes that come, as values |

mod carrier;
mod greeting;
mod replies;

use std::{
    collections::VecDeque,
    io, mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::Waker,
};

use redis::{Cmd, ConnectionInfo, ErrorKind, RedisError, RedisResult, Value};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::oneshot,
    task::JoinHandle,
};

use carrier::Carrier;
pub(crate) use greeting::is_for;

/// Bytes that may wait to be sent. A server that takes no more for so long is in trouble.
const MOST: usize = 64 << 20;

/// A connection that lives as long as this.
pub(crate) struct Pipelined {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

/// What the carrier and those who ask share.
#[derive(Default)]
struct Shared {
    /// A plain lock: held to add to what is queued, and to take it.
    queue: Mutex<Queue>,
    /// Written while the queue is locked. Release and acquire: whoever sees it may open another connection.
    has_ended: AtomicBool,
}

/// Who waits for the reply to a command.
type Asking = oneshot::Sender<RedisResult<Value>>;

/// Commands that are not sent yet.
#[derive(Default)]
struct Queue {
    bytes: Vec<u8>,
    asking: VecDeque<Asking>,
    /// The carrier, if it waits for something to be queued.
    sleeping: Option<Waker>,
}

impl Pipelined {
    /// Connects to where `info` says and greets.
    pub(crate) async fn open(info: &ConnectionInfo) -> RedisResult<Self> {
        greeting::open(info).await
    }

    fn on(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Self {
        let shared = Arc::<Shared>::default();
        let task = tokio::spawn(Carrier::new(stream, Arc::clone(&shared)));
        Self { shared, task }
    }

    /// Whether it can still be used, as far as is known.
    pub(crate) fn is_open(&self) -> bool {
        !self.shared.has_ended()
    }

    /// The reply to `command`. Whoever stops waiting for it may have changed something or not.
    ///
    /// It is queued here and not when the future is polled, which so need not hold it.
    pub(crate) fn send(&self, command: &Cmd) -> impl Future<Output = RedisResult<Value>> + use<> {
        let reply = self.shared.ask(command);
        async move { reply?.await.unwrap_or_else(|_| Err(closed())) }
    }
}

impl Drop for Pipelined {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn ask(&self, command: &Cmd) -> RedisResult<oneshot::Receiver<RedisResult<Value>>> {
        let (asking, reply) = oneshot::channel();
        let mut queue = self.queue();
        if self.has_ended() {
            return Err(closed());
        }
        if queue.bytes.len() > MOST {
            let why = "too much waits to be sent to the server";
            return Err(RedisError::from((ErrorKind::Client, why)));
        }
        command.write_packed_command(&mut queue.bytes);
        queue.asking.push_back(asking);
        let sleeping = queue.sleeping.take();
        drop(queue);
        if let Some(carrier) = sleeping {
            carrier.wake();
        }
        Ok(reply)
    }

    /// From now on nobody can ask; those whose commands are not sent.
    fn end(&self) -> VecDeque<Asking> {
        let mut queue = self.queue();
        self.has_ended.store(true, Ordering::Release);
        mem::take(&mut queue.asking)
    }

    fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Acquire)
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Nothing panics while it is held.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn closed() -> RedisError {
    io::Error::from(io::ErrorKind::BrokenPipe).into()
}

#[cfg(test)]
mod tests;
