//! A client's connection and its connection to the server.

use std::{
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::watch,
};

use crate::fault::{Fault, Faults};

/// The reason why forwarding stopped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// One side closed the connection.
    Closed,
    /// The proxy must reset the connection.
    Cut,
}

pub(crate) async fn run(
    mut client: TcpStream,
    target: u16,
    mut cuts: watch::Receiver<u64>,
    faults: Arc<Faults>,
) {
    let end = match TcpStream::connect((Ipv4Addr::LOCALHOST, target)).await {
        Ok(mut server) => {
            let _ = client.set_nodelay(true);
            let _ = server.set_nodelay(true);
            let until = cuts.clone();
            tokio::select! {
                end = both_ways(&mut client, &mut server, &faults, &until) => end,
                _ = cuts.changed() => End::Cut,
            }
        }
        Err(_) => End::Cut,
    };
    if end == End::Cut {
        // A reset: the client is notified immediately and receives no pending bytes.
        let _ = client.set_zero_linger();
    }
}

async fn both_ways(
    client: &mut TcpStream,
    server: &mut TcpStream,
    faults: &Faults,
    cuts: &watch::Receiver<u64>,
) -> End {
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    // Whether the client has sent bytes since the last reply started.
    let asked = AtomicBool::new(true);
    tokio::select! {
        end = requests(from_client, to_server, faults, cuts, &asked) => end,
        end = replies(from_server, to_client, faults, &asked) => end,
    }
}

async fn requests(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    faults: &Faults,
    cuts: &watch::Receiver<u64>,
    asked: &AtomicBool,
) -> End {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let Ok(count @ 1..) = from.read(&mut buffer).await else {
            return End::Closed;
        };
        faults.while_held().await;
        // Bytes sent after the cut must not reach the server, however late this task is notified.
        if cuts.has_changed().unwrap_or(true) {
            return End::Cut;
        }
        asked.store(true, Ordering::Relaxed);
        if to.write_all(&buffer[..count]).await.is_err() {
            return End::Closed;
        }
    }
}

async fn replies(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    faults: &Faults,
    asked: &AtomicBool,
) -> End {
    let mut buffer = vec![0; 64 * 1024];
    let (mut fault, mut so_far) = (Fault::None, 0);
    loop {
        let Ok(count @ 1..) = from.read(&mut buffer).await else {
            return End::Closed;
        };
        if asked.swap(false, Ordering::Relaxed) {
            (fault, so_far) = (faults.of_next_reply(), 0);
        }
        faults.while_held().await;
        let mut bytes = buffer[..count].to_vec();
        let mut cut = false;
        match fault {
            Fault::None | Fault::Blackhole => {}
            Fault::Refuse | Fault::Drop => return End::Cut,
            Fault::Delay(time) => tokio::time::sleep(time).await,
            Fault::Truncate(most) => {
                bytes.truncate(most.saturating_sub(so_far));
                cut = so_far + count >= most;
            }
            Fault::Corrupt { at, mask } => {
                let place = at.checked_sub(so_far);
                if let Some(byte) = place.and_then(|place| bytes.get_mut(place)) {
                    *byte ^= mask;
                }
            }
            Fault::Swap => bytes = faults.swap.exchange(bytes).await,
        }
        so_far += count;
        if to.write_all(&bytes).await.is_err() {
            return End::Closed;
        }
        if cut {
            return truncated(&mut to).await;
        }
    }
}

/// The forwarded bytes must arrive before the connection closes: a reset would discard them.
async fn truncated(to: &mut WriteHalf<'_>) -> End {
    let _ = to.flush().await;
    let _ = to.shutdown().await;
    End::Closed
}
