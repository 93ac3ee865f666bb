//! `nginx` as a TLS proxy.

use std::{fs, net::TcpStream, path::Path};

use crate::{
    certificate::certify,
    free_port,
    keeper::{Keeper, directory},
    shell::words,
};

/// A private `nginx` that terminates TLS for another server, with an untrusted certificate.
pub struct Nginx {
    // Stops nginx on drop.
    _keeper: Keeper,
    port: u16,
}

impl Nginx {
    /// Starts a proxy that forwards requests below `path` to the server at `behind`.
    ///
    /// `path` is a prefix such as `/ops/`, `behind` an address such as `127.0.0.1:8000`. The proxy
    /// forwards the `Host` header; all other settings are nginx's defaults.
    #[must_use]
    pub fn before(behind: &str, path: &str) -> Self {
        let (dir, port) = (directory("nginx"), free_port());
        certify(&dir, "carafe-test");
        let place = dir.display();
        let config = format!(
            "daemon off;\nmaster_process off;\npid {place}/pid;\nerror_log stderr;\nevents {{}}\n\
             http {{\n\
               access_log off;\n\
               client_body_temp_path {place}/1; proxy_temp_path {place}/2; fastcgi_temp_path {place}/3;\n\
               uwsgi_temp_path {place}/4; scgi_temp_path {place}/5;\n\
               server {{\n\
                 listen 127.0.0.1:{port} ssl;\n\
                 ssl_certificate {place}/certificate;\n\
                 ssl_certificate_key {place}/key;\n\
                 location {path} {{ proxy_pass http://{behind}; proxy_set_header Host $host; }}\n\
               }}\n\
             }}\n"
        );
        let file = dir.join("nginx.conf");
        fs::write(&file, config).expect("a file");
        let (file, place) = (file.display().to_string(), place.to_string());
        let keeper = Keeper::start(dir, words(&[program(), "-p", &place, "-c", &file]));
        keeper.wait_until(|| match TcpStream::connect(("127.0.0.1", port)) {
            Ok(_) => Ok(()),
            Err(why) => Err(why.to_string()),
        });
        Self {
            _keeper: keeper,
            port,
        }
    }

    /// Returns the TLS port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }
}

/// Debian installs it outside of an unprivileged user's `PATH`.
fn program() -> &'static str {
    match Path::new("/usr/sbin/nginx").exists() {
        true => "/usr/sbin/nginx",
        false => "nginx",
    }
}
