//! A browser without scripts: it keeps cookies, and fills in the forms of the provider.

use std::sync::Arc;

use reqwest::{
    Client, Url,
    cookie::{CookieStore as _, Jar},
    header, redirect,
};

use crate::service::Service;

/// More redirects and forms than a log-in has.
const MAX_STEPS: usize = 20;

pub(crate) struct Browser {
    client: Client,
    jar: Arc<Jar>,
}

/// A response.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) body: String,
    url: Url,
    location: Option<String>,
}

impl Page {
    #[track_caller]
    pub(crate) fn location(&self) -> &str {
        let location = self.location.as_deref();
        location.unwrap_or_else(|| panic!("no redirect: {self:?}"))
    }

    /// Returns the whole URL that the page redirects to.
    #[track_caller]
    fn target(&self) -> String {
        self.url.join(self.location()).unwrap().into()
    }

    /// Returns a parameter of the URL that the page redirects to.
    #[track_caller]
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        parameter(&self.target(), name)
    }

    /// Returns the text between two others.
    #[track_caller]
    fn between(&self, start: &str, end: &str) -> &str {
        let found = self.body.split_once(start);
        let found = found.and_then(|(_, rest)| rest.split_once(end));
        found.unwrap_or_else(|| panic!("no {start}: {self:?}")).0
    }
}

/// Returns a parameter of a URL.
pub(crate) fn parameter(url: &str, name: &str) -> Option<String> {
    let url = Url::parse(url).unwrap();
    let mut pairs = url.query_pairs();
    let found = pairs.find(|(known, _)| known == name);
    found.map(|(_, value)| value.into_owned())
}

impl Browser {
    pub(crate) fn new() -> Self {
        let jar = Arc::new(Jar::default());
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .cookie_provider(Arc::clone(&jar))
            .build();
        Self {
            client: client.unwrap(),
            jar,
        }
    }

    /// Returns another browser with a copy of a `Cookie` header.
    pub(crate) fn with_cookie(url: &str, cookie: &str) -> Self {
        let browser = Self::new();
        browser.jar.add_cookie_str(cookie, &url.parse().unwrap());
        browser
    }

    pub(crate) async fn logged_in(service: &Service, user: &str) -> Self {
        let browser = Self::new();
        browser.log_in(service, user).await;
        assert_eq!(browser.user(service).await.as_deref(), Some(user));
        browser
    }

    /// Returns the `Cookie` header for a URL.
    pub(crate) fn cookie(&self, url: &str) -> String {
        let value = self.jar.cookies(&url.parse().unwrap());
        value.unwrap().to_str().unwrap().to_owned()
    }

    pub(crate) async fn get(&self, url: &str) -> Page {
        self.send(self.client.get(url)).await
    }

    pub(crate) async fn post(&self, url: &str, form: &[(&str, &str)]) -> Page {
        self.send(self.client.post(url).form(form)).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Page {
        // A navigation, as `LoggedIn` and `CsrfLayer` tell it from others.
        let request = request
            .header(header::ACCEPT, "text/html")
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-dest", "document");
        let response = request.send().await.unwrap();
        let location = response.headers().get(header::LOCATION);
        Page {
            status: response.status().as_u16(),
            url: response.url().clone(),
            location: location.map(|value| value.to_str().unwrap().to_owned()),
            body: response.text().await.unwrap(),
        }
    }

    /// Begins a log-in and returns the URL of the provider.
    pub(crate) async fn begin(&self, service: &Service, next: &str) -> String {
        let mut url: Url = service.url("/login").parse().unwrap();
        url.query_pairs_mut().append_pair("next", next);
        self.get(url.as_str()).await.location().to_owned()
    }

    /// Follows the provider until it sends the browser back, and returns that URL.
    ///
    /// `fill_in` submits a form of the provider.
    async fn at_provider(
        &self,
        service: &Service,
        url: &str,
        fill_in: impl AsyncFn(&Page) -> Page,
    ) -> String {
        let (callback, mut page) = (service.url("/callback"), self.get(url).await);
        for _ in 0..MAX_STEPS {
            page = match page.status {
                200 => fill_in(&page).await,
                _ if page.target().starts_with(&callback) => return page.target(),
                _ => self.get(&page.target()).await,
            };
        }
        panic!("no end: {page:?}")
    }

    /// Logs in at the provider and agrees, and returns the URL of the callback.
    pub(crate) async fn sign_in(&self, service: &Service, url: &str, user: &str) -> String {
        let fill_in = async |page: &Page| {
            let action = page.between("<form autocomplete=\"off\" action=\"", "\"");
            let prompt = page.between("name=\"prompt\" value=\"", "\"");
            let form = [("prompt", prompt), ("login", user), ("password", "x")];
            self.post(action, &form).await
        };
        self.at_provider(service, url, fill_in).await
    }

    /// Refuses at the provider, and returns the URL of the callback.
    pub(crate) async fn decline(&self, service: &Service, url: &str) -> String {
        let fill_in = async |page: &Page| {
            let action = page.between("<form autocomplete=\"off\" action=\"", "\"");
            self.get(&format!("{action}/abort")).await
        };
        self.at_provider(service, url, fill_in).await
    }

    pub(crate) async fn log_in(&self, service: &Service, user: &str) {
        let begun = self.begin(service, "/").await;
        let callback = self.sign_in(service, &begun, user).await;
        let done = self.get(&callback).await;
        assert_eq!(done.status, 303, "{done:?}");
    }

    /// Returns the user of the service's home page.
    pub(crate) async fn user(&self, service: &Service) -> Option<String> {
        let page = self.get(&service.url("/")).await;
        assert_eq!(page.status, 200);
        let user = page.body.strip_prefix("<p>You are ")?;
        Some(user.split_once('.').unwrap().0.to_owned())
    }

    /// Returns whether the provider asks for a password in a log-in.
    pub(crate) async fn is_asked_for_a_password(&self, service: &Service) -> bool {
        let mut page = self.get(&self.begin(service, "/").await).await;
        let callback = service.url("/callback");
        while page.status != 200 {
            if page.target().starts_with(&callback) {
                return false;
            }
            page = self.get(&page.target()).await;
        }
        page.body.contains("type=\"password\"")
    }

    /// Logs out at the provider, and returns the URL that it redirects to.
    pub(crate) async fn confirm_log_out(&self, url: &str) -> String {
        let page = self.get(url).await;
        let action = page.between("method=\"post\" action=\"", "\"");
        let secret = page.between("name=\"xsrf\" value=\"", "\"");
        let form = [("xsrf", secret), ("logout", "yes")];
        self.post(action, &form).await.target()
    }

    /// Logs out here, and returns the ID token that the service hands to the provider.
    pub(crate) async fn id_token(&self, service: &Service) -> String {
        let leaving = self.post(&service.url("/logout"), &[]).await;
        leaving.parameter("id_token_hint").unwrap()
    }
}
