//! A person with a browser: opens, fills in, clicks, reads; and what the browser itself knows of cookies.

use std::{
    cell::RefCell,
    rc::Rc,
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{PATIENCE, wire::Wire};

/// A browser with one page. Elements are named by CSS selectors; the first that fits is meant.
pub(crate) struct Visitor {
    wire: Rc<RefCell<Wire>>,
    /// The browser context: cookies and caches of its own.
    context: String,
    /// The page.
    session: String,
}

/// A cookie as the browser has stored it.
#[derive(Debug, PartialEq)]
pub(crate) struct StoredCookie {
    pub(crate) value: String,
    pub(crate) domain: String,
    pub(crate) path: String,
    /// Seconds since 1970; `None` if it goes with the browser.
    pub(crate) expires: Option<f64>,
    pub(crate) http_only: bool,
    pub(crate) secure: bool,
    /// `Strict`, `Lax` or `None`; empty if the server has not said.
    pub(crate) same_site: String,
}

impl Visitor {
    pub(super) fn new(wire: &Rc<RefCell<Wire>>) -> Self {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let ask = |method, params| wire.borrow_mut().call(None, method, &params);
        let context = text(&ask("Target.createBrowserContext", json!({}))["browserContextId"]);
        let page = json!({"url": "about:blank", "browserContextId": context});
        let target = text(&ask("Target.createTarget", page)["targetId"]);
        let attach = json!({"targetId": target, "flatten": true});
        let session = text(&ask("Target.attachToTarget", attach)["sessionId"]);
        let visitor = Self {
            wire: Rc::clone(wire),
            context,
            session,
        };
        visitor.call("Page.enable", &json!({}));
        visitor.resize(1280, 800);
        visitor
    }

    /// Goes to an address and waits until the page is there.
    pub(crate) fn open(&self, url: &str) {
        self.loading(|| {
            let done = self.call("Page.navigate", &json!({"url": url}));
            assert!(done["errorText"].is_null(), "{url}: {}", done["errorText"]);
        });
    }

    /// Loads the page again.
    pub(crate) fn reload(&self) {
        self.loading(|| drop(self.call("Page.reload", &json!({}))));
    }

    /// Clicks a button that loads a page, and waits until that is there.
    pub(crate) fn submit(&self, selector: &str) {
        self.loading(|| self.click(selector));
    }

    /// Clicks with the mouse, in the middle of the element.
    pub(crate) fn click(&self, selector: &str) {
        let at = self.ask(&format!(
            "(() => {{
                const element = document.querySelector({selector:?});
                if (!element) return 'is not there';
                if (element.matches(':disabled')) return 'is disabled';
                element.scrollIntoView({{block: 'center', behavior: 'instant'}});
                const box = element.getBoundingClientRect();
                const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
                const there = document.elementFromPoint(x, y);
                return element.contains(there) ? [x, y] : 'is covered by ' + there?.outerHTML;
            }})()"
        ));
        assert!(at.is_array(), "{selector} {at}");
        for kind in ["mousePressed", "mouseReleased"] {
            let event =
                json!({"type": kind, "x": at[0], "y": at[1], "button": "left", "clickCount": 1});
            self.call("Input.dispatchMouseEvent", &event);
        }
    }

    /// Replaces what stands in a field, by the keyboard.
    pub(crate) fn fill(&self, selector: &str, text: &str) {
        self.click(selector);
        let select = format!("document.querySelector({selector:?}).select()");
        self.ask(&select);
        if text.is_empty() {
            let key = json!({"type": "keyDown", "key": "Delete", "code": "Delete", "windowsVirtualKeyCode": 46});
            self.call("Input.dispatchKeyEvent", &key);
        } else {
            self.call("Input.insertText", &json!({"text": text}));
        }
    }

    /// Presses a key: `Tab` or `Enter`.
    pub(crate) fn press(&self, key: &str) {
        let (code, text) = match key {
            "Tab" => (9, ""),
            "Enter" => (13, "\r"),
            _ => panic!("{key} is not known here"),
        };
        for kind in ["keyDown", "keyUp"] {
            let text = if kind == "keyDown" { text } else { "" };
            let event = json!({"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text});
            self.call("Input.dispatchKeyEvent", &event);
        }
    }

    /// Presses Enter where that loads a page, and waits until that is there.
    pub(crate) fn follow(&self) {
        self.loading(|| self.press("Enter"));
    }

    /// Types into whatever has the focus.
    pub(crate) fn type_in(&self, text: &str) {
        self.call("Input.insertText", &json!({"text": text}));
    }

    /// Waits until an expression is true on the page, which may load another meanwhile.
    pub(crate) fn wait_until(&self, expression: &str) {
        let until = Instant::now() + PATIENCE;
        let question = json!({"expression": expression, "returnByValue": true});
        while Instant::now() < until {
            let mut wire = self.wire.borrow_mut();
            // Refused while one page makes room for the next.
            let answer = wire.ask(Some(&self.session), "Runtime.evaluate", &question);
            drop(wire);
            if answer.is_ok_and(|answer| answer["result"]["value"] == true) {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
        panic!("{expression} did not come true");
    }

    /// The text of an element as the page shows it.
    pub(crate) fn text(&self, selector: &str) -> String {
        let text = self.ask(&format!("document.querySelector({selector:?})?.innerText"));
        let text = text
            .as_str()
            .unwrap_or_else(|| panic!("{selector} is not there"));
        text.to_owned()
    }

    /// How many elements there are.
    pub(crate) fn count(&self, selector: &str) -> u64 {
        let count = self.ask(&format!("document.querySelectorAll({selector:?}).length"));
        count.as_u64().unwrap()
    }

    /// The value of a JavaScript expression on the page. Works where the page's own scripts are switched off.
    pub(crate) fn ask(&self, expression: &str) -> Value {
        let question = json!({"expression": expression, "returnByValue": true});
        let mut answer = self.call("Runtime.evaluate", &question);
        assert!(
            answer["exceptionDetails"].is_null(),
            "{expression}: {answer}"
        );
        answer["result"]["value"].take()
    }

    /// The cookies that this browser has stored and would send, by name.
    pub(crate) fn cookie(&self, name: &str) -> Option<StoredCookie> {
        let jar = json!({"browserContextId": self.context});
        let found = self
            .wire
            .borrow_mut()
            .call(None, "Storage.getCookies", &jar);
        let cookies = found["cookies"].as_array().unwrap();
        let mut named = cookies.iter().filter(|cookie| cookie["name"] == name);
        let cookie = named.next().map(StoredCookie::of);
        assert!(named.next().is_none(), "two cookies are called {name}");
        cookie
    }

    /// Gives the page a size; a narrow one is a phone's.
    pub(crate) fn resize(&self, width: u32, height: u32) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.call("Emulation.setDeviceMetricsOverride", &size);
    }

    /// Whether something on the page is wider than the window, so that one would have to scroll sideways.
    pub(crate) fn scrolls_sideways(&self) -> bool {
        // On a phone, `innerWidth` grows with what is too wide, because the browser zooms out.
        let wide = "document.scrollingElement.scrollWidth > Math.min(innerWidth, document.documentElement.clientWidth)";
        self.ask(wide).as_bool().unwrap()
    }

    /// Light or dark, as the visitor's system has it.
    pub(crate) fn prefer(&self, scheme: &str) {
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.call("Emulation.setEmulatedMedia", &features);
    }

    /// Switches the scripts of all pages off.
    pub(crate) fn switch_scripts_off(&self) {
        self.call(
            "Emulation.setScriptExecutionDisabled",
            &json!({"value": true}),
        );
    }

    /// Calls itself something else from the next request on.
    pub(crate) fn call_itself(&self, user_agent: &str) {
        let name = json!({"userAgent": user_agent});
        self.call("Emulation.setUserAgentOverride", &name);
    }

    /// A picture of a part of the page, as PNG: the whole width, from `top` to `bottom` in CSS pixels.
    pub(crate) fn picture(&self, top: f64, bottom: f64) -> Vec<u8> {
        let width = self.ask("innerWidth");
        let clip = json!({"x": 0, "y": top, "width": width, "height": bottom - top, "scale": 1});
        let wanted = json!({"format": "png", "clip": clip, "captureBeyondViewport": true, "optimizeForSpeed": false});
        let taken = self.call("Page.captureScreenshot", &wanted);
        let text = taken["data"].as_str().unwrap();
        base64_simd::STANDARD.decode_to_vec(text).unwrap()
    }

    /// A place of an element on the page: `top` or `bottom`, in CSS pixels.
    pub(crate) fn edge(&self, selector: &str, side: &str) -> f64 {
        let edge = format!(
            "document.querySelector({selector:?}).getBoundingClientRect().{side} + scrollY"
        );
        self.ask(&edge).as_f64().unwrap()
    }

    fn loading(&self, work: impl FnOnce()) {
        self.wire.borrow_mut().forget(&self.session);
        work();
        self.wire
            .borrow_mut()
            .wait(&self.session, "Page.loadEventFired");
    }

    fn call(&self, method: &str, params: &Value) -> Value {
        self.wire
            .borrow_mut()
            .call(Some(&self.session), method, params)
    }
}

impl StoredCookie {
    fn of(cookie: &Value) -> Self {
        let text = |name: &str| cookie[name].as_str().unwrap_or_default().to_owned();
        let flag = |name: &str| cookie[name].as_bool().unwrap();
        Self {
            value: text("value"),
            domain: text("domain"),
            path: text("path"),
            expires: cookie["expires"].as_f64().filter(|_| !flag("session")),
            http_only: flag("httpOnly"),
            secure: flag("secure"),
            same_site: text("sameSite"),
        }
    }
}
