//! A running demo, a browser, and its visitors.

use carafe_test_browser::{Chromium, Client, Visitor, Window};

/// The demo, and the browsers in front of it.
pub(crate) struct Site {
    chromium: Chromium,
    pub(crate) demo: Client,
    window: Window,
    scripts: bool,
}

impl Site {
    pub(crate) fn new(window: Window, scripts: bool) -> Self {
        Self {
            chromium: Chromium::start(),
            demo: crate::start(),
            window,
            scripts,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.demo.host)
    }

    /// Returns a visitor with this `User-Agent` who has just opened the page.
    pub(crate) fn visitor(&self, user_agent: &str) -> Visitor {
        let visitor = self.chromium.visitor();
        visitor.resize(self.window.width, self.window.height);
        visitor.call_itself(user_agent);
        if !self.scripts {
            visitor.switch_scripts_off();
        }
        visitor.open("data:text/html,<title>off</title><script>document.title = 'on'</script>");
        let expected = if self.scripts { "on" } else { "off" };
        assert_eq!(
            visitor.ask("document.title"),
            expected,
            "the page's scripts"
        );
        visitor.open(&self.url());
        visitor
    }
}

/// Types a value into the form of a panel and sends it.
pub(crate) fn set(visitor: &Visitor, way: &str, key: &str, value: &str) {
    visitor.fill(&format!("#{way}-key"), key);
    visitor.fill(&format!("#{way}-value"), value);
    visitor.submit(&format!("#{way} .set-form .button-primary"));
}

pub(crate) fn log_in(visitor: &Visitor, name: &str) {
    visitor.fill("#log-in-name", name);
    visitor.submit(".log-in .button-primary");
}
