//! Family 1: writing and reading a cookie's value, without HTTP.
//!
//! Columns are operation and form. A form is a size of JSON text, plain or deflated: Flask deflates
//! if the result is shorter, which happens from about 100 bytes on; by default, Carafe deflates
//! payloads of more than 512 bytes.

use std::rc::Rc;

use ::carafe::token::Compression;
use serde_json::Value;

use crate::{
    content::{ACCOUNT, SIZES, dictionary},
    harness::{Candidate, Candidates, Measured, Outcome, Table},
    peers::{
        Codec, carafe,
        cookie_crate::{Jar, Protection},
        flask::Flask,
        parts,
    },
};

const OURS: &str = "**Carafe signed**";
const ENCRYPTED: &str = "**Carafe encrypted**";
const FLASK: &str = "Flask";
const SIGNED_JAR: &str = "cookie, signed jar";
const PRIVATE_JAR: &str = "cookie, private jar";
const WHO: [&str; 5] = [OURS, ENCRYPTED, SIGNED_JAR, PRIVATE_JAR, FLASK];

/// The operations, as named in the tables.
const READ: &str = "open + read one key";
const OPEN: &str = "open";
const ENCODE: &str = "encode";
const SEAL: &str = "seal";

/// A form of a session in a cookie.
struct Form {
    name: String,
    dictionary: Value,
    deflated: bool,
}

fn forms() -> Vec<Form> {
    let of = |name: &str, bytes, deflated: bool| Form {
        name: format!("{name}{}", if deflated { " deflated" } else { "" }),
        dictionary: dictionary(bytes),
        deflated,
    };
    SIZES
        .iter()
        .flat_map(|&(name, bytes)| [of(name, bytes, false), of(name, bytes, true)])
        .filter(|form| !form.deflated || form.dictionary.to_string().len() > 100)
        .collect()
}

impl Form {
    fn column(&self, operation: &str) -> String {
        format!("{operation}, {}", self.name)
    }

    fn signer(&self) -> Rc<dyn Codec> {
        let compression = match self.deflated {
            true => Compression::WhenShorter,
            false => Compression::Never,
        };
        Rc::new(carafe::Signed::new(compression))
    }

    fn payload(&self) -> String {
        self.dictionary.to_string()
    }
}

pub(crate) fn candidates(alone: bool) -> Outcome<Candidates> {
    let flask = if alone { None } else { Some(Flask::start()?) };
    Ok(forms()
        .iter()
        .flat_map(|form| candidates_of(form, flask.as_ref()))
        .collect())
}

fn candidates_of(form: &Form, flask: Option<&Flask>) -> Candidates {
    let signer = form.signer();
    let cookie = signer.seal(&form.payload());
    let mut all = parts::candidates(&form.name, &cookie, &form.dictionary);
    all.extend(operations(OURS, form, &signer));
    if !form.deflated {
        for (who, codec) in others() {
            all.extend(operations(who, form, &codec));
        }
    }
    if let Some(flask) = flask {
        all.push(flask.candidate(FLASK, &form.column(READ), "loads", cookie));
        all.push(flask.candidate(FLASK, &form.column(ENCODE), "dumps", form.payload()));
    }
    all
}

/// Returns the peers that never deflate cookies.
fn others() -> [(&'static str, Rc<dyn Codec>); 3] {
    let jar = |protection| Rc::new(Jar::new(protection));
    [
        (ENCRYPTED, Rc::new(carafe::Encrypted::new())),
        (SIGNED_JAR, jar(Protection::Signed)),
        (PRIVATE_JAR, jar(Protection::Private)),
    ]
}

/// Returns the four operations of a peer.
fn operations(who: &str, form: &Form, codec: &Rc<dyn Codec>) -> [Candidate; 4] {
    let (payload, dictionary) = (form.payload(), form.dictionary.clone());
    let cookie = codec.seal(&payload);
    assert_eq!(codec.read(&cookie, "account"), ACCOUNT);
    let again = cookie.clone();
    let [one, two, three, four] = std::array::from_fn(|_| Rc::clone(codec));
    [
        Candidate::new(who, &form.column(READ), move |_| {
            one.read(&cookie, "account")
        }),
        Candidate::new(who, &form.column(OPEN), move |_| two.open(&again)),
        Candidate::new(who, &form.column(ENCODE), move |_| {
            three.encode(&dictionary)
        }),
        Candidate::new(who, &form.column(SEAL), move |_| four.seal(&payload)),
    ]
}

pub(crate) fn report(measured: &Measured) {
    println!("\n## A cookie's value, ns of CPU time");
    sizes();
    for operation in [READ, OPEN, ENCODE, SEAL] {
        by_peer(measured, operation);
    }
    by_part(measured, READ, parts::of_reading);
    by_part(measured, ENCODE, parts::of_writing);
    println!(
        "\nUsual spread: ± {:.1} %.",
        measured.usual_spread() * 100.0
    );
}

fn sizes() {
    let size = |form: &Form| {
        format!(
            "{} {}",
            form.name,
            form.signer().seal(&form.payload()).len()
        )
    };
    let sizes: Vec<_> = forms().iter().map(size).collect();
    println!("\nBytes of the signed cookies: {}.", sizes.join(", "));
}

fn by_peer(measured: &Measured, operation: &str) {
    let forms = forms();
    let mut table = head(&forms);
    for who in WHO {
        let cell = |form: &Form| cell(measured, who, &form.column(operation));
        let cells: Vec<_> = forms.iter().map(cell).collect();
        if cells.iter().any(|cell| !cell.is_empty()) {
            table.row(who, cells);
        }
    }
    if measured.has(FLASK, &forms[0].column(operation)) {
        table.row(
            "Flask / Carafe signed",
            forms.iter().map(|form| {
                let column = form.column(operation);
                format!(
                    "{:.1} ×",
                    measured.nanoseconds(FLASK, &column) / measured.nanoseconds(OURS, &column)
                )
            }),
        );
    }
    table.print(operation);
}

fn by_part(measured: &Measured, operation: &str, parts: fn(bool) -> Vec<&'static str>) {
    let forms = forms();
    let mut table = head(&forms);
    for part in parts(true) {
        table.row(
            part,
            forms.iter().map(|form| cell(measured, part, &form.name)),
        );
    }
    let sum = |form: &Form| measured.sum(&parts(form.deflated), &form.name);
    let ours = |form: &Form| measured.nanoseconds(OURS, &form.column(operation));
    table.row(
        "sum of the parts",
        forms.iter().map(|form| whole(sum(form))),
    );
    table.row(OURS, forms.iter().map(|form| whole(ours(form))));
    table.row(
        "Carafe / sum of the parts",
        forms
            .iter()
            .map(|form| format!("{:.2}", ours(form) / sum(form))),
    );
    table.print(&format!("{operation}: the parts"));
}

fn head(forms: &[Form]) -> Table {
    Table::new(std::iter::once("").chain(forms.iter().map(|form| form.name.as_str())))
}

fn cell(measured: &Measured, row: &str, column: &str) -> String {
    if !measured.has(row, column) {
        return String::new();
    }
    whole(measured.nanoseconds(row, column))
}

fn whole(nanoseconds: f64) -> String {
    format!("{nanoseconds:.0}")
}
