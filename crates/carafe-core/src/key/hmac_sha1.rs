//! HMAC-SHA1 (RFC 2104) whose key has been taken in: two states of the hash, one for each padded key.
//!
//! The hash itself is the `sha1` crate's. Only the padding is done here, because it is what a small cookie spends its
//! time on: through the general `hmac` crate, buffers and clones take as long as one of the three blocks.

use sha1::{Digest, Sha1, block_api::compress};
use zeroize::Zeroizing;

type State = [u32; 5];
type Block = [u8; 64];

/// FIPS 180-4 §5.3.1.
const START: State = [
    0x6745_2301,
    0xefcd_ab89,
    0x98ba_dcfe,
    0x1032_5476,
    0xc3d2_e1f0,
];

/// Bytes of a tag.
pub(super) const TAG: usize = 20;

#[derive(Clone)]
pub(crate) struct HmacSha1 {
    inner: Zeroizing<State>,
    outer: Zeroizing<State>,
}

impl HmacSha1 {
    /// Takes keys of any length.
    pub(super) fn new(key: &[u8]) -> Self {
        let mut padded = Zeroizing::new([0; size_of::<Block>()]);
        match padded.get_mut(..key.len()) {
            Some(start) => start.copy_from_slice(key),
            None => padded[..TAG].copy_from_slice(&Sha1::digest(key)),
        }
        Self {
            inner: keyed(&padded, 0x36),
            outer: keyed(&padded, 0x5c),
        }
    }

    pub(super) fn tag(&self, message: &[u8]) -> [u8; TAG] {
        let (blocks, rest) = message.as_chunks();
        let (mut inner, mut outer) = (*self.inner, *self.outer);
        compress(&mut inner, blocks);
        compress_end(&mut inner, rest, message.len());
        compress_end(&mut outer, &bytes(inner), TAG);
        bytes(outer)
    }
}

fn keyed(padded: &Block, pad: u8) -> Zeroizing<State> {
    let mut state = Zeroizing::new(START);
    let block = Zeroizing::new(padded.map(|byte| byte ^ pad));
    compress(&mut state, std::slice::from_ref(&*block));
    state
}

/// What does not fill a block, a mark, and the length in bits with the padded key's (FIPS 180-4 §5.1.1).
fn compress_end(state: &mut State, rest: &[u8], length: usize) {
    let mut end: [Block; 2] = [[0; size_of::<Block>()]; 2];
    let text = end.as_flattened_mut();
    text[..rest.len()].copy_from_slice(rest);
    text[rest.len()] = 0x80;
    let used = if rest.len() < 56 { 1 } else { 2 };
    let bits = (size_of::<Block>() + length) as u64 * 8;
    end[used - 1][56..].copy_from_slice(&bits.to_be_bytes());
    compress(state, &end[..used]);
}

fn bytes(state: State) -> [u8; TAG] {
    let mut out = [0; TAG];
    let (words, _) = out.as_chunks_mut();
    for (bytes, word) in words.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    out
}

#[cfg(test)]
mod tests {
    use hmac::{Hmac, KeyInit, Mac};

    use super::*;

    /// Every length around the borders of blocks, of keys and messages alike.
    #[test]
    fn cry_1_tags_are_those_of_the_hmac_crate() {
        let text: Vec<u8> = (0..=255).collect();
        for key in (0..text.len()).map(|length| &text[..length]) {
            let theirs = Hmac::<Sha1>::new_from_slice(key).unwrap();
            let ours = HmacSha1::new(key);
            for message in (0..text.len()).map(|length| &text[length..]) {
                let tag = theirs.clone().chain_update(message).finalize();
                assert_eq!(
                    ours.tag(message)[..],
                    tag.into_bytes()[..],
                    "{} {}",
                    key.len(),
                    message.len()
                );
            }
        }
    }
}
