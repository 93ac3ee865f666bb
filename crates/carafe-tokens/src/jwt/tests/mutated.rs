//! A million modified tokens, of which none is accepted.

use super::{ALL, NOW, Party, claims};
use crate::key::Algorithm;

/// xorshift64*, deterministic, so that every run makes the same changes.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next()).unwrap() % bound
    }
}

const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.= ";

/// Changes a token in one of nine ways, or combines it with parts of another token.
fn mutate(token: &str, other: &str, random: &mut Random) -> String {
    let mut bytes = token.as_bytes().to_vec();
    let at = random.below(bytes.len());
    let letter = ALPHABET[random.below(ALPHABET.len())];
    match random.below(10) {
        0 => bytes[at] ^= 1 << random.below(7),
        1..=3 => bytes[at] = letter,
        4 => bytes.insert(at, letter),
        5 => drop(bytes.remove(at)),
        6 => bytes.truncate(at),
        7 => {
            let to = random.below(bytes.len());
            bytes.swap(at, to);
        }
        8 => {
            let second = random.below(bytes.len());
            bytes[at] = letter;
            bytes[second] = ALPHABET[random.below(64)];
        }
        _ => {
            let mut parts: Vec<_> = token.split('.').collect();
            let others: Vec<_> = other.split('.').collect();
            let place = random.below(3);
            parts[place] = others[random.below(3)];
            bytes = parts.join(".").into_bytes();
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn none_of_a_million_mutated_tokens_is_accepted() {
    let mut random = Random(0x00c0_ffee_1234_5678);
    let (mut tried, mut refused_by_signature) = (0, 0);
    for algorithm in ALL {
        let (party, other) = (Party::new(algorithm), Party::new(algorithm));
        // An HMAC takes a microsecond, the other algorithms a hundred times as long.
        let count = match algorithm {
            Algorithm::Hs256 => 1_000_000,
            Algorithm::EdDsa => 30_000,
            Algorithm::Es256 => 15_000,
        };
        let own_later = party.with_claim("exp", (NOW.unix() + 301).into());
        let foreign = other.sign(&party.header(), &claims());
        let token = party.good();
        assert!(party.verify(&token).is_ok() && party.verify(&own_later).is_ok());
        for n in 0..count {
            let source = if n % 2 == 0 { &own_later } else { &foreign };
            let mutated = mutate(&token, source, &mut random);
            // The header and the signature of the other token also belong together.
            if mutated == token || mutated == own_later {
                continue;
            }
            match party.verify(&mutated) {
                Ok(_) => panic!("accepted: {mutated}"),
                Err(refusal) => {
                    refused_by_signature += u32::from(refusal == super::Refusal::Signature);
                }
            }
            tried += 1;
        }
    }
    assert!(tried >= 1_000_000, "{tried}");
    // Most of them reach the cryptography.
    assert!(refused_by_signature > 300_000, "{refused_by_signature}");
}
