//! A certificate that no system trusts.

use std::path::Path;

use crate::shell::{run, words};

/// Creates the files `key` and `certificate` in `dir`.
///
/// The certificate is valid for `name`, localhost, 127.0.0.1 and 0.0.0.0; clients do not treat
/// 0.0.0.0 as the local host.
pub(crate) fn certify(dir: &Path, name: &str) {
    let file = |name: &str| dir.join(name).display().to_string();
    let mut command = words(&["openssl", "req", "-x509", "-nodes", "-days", "2"]);
    command.extend(words(&[
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
    ]));
    command.extend(words(&["-subj", &format!("/CN={name}")]));
    let names = "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:0.0.0.0";
    command.extend(words(&["-addext", names]));
    command.extend(words(&["-addext", "basicConstraints=critical,CA:FALSE"]));
    command.extend(words(&[
        "-keyout",
        &file("key"),
        "-out",
        &file("certificate"),
    ]));
    let (good, said) = run(&command);
    assert!(good, "{said}");
}
