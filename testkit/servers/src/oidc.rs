//! An OpenID provider: `oidc-provider` of npm.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    time::Duration,
};

use crate::{
    free_port,
    keeper::{Keeper, directory},
};

/// The program, below the root of the repository.
const PROGRAM: &str = "interop/oidc/provider.mjs";

/// A private OpenID provider on `localhost`, with any user and any password.
///
/// `cargo xtask setup` installs its packages.
pub struct OidcProvider {
    keeper: Keeper,
    port: u16,
}

impl OidcProvider {
    /// Starts a provider with these clients and private keys, each as JSON.
    ///
    /// `target` is the folder of build products.
    #[must_use]
    pub fn start(target: &Path, clients: &str, jwks: &str) -> Self {
        let (dir, port) = (directory("oidc"), free_port());
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let paths = [
            root.join(PROGRAM),
            target.join("node/oidc"),
            dir.join("provider.json"),
        ];
        let paths = paths.map(|path| path.to_str().expect("it is Unicode").to_owned());
        write(&dir, port, clients, jwks);
        let command = ["node".to_owned()].into_iter().chain(paths).collect();
        let provider = Self {
            keeper: Keeper::start(dir, command),
            port,
        };
        provider.wait_until_it_answers();
        provider
    }

    /// Returns the issuer.
    #[must_use]
    pub fn issuer(&self) -> String {
        issuer(self.port)
    }

    /// Kills the provider; returns after the process has exited.
    pub fn kill(&self) {
        self.keeper.kill();
    }

    /// Starts the provider again after [`OidcProvider::kill`], without its sessions.
    pub fn restart(&self, clients: &str, jwks: &str) {
        write(self.keeper.dir(), self.port, clients, jwks);
        self.keeper.restart();
        self.wait_until_it_answers();
    }

    fn wait_until_it_answers(&self) {
        self.keeper.wait_until(|| match self.discover() {
            Ok(said) if said.starts_with("HTTP/1.1 200") => Ok(()),
            Ok(said) => Err(said),
            Err(error) => Err(error.to_string()),
        });
    }

    fn discover(&self) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        write!(
            stream,
            "GET /.well-known/openid-configuration HTTP/1.1\r\nHost: localhost:{}\r\n\
             Connection: close\r\n\r\n",
            self.port
        )?;
        let mut said = String::new();
        stream.read_to_string(&mut said)?;
        Ok(said)
    }
}

fn issuer(port: u16) -> String {
    format!("http://localhost:{port}")
}

fn write(dir: &Path, port: u16, clients: &str, jwks: &str) {
    let issuer = issuer(port);
    let text =
        format!(r#"{{"issuer":"{issuer}","port":{port},"clients":{clients},"jwks":{jwks}}}"#);
    fs::write(dir.join("provider.json"), text).expect("the directory is there");
}
