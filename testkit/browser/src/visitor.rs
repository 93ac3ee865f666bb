//! [`Visitor`]: opens pages, fills in forms, clicks and reads; and reads the cookies that the
//! browser has stored.

use std::{
    cell::RefCell,
    rc::Rc,
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::wire::{PATIENCE, Wire};

/// Marks the document that an action leaves. Events of the protocol do not name their document: a
/// late event of the previous page could be mistaken for one of the next page.
const MARK: &str = "window.departed = true";

/// Whether a document other than the marked one has loaded.
const LOADED: &str = "!window.departed && document.readyState === 'complete'";

/// A browser with one page. Methods take CSS selectors and use the first matching element.
pub struct Visitor {
    wire: Rc<RefCell<Wire>>,
    /// The browser context, with its own cookies and caches.
    context: String,
    /// The page.
    session: String,
}

/// A cookie as stored by the browser.
#[derive(Debug, PartialEq)]
pub struct StoredCookie {
    /// The value.
    pub value: String,
    /// The domain.
    pub domain: String,
    /// The path.
    pub path: String,
    /// Seconds since 1970; `None` for a cookie of the browser's session.
    pub expires: Option<f64>,
    /// `HttpOnly`.
    pub http_only: bool,
    /// `Secure`.
    pub secure: bool,
    /// `Strict`, `Lax` or `None`; empty if the server did not set it.
    pub same_site: String,
}

impl Visitor {
    pub(super) fn new(wire: &Rc<RefCell<Wire>>) -> Self {
        let method = "Target.createBrowserContext";
        let context = wire.borrow_mut().call(None, method, &json!({}));
        let context = context["browserContextId"].as_str().unwrap().to_owned();
        Self::with_tab(wire, context, false)
    }

    /// Opens a second page of the same browser, in the background and with the same cookies.
    pub fn another_tab(&self) -> Self {
        Self::with_tab(&self.wire, self.context.clone(), true)
    }

    fn with_tab(wire: &Rc<RefCell<Wire>>, context: String, background: bool) -> Self {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let ask = |method, params| wire.borrow_mut().call(None, method, &params);
        let page =
            json!({"url": "about:blank", "browserContextId": context, "background": background});
        let target = text(&ask("Target.createTarget", page)["targetId"]);
        let attach = json!({"targetId": target, "flatten": true});
        let session = text(&ask("Target.attachToTarget", attach)["sessionId"]);
        let visitor = Self {
            wire: Rc::clone(wire),
            context,
            session,
        };
        visitor.resize(1280, 800);
        visitor
    }

    /// Opens an address and waits until the page has loaded.
    pub fn open(&self, url: &str) {
        self.loading(|| self.navigate(url));
    }

    /// Navigates like the address bar, which loads no page if only the fragment differs. Waits
    /// until `expression` is true on a page that was loaded afterwards, for example by a form that
    /// a script of the first page submits.
    pub fn arrive(&self, url: &str, expression: &str) {
        self.ask(MARK);
        self.navigate(url);
        self.wait_until(&format!("{LOADED} && ({expression})"));
    }

    fn navigate(&self, url: &str) {
        let done = self.call("Page.navigate", &json!({"url": url}));
        assert!(done["errorText"].is_null(), "{url}: {}", done["errorText"]);
    }

    /// Reloads the page.
    pub fn reload(&self) {
        self.loading(|| drop(self.call("Page.reload", &json!({}))));
    }

    /// Clicks a button that loads a page, and waits until it has loaded.
    pub fn submit(&self, selector: &str) {
        self.loading(|| self.click(selector));
    }

    /// Clicks with the mouse, in the middle of the element.
    pub fn click(&self, selector: &str) {
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

    /// Replaces the text of a field, by the keyboard.
    pub fn fill(&self, selector: &str, text: &str) {
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
    pub fn press(&self, key: &str) {
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

    /// Presses Enter to load a page, and waits until it has loaded.
    pub fn follow(&self) {
        self.loading(|| self.press("Enter"));
    }

    /// Types into the focused field. Waits for the focus, which `autofocus` gives to a field with
    /// the first frame of a page, and thus after the page has loaded.
    pub fn type_in(&self, text: &str) {
        self.wait_until("document.activeElement.matches('input, textarea')");
        self.call("Input.insertText", &json!({"text": text}));
    }

    /// Waits until an expression is true on the page, which may be replaced in the meantime.
    pub fn wait_until(&self, expression: &str) {
        let until = Instant::now() + PATIENCE;
        let question = json!({"expression": expression, "returnByValue": true});
        while Instant::now() < until {
            let mut wire = self.wire.borrow_mut();
            // The browser refuses this while one page replaces another.
            let answer = wire.ask(Some(&self.session), "Runtime.evaluate", &question);
            drop(wire);
            if answer.is_ok_and(|answer| answer["result"]["value"] == true) {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("{expression} did not come true");
    }

    /// Returns the text of an element as displayed.
    pub fn text(&self, selector: &str) -> String {
        let text = self.ask(&format!("document.querySelector({selector:?})?.innerText"));
        let text = text
            .as_str()
            .unwrap_or_else(|| panic!("{selector} is not there"));
        text.to_owned()
    }

    /// Returns the number of matching elements.
    pub fn count(&self, selector: &str) -> u64 {
        let count = self.ask(&format!("document.querySelectorAll({selector:?}).length"));
        count.as_u64().unwrap()
    }

    /// Returns the value of a JavaScript expression on the page, even if the page's own scripts are
    /// disabled.
    pub fn ask(&self, expression: &str) -> Value {
        self.evaluate(expression, false)
    }

    /// Returns the value to which the promise of a JavaScript expression resolves.
    pub fn resolve(&self, expression: &str) -> Value {
        self.evaluate(expression, true)
    }

    fn evaluate(&self, expression: &str, awaits: bool) -> Value {
        let question =
            json!({"expression": expression, "returnByValue": true, "awaitPromise": awaits});
        let mut answer = self.call("Runtime.evaluate", &question);
        assert!(
            answer["exceptionDetails"].is_null(),
            "{expression}: {answer}"
        );
        answer["result"]["value"].take()
    }

    /// Returns the stored cookie with this name.
    pub fn cookie(&self, name: &str) -> Option<StoredCookie> {
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

    /// Sets the size of the page; a width below 600 emulates a phone.
    pub fn resize(&self, width: u32, height: u32) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.call("Emulation.setDeviceMetricsOverride", &size);
    }

    /// Returns whether the page is wider than the window, so that it scrolls sideways.
    pub fn scrolls_sideways(&self) -> bool {
        // On a phone, `innerWidth` grows with content that is too wide, because the browser zooms
        // out.
        let wide = "document.scrollingElement.scrollWidth > Math.min(innerWidth, document.documentElement.clientWidth)";
        self.ask(wide).as_bool().unwrap()
    }

    /// Sets the preferred color scheme: `light` or `dark`.
    pub fn prefer(&self, scheme: &str) {
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.call("Emulation.setEmulatedMedia", &features);
    }

    /// Disables the scripts of all pages.
    pub fn switch_scripts_off(&self) {
        self.call(
            "Emulation.setScriptExecutionDisabled",
            &json!({"value": true}),
        );
    }

    /// Sets the `User-Agent` header of later requests.
    pub fn call_itself(&self, user_agent: &str) {
        let name = json!({"userAgent": user_agent});
        self.call("Emulation.setUserAgentOverride", &name);
    }

    /// Returns a part of the page as PNG: the full width, from `top` to `bottom` in CSS pixels.
    pub fn picture(&self, top: f64, bottom: f64) -> Vec<u8> {
        let width = self.ask("innerWidth");
        let clip = json!({"x": 0, "y": top, "width": width, "height": bottom - top, "scale": 1});
        let wanted = json!({"format": "png", "clip": clip, "captureBeyondViewport": true, "optimizeForSpeed": false});
        let taken = self.call("Page.captureScreenshot", &wanted);
        let text = taken["data"].as_str().unwrap();
        base64_simd::STANDARD.decode_to_vec(text).unwrap()
    }

    /// Returns the position of an element's edge on the page, `top` or `bottom`, in CSS pixels.
    pub fn edge(&self, selector: &str, side: &str) -> f64 {
        let edge = format!(
            "document.querySelector({selector:?}).getBoundingClientRect().{side} + scrollY"
        );
        self.ask(&edge).as_f64().unwrap()
    }

    fn loading(&self, work: impl FnOnce()) {
        self.ask(MARK);
        work();
        self.wait_until(LOADED);
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
