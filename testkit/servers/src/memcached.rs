//! A `memcached`.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use crate::{
    free_port,
    keeper::{Keeper, directory},
    shell::words,
};

/// A private `memcached`.
pub struct Memcached {
    keeper: Keeper,
    port: u16,
}

impl Memcached {
    /// Starts a server.
    #[must_use]
    pub fn start() -> Self {
        let port = free_port();
        let mut command = words(&["memcached", "-l", "127.0.0.1", "-U", "0"]);
        // `-u` permits root, and is ignored for other users.
        command.extend(words(&["-u", "root", "-p", &port.to_string()]));
        let keeper = Keeper::start(directory("memcached"), command);
        let server = Self { keeper, port };
        server.wait_until_it_answers();
        server
    }

    fn wait_until_it_answers(&self) {
        self.keeper.wait_until(|| match self.version() {
            Ok(said) if said.starts_with("VERSION ") => Ok(()),
            Ok(said) => Err(said),
            Err(error) => Err(error.to_string()),
        });
    }

    fn version(&self) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        stream.write_all(b"version\r\nquit\r\n")?;
        let mut said = String::new();
        stream.read_to_string(&mut said)?;
        Ok(said)
    }

    /// Returns the URL of the TCP port.
    #[must_use]
    pub fn url(&self) -> String {
        format!("tcp://127.0.0.1:{}", self.port)
    }

    /// Kills the server; returns after the process has exited.
    pub fn kill(&self) {
        self.keeper.kill();
    }

    /// Starts the server again after [`Memcached::kill`], empty and on the same port.
    pub fn restart(&self) {
        self.keeper.restart();
        self.wait_until_it_answers();
    }
}
