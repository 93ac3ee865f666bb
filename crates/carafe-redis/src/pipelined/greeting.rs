//! The way to a server, and the driver's greeting on it: password, database, the client's name.
//!
//! The driver greets on any stream that it is given. It gets one that it gives back.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use futures_util::future::select_ok;
use redis::{
    AsyncConnectionConfig, ConnectionAddr, ConnectionInfo, RedisResult, aio::MultiplexedConnection,
    io::tcp::TcpSettings,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpStream, lookup_host},
};

use super::{Pipelined, closed};

/// Whether a connection to where `info` says can be one of ours: without TLS or RESP3, or socket options that were set.
pub(crate) fn is_for(info: &ConnectionInfo) -> bool {
    let is_plain = matches!(
        info.addr(),
        ConnectionAddr::Tcp(..) | ConnectionAddr::Unix(_)
    );
    let protocol = info.redis_settings().protocol();
    // Options can only be compared as they are shown.
    let options = |settings: &TcpSettings| format!("{settings:?}");
    let none_is_set = options(info.tcp_settings()) == options(&TcpSettings::default());
    is_plain && !protocol.supports_resp3() && none_is_set
}

pub(super) async fn open(info: &ConnectionInfo) -> RedisResult<Pipelined> {
    match info.addr() {
        ConnectionAddr::Tcp(host, port) => {
            let stream = connected(host, *port).await?;
            // What is written is whole commands, for which the kernel need not wait.
            stream.set_nodelay(true)?;
            greeted(info, stream).await
        }
        #[cfg(unix)]
        ConnectionAddr::Unix(path) => {
            let stream = tokio::net::UnixStream::connect(path).await?;
            greeted(info, stream).await
        }
        _ => Err(io::Error::from(io::ErrorKind::Unsupported).into()),
    }
}

/// A connection to whichever address of the host is the first to take one.
async fn connected(host: &str, port: u16) -> io::Result<TcpStream> {
    let ways = lookup_host((host, port)).await?;
    let ways: Vec<_> = ways.map(|at| Box::pin(TcpStream::connect(at))).collect();
    if ways.is_empty() {
        return Err(io::ErrorKind::NotFound.into());
    }
    Ok(select_ok(ways).await?.0)
}

async fn greeted<S>(info: &ConnectionInfo, stream: S) -> RedisResult<Pipelined>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let lent = Arc::new(Mutex::new(stream));
    let config = AsyncConnectionConfig::new().set_response_timeout(None);
    let borrowed = Lent(Arc::clone(&lent));
    let greeting =
        MultiplexedConnection::new_with_config(info.redis_settings(), borrowed, config).await?;
    // It has read its replies, and nothing else has been asked.
    drop(greeting);
    let stream = Arc::into_inner(lent).ok_or_else(closed)?;
    Ok(Pipelined::on(
        stream.into_inner().unwrap_or_else(PoisonError::into_inner),
    ))
}

/// A stream that is somebody else's.
struct Lent<S>(Arc<Mutex<S>>);

impl<S> Lent<S> {
    fn stream(&self) -> MutexGuard<'_, S> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lent<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        room: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream()).poll_read(context, room)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Lent<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.stream()).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream()).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream()).poll_shutdown(context)
    }
}
