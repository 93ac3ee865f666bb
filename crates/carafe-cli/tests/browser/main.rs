#[path = "../support/mod.rs"]
mod support;

#[test]
#[ignore]
fn look() {
    let demo = support::browser::start();
    let url = format!("http://{}/", demo.host);
    let chromium = support::chromium::Chromium::start();
    let ada = chromium.visitor();
    ada.open(&url);
    for id in ["signed", "encrypted", "stored"] {
        ada.submit(&format!("#{id} .set-form .button-primary"));
    }
    ada.fill("#log-in-name", "ada");
    ada.submit(".log-in button");
    let second = chromium.visitor();
    second.call_itself("Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1");
    second.open(&url);
    second.fill("#log-in-name", "ada");
    second.submit(".log-in button");
    ada.submit("#race button");
    ada.submit("#keys button");
    for (w, h) in [(1280, 800), (390, 844)] {
        for scheme in ["light", "dark"] {
            ada.resize(w, h);
            ada.prefer(scheme);
            println!("{w} sideways {}", ada.scrolls_sideways());
            let bottom = ada.ask("document.scrollingElement.scrollHeight").as_f64().unwrap();
            let png = ada.picture(0.0, bottom);
            println!("{} bytes", png.len());
            std::fs::write(format!("/tmp/shots/{w}-{scheme}.png"), png).unwrap();
        }
    }
}
