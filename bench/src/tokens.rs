//! Family 9: signing and verifying access tokens, beside the primitive of each algorithm.
//!
//! Every peer signs the same claims with the same key, and checks the issuer, the audience and the
//! times of the token that it has signed itself. Columns are algorithm and operation.

use std::rc::Rc;

use carafe_tokens::Algorithm;

use crate::{
    content::AccessClaims,
    harness::{Candidate, Candidates, Measured, Outcome, Table},
    peers::{Issuer, carafe_tokens::Tokens, jsonwebtoken, jwt_simple, primitives},
};

const PRIMITIVE: &str = "the primitive alone";
const OURS: &str = "**Carafe**";
const OTHERS: [&str; 2] = ["jsonwebtoken", "jwt-simple"];
const ALGORITHMS: [Algorithm; 3] = [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Hs256];

fn columns(algorithm: Algorithm) -> [String; 2] {
    ["sign", "verify"].map(|operation| format!("{algorithm} {operation}"))
}

pub(crate) fn candidates(_alone: bool) -> Outcome<Candidates> {
    Ok(ALGORITHMS.into_iter().flat_map(candidates_of).collect())
}

fn candidates_of(algorithm: Algorithm) -> Candidates {
    let ours = Tokens::new(algorithm);
    let token = ours.sign(&AccessClaims::now());
    let columns = columns(algorithm);
    let names = columns.each_ref().map(String::as_str);
    let mut all = primitives::candidates(PRIMITIVE, names, ours.key(), &token);
    let theirs: [Rc<dyn Issuer>; 2] = [
        Rc::new(jsonwebtoken::Tokens::new(ours.key())),
        Rc::new(jwt_simple::Tokens::new(ours.key())),
    ];
    all.extend(operations(OURS, names, &(Rc::new(ours) as Rc<dyn Issuer>)));
    for (name, issuer) in OTHERS.into_iter().zip(theirs) {
        assert!(issuer.verify(&token).is_some(), "{name} reads our tokens");
        all.extend(operations(name, names, &issuer));
    }
    all
}

fn operations(row: &str, [sign, verify]: [&str; 2], issuer: &Rc<dyn Issuer>) -> [Candidate; 2] {
    let claims = AccessClaims::now();
    let token = issuer.sign(&claims);
    assert_eq!(issuer.verify(&token).as_ref(), Some(&claims.sub), "{row}");
    let (signing, verifying) = (Rc::clone(issuer), Rc::clone(issuer));
    [
        Candidate::new(row, sign, move |_| signing.sign(&claims)),
        Candidate::new(row, verify, move |_| verifying.verify(&token)),
    ]
}

pub(crate) fn report(measured: &Measured) {
    println!("\n## Access tokens");
    let rows = || [OURS].into_iter().chain(OTHERS);
    let mut times = head();
    for row in [PRIMITIVE].into_iter().chain(rows()) {
        times.row(
            row,
            cells(|column| format!("{:.2}", measured.nanoseconds(row, column) / 1000.0)),
        );
    }
    times.print("CPU time, µs");
    let (mut added, mut ratios, mut allocations) = (head(), head(), head());
    for row in rows() {
        let more = |column: &str| measured.added(row, PRIMITIVE, column);
        added.row(
            row,
            cells(|column| format!("{:+.0}", more(column).nanoseconds)),
        );
        ratios.row(
            row,
            cells(|column| {
                let primitive = measured.nanoseconds(PRIMITIVE, column);
                format!("{:.2}", measured.nanoseconds(row, column) / primitive)
            }),
        );
        allocations.row(
            row,
            cells(|column| {
                let more = more(column);
                format!("{:+.0} ({:+.0} B)", more.allocations, more.bytes)
            }),
        );
    }
    added.print("Beyond the primitive, ns");
    ratios.print("As a multiple of the primitive");
    allocations.print("Allocations");
    println!(
        "\nUsual spread: ± {:.1} %.",
        measured.usual_spread() * 100.0
    );
}

fn names() -> Vec<String> {
    ALGORITHMS.into_iter().flat_map(columns).collect()
}

fn head() -> Table {
    let names = names();
    Table::new(std::iter::once("").chain(names.iter().map(String::as_str)))
}

fn cells(cell: impl Fn(&str) -> String) -> Vec<String> {
    names().iter().map(|column| cell(column)).collect()
}
