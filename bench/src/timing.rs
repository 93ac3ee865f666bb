//! Family 8: whether a rejection takes longer if more of a forged tag is correct.
//!
//! Reparaz, Balasch and Verbauwhede, "Dude, is my code constant time?" (2016): two classes of
//! inputs in random order, each call timed separately, and Welch's t of the two means. Beyond ±4.5
//! the classes take different times. The slowest tenth is excluded as noise of the machine.

use std::{hint::black_box, ops::Range, time::Instant};

use base64_simd::URL_SAFE_NO_PAD;
use carafe::{
    KeyRing, SecretKey, Timestamp,
    token::{
        encrypted::EncryptedSessions,
        signed::{SignedFormat, SignedSessions, Signer, SignerSettings},
    },
};

use crate::{
    content::SECRET,
    harness::{Outcome, Table},
};

/// Calls per round.
const CALLS: usize = 10_000;
const PAYLOAD: &str = r#"{"csrf":"0123456789012345678901234567890123456789","uid":12345}"#;
/// Positions of tags in the bytes of tokens.
///
/// For an encrypted token, from its start and from its end; for an HMAC-SHA1 signature, from its
/// start.
const COMMITMENT: Range<usize> = 29..61;
const TAG: usize = 16;
const HMAC: Range<usize> = 0..20;

/// Two rejected inputs, and the function that rejects them.
struct Pair {
    name: &'static str,
    early: Vec<u8>,
    late: Vec<u8>,
    refuses: Refuses,
}

type Refuses = Box<dyn Fn(&[u8]) -> bool>;

pub(crate) fn run(rounds: usize) -> Outcome {
    println!("\n## Timing: a forged tag whose first byte is wrong, and one whose last byte is");
    let calls = rounds * CALLS;
    let mut table = Table::new(["", "first, ns", "last, ns", "Welch's t"]);
    for pair in pairs()? {
        let [early, late] = pair.times(calls);
        let t = welch(&early, &late);
        table.row(
            pair.name,
            [
                format!("{:.1}", mean(&early)),
                format!("{:.1}", mean(&late)),
                format!("{t:+.1}"),
            ],
        );
    }
    table.print(&format!("{calls} calls of each pair"));
    Ok(())
}

fn pairs() -> Outcome<Vec<Pair>> {
    let keys = KeyRing::new(SecretKey::new(SECRET)?);
    let now = Timestamp::now();
    Ok(vec![
        signed(&keys, now)?,
        signed_id(&keys, now)?,
        encrypted("encrypted session, commitment", &keys, now, |_| COMMITMENT)?,
        encrypted("encrypted session, GCM", &keys, now, |length| {
            length - TAG..length
        })?,
        plain(),
    ])
}

fn signed(keys: &KeyRing, now: Timestamp) -> Outcome<Pair> {
    let sessions = SignedSessions::new(keys, &SignedFormat::flask());
    let cookie = sessions.seal(PAYLOAD, now);
    let refuses = move |cookie: &[u8]| sessions.open(cookie, None, now).is_err();
    Pair::of("signed session, HMAC", &cookie, HMAC, Box::new(refuses))
}

fn signed_id(keys: &KeyRing, now: Timestamp) -> Outcome<Pair> {
    let signer = Signer::new(keys, SignerSettings::with_salt("ids"));
    let id = signer.sign("K5RvQkZ9nP2sYw7tBq3LxJ0cVdM8gEhA1uFiToXrSyU");
    let refuses = move |id: &[u8]| {
        let id = str::from_utf8(id).unwrap_or_default();
        signer.unsign(id, now).is_err()
    };
    Pair::of("signed id, HMAC", &id, HMAC, Box::new(refuses))
}

fn encrypted(
    name: &'static str,
    keys: &KeyRing,
    now: Timestamp,
    tag: fn(usize) -> Range<usize>,
) -> Outcome<Pair> {
    let sessions = EncryptedSessions::new(keys, "bench", "session");
    let cookie = sessions.seal(PAYLOAD, now, now.saturating_add(3_600))?;
    let tag = tag(URL_SAFE_NO_PAD.decode_to_vec(&cookie)?.len());
    let refuses = move |cookie: &[u8]| sessions.open(cookie, None, now).is_err();
    Pair::of(name, &cookie, tag, Box::new(refuses))
}

/// Returns a control: a comparison with a time that depends on the input.
fn plain() -> Pair {
    let secret = vec![7; 1024];
    let (mut early, mut late) = (secret.clone(), secret.clone());
    (early[0], late[1023]) = (0, 0);
    Pair {
        name: "`==` on 1 KB, to compare",
        early,
        late,
        refuses: Box::new(move |text| text != black_box(secret.as_slice())),
    }
}

/// Returns a token with one wrong byte in its last Base64url part.
fn with_wrong_byte(token: &str, at: usize) -> Outcome<Vec<u8>> {
    let start = token.rfind('.').map_or(0, |dot| dot + 1);
    let mut bytes = URL_SAFE_NO_PAD.decode_to_vec(&token[start..])?;
    bytes[at] ^= 0x55;
    let wrong = URL_SAFE_NO_PAD.encode_to_string(bytes);
    Ok(format!("{}{wrong}", &token[..start]).into_bytes())
}

impl Pair {
    /// Returns a valid token with a wrong first byte and with a wrong last byte of its tag.
    fn of(name: &'static str, token: &str, tag: Range<usize>, refuses: Refuses) -> Outcome<Self> {
        assert!(!refuses(token.as_bytes()), "{name}: it is good");
        Ok(Self {
            name,
            early: with_wrong_byte(token, tag.start)?,
            late: with_wrong_byte(token, tag.end - 1)?,
            refuses,
        })
    }

    /// Returns the nanoseconds of the calls with each input.
    ///
    /// The slowest tenth of all calls is excluded.
    fn times(&self, calls: usize) -> [Vec<f64>; 2] {
        let mut times = Vec::with_capacity(calls);
        // One buffer for both inputs, so that only the bytes differ.
        let mut input = self.early.clone();
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..calls {
            // Marsaglia's xorshift
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let is_late = random >> 63 == 1;
            input.copy_from_slice(if is_late { &self.late } else { &self.early });
            let began = Instant::now();
            let refused = (self.refuses)(black_box(&input));
            let took = began.elapsed();
            assert!(refused, "{}: it is forged", self.name);
            times.push((is_late, took.as_nanos() as f64));
        }
        let mut sorted: Vec<_> = times.iter().map(|&(_, time)| time).collect();
        sorted.sort_by(f64::total_cmp);
        let most = sorted[calls * 9 / 10];
        [false, true].map(|class| {
            let kept = times
                .iter()
                .filter(|&&(is_late, time)| is_late == class && time <= most);
            kept.map(|&(_, time)| time).collect()
        })
    }
}

fn mean(times: &[f64]) -> f64 {
    times.iter().sum::<f64>() / times.len() as f64
}

fn welch(one: &[f64], other: &[f64]) -> f64 {
    let error = |times: &[f64]| {
        let mean = mean(times);
        let squares: f64 = times.iter().map(|time| (time - mean).powi(2)).sum();
        squares / (times.len() as f64 - 1.0) / times.len() as f64
    };
    (mean(one) - mean(other)) / (error(one) + error(other)).sqrt()
}
