//! Random forgeries of one cookie.
//!
//! Created here because a pipe would be too slow for millions of forgeries.

use serde_json::{Value as Json, json};

use crate::{
    protocol::{Failure, Request, needed},
    settings::Sessions,
};

/// Maximum number of accepted forgeries in the answer.
const SHOWN: usize = 10;
/// The characters of tokens; other bytes rarely pass the first check.
const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";

/// Changes two bytes of the cookie, `count` times, and answers with the accepted forgeries.
pub(crate) fn mutate(request: &Request) -> Result<Json, Failure> {
    let sessions = Sessions::of(request)?;
    let cookie = needed(request.cookie.as_deref(), "cookie")?.as_bytes();
    // Without a valid cookie, the test would prove nothing.
    sessions.open(cookie)?;
    let mut chance = Chance(needed(request.seed, "seed")?);
    let mut forged = cookie.to_vec();
    let mut taken = Vec::new();
    for _ in 0..needed(request.count, "count")? {
        chance.change_two(&mut forged);
        if sessions.open(&forged).is_ok() && taken.len() < SHOWN {
            taken.push(
                forged
                    .iter()
                    .map(|&byte| char::from(byte))
                    .collect::<String>(),
            );
        }
        forged.copy_from_slice(cookie);
    }
    Ok(json!({ "ok": true, "taken": taken }))
}

/// `SplitMix64`: the same sequence for a seed on every machine.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    #[expect(clippy::cast_possible_truncation, reason = "less than `end`")]
    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// Changes two different bytes to other values, mostly to characters of tokens.
    fn change_two(&mut self, bytes: &mut [u8]) {
        let one = self.below(bytes.len());
        let other = (one + 1 + self.below(bytes.len() - 1)) % bytes.len();
        for place in [one, other] {
            bytes[place] = self.another(bytes[place]);
        }
    }

    fn another(&mut self, byte: u8) -> u8 {
        loop {
            let new = match self.below(4) {
                0 => self.next().to_le_bytes()[0],
                _ => ALPHABET[self.below(ALPHABET.len())],
            };
            if new != byte {
                return new;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Chance;

    #[test]
    fn two_bytes_change_each_time() {
        let mut chance = Chance(1);
        let genuine = b"ab.c";
        for _ in 0..10_000 {
            let mut forged = *genuine;
            chance.change_two(&mut forged);
            let changed = forged.iter().zip(genuine).filter(|(a, b)| a != b);
            assert_eq!(changed.count(), 2);
        }
    }
}
