//! The console behind a real proxy with TLS, under a path and a name, as its help says.

use carafe_test_browser::Chromium;
use carafe_test_servers::Nginx;

use super::console::sixty;
use crate::support::console::{Console, Wanted};

#[test]
#[ignore = "needs Chromium and nginx; run by `cargo xtask test`"]
fn an_operator_works_through_a_proxy() {
    let sessions = sixty();
    let console = Console::start(
        &sessions.file(),
        &["--base-path", "/ops/carafe", "--allow-host", "ops.example"],
    );
    let nginx = Nginx::before(&console.host, "/ops/carafe");
    let names = format!(
        "--host-resolver-rules=MAP *.example:443 127.0.0.1:{}",
        nginx.port()
    );
    let chromium = Chromium::start_with(&["--ignore-certificate-errors", &names]);

    let operator = chromium.visitor();
    let printed = format!("https://ops.example/ops/carafe/enter#{}", console.token);
    operator.arrive(&printed, "document.title.startsWith('Overview')");
    let host = operator.ask("location.host + location.pathname");
    assert!(
        host.as_str().unwrap().starts_with("ops.example/ops/carafe"),
        "{host}"
    );

    // Live pages, through whatever the proxy buffers.
    let handle = sessions.add(Wanted {
        age: 0,
        idle: 0,
        ..Wanted::default()
    });
    operator.wait_until(&format!("!!document.getElementById('s-{handle}')"));

    // Forms. Their origin is the proxy's.
    operator.submit("#newest tbody a");
    operator.submit("#revoke");
    operator.submit("#confirm");
    assert!(operator.text("main").contains("Revoked session"));
    assert_eq!(sessions.rows(), 60);
    operator.submit("form[action$=leave] button");
    assert_eq!(operator.text("h1"), "Enter the token");

    // A name that was not allowed: DNS rebinding would come with one.
    let stranger = chromium.visitor();
    stranger.open("https://evil.example/ops/carafe/");
    assert!(
        stranger
            .text("body")
            .contains("This host name is not allowed")
    );
}
