//! Two processes that share a session.
//!
//! Each process makes half of the updates of a counter and half of the writes of a hundred keys.

use std::{process::Stdio, sync::Arc};

use anyhow::{Result, ensure};
use carafe_core::session::Session;
use tokio::process::Command;

use crate::{
    site::Site,
    store::{self, Running},
};

const KEYS: u64 = 100;
const AT_ONCE: u64 = 16;

pub(crate) async fn run(running: &Running, count: u64) -> Result<String> {
    let site = Site::new(Arc::clone(&running.store))?;
    let cookie = site
        .begin(|session| Ok(session.insert("n", &0_u64)?))
        .await?;
    let half = count / 2;
    let mut second = Command::new(std::env::current_exe()?)
        .args(["second", "--url", &running.url, "--cookie", &cookie])
        .args(["--count", &half.to_string()])
        .stdout(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()?;
    work(&site, &cookie, count - half, 0).await?;
    ensure!(second.wait().await?.success(), "the second process failed");
    let look = |session: &Session| Ok((session.get::<u64>("n")?, session.len()));
    let ((counted, keys), _) = site.visit(&cookie, look).await?;
    ensure!(
        counted == Some(count),
        "{counted:?} of {count} updates count"
    );
    ensure!(keys == 1 + KEYS as usize, "{keys} keys of {}", 1 + KEYS);
    Ok(format!(
        "{count} updates from two processes, all count; {KEYS} keys, all kept"
    ))
}

pub(crate) async fn second(url: &str, cookie: &str, count: u64) -> Result<()> {
    let site = Site::new(store::open(url, store::PATIENT).await?)?;
    work(&site, cookie, count, KEYS / 2).await
}

/// Makes the updates, and writes the keys from `first` on, in several tasks.
async fn work(site: &Site, cookie: &str, count: u64, first: u64) -> Result<()> {
    let tasks: Vec<_> = (0..AT_ONCE)
        .map(|task| {
            let (site, cookie) = (site.clone(), cookie.to_owned());
            tokio::spawn(async move {
                for _ in (task..count).step_by(AT_ONCE as usize) {
                    let add = |n: Option<u64>| n.unwrap_or(0) + 1;
                    site.visit(&cookie, |session| Ok(session.update("n", add)?))
                        .await?;
                }
                for key in (first + task..first + KEYS / 2).step_by(AT_ONCE as usize) {
                    let write = |session: &Session| Ok(session.insert(&format!("k{key}"), &key)?);
                    site.visit(&cookie, write).await?;
                }
                anyhow::Ok(())
            })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    Ok(())
}
