//! An `nginx` as a proxy with TLS.

use std::{fs, net::TcpStream, path::Path};

use crate::{
    free_port,
    keeper::{Keeper, directory},
    shell::{run, words},
};

/// An `nginx` of a test's own that ends TLS before another server, with a certificate that nobody knows.
pub struct Nginx {
    // Ends it.
    _keeper: Keeper,
    port: u16,
}

impl Nginx {
    /// Starts one that passes what is below `path`, such as `/ops/`, on to the server at `behind`, such as
    /// `127.0.0.1:8000`; with the name by which the browser called it, and otherwise nothing that is not nginx's default.
    #[must_use]
    pub fn before(behind: &str, path: &str) -> Self {
        let (dir, port) = (directory("nginx"), free_port());
        certify(&dir);
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

    /// Where it listens, with TLS.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }
}

/// Debian has it where only root looks for programs.
fn program() -> &'static str {
    match Path::new("/usr/sbin/nginx").exists() {
        true => "/usr/sbin/nginx",
        false => "nginx",
    }
}

fn certify(dir: &Path) {
    let (key, certificate) = (dir.join("key"), dir.join("certificate"));
    let mut command = words(&["openssl", "req", "-x509", "-nodes", "-days", "2"]);
    command.extend(words(&[
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
    ]));
    command.extend(words(&[
        "-subj",
        "/CN=carafe-test",
        "-keyout",
        &key.display().to_string(),
    ]));
    command.extend(words(&["-out", &certificate.display().to_string()]));
    let (good, said) = run(&command);
    assert!(good, "{said}");
}
