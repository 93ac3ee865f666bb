//! A cheap proof that the keys of an object are distinct.

/// Evidence that no two keys are equal.
///
/// Saves nearly every payload from a search for duplicates.
///
/// Keys are distinct if their first eight bytes ascend, which covers Flask's sorted payloads. In
/// small payloads with another order, the first bytes and the length of each key are compared with
/// those of every other key.
#[derive(Default)]
pub(super) struct Keys {
    last: u64,
    descended: bool,
    count: usize,
    heads: [u64; 8],
}

impl Keys {
    #[inline(always)]
    pub(super) fn note(&mut self, text: &[u8], start: usize, end: usize) {
        // After nearly every key, the text is long enough to read eight bytes and mask the excess.
        let length = end - start - 1;
        let head = match text.get(start + 1..).and_then(<[u8]>::first_chunk::<8>) {
            Some(chunk) => u64::from_be_bytes(*chunk),
            None => short_head(text, start + 1),
        };
        // The closing quote is kept to mark the end of the key.
        let head = if length < 8 {
            head & !(u64::MAX >> (8 * length))
        } else {
            head
        };
        self.descended |= self.last >= head;
        self.last = head;
        if let Some(slot) = self.heads.get_mut(self.count) {
            *slot = head.wrapping_add(length as u64);
        }
        self.count += 1;
    }

    pub(super) fn distinct(&self) -> bool {
        !self.descended || self.few_and_distinct()
    }

    fn few_and_distinct(&self) -> bool {
        let Some(heads) = self.heads.get(..self.count) else {
            return false;
        };
        heads
            .iter()
            .enumerate()
            .all(|(n, head)| !heads.iter().take(n).any(|other| other == head))
    }
}

#[cold]
fn short_head(text: &[u8], start: usize) -> u64 {
    let mut bytes = [0; 8];
    let rest = text.get(start..).unwrap_or_default();
    bytes
        .iter_mut()
        .zip(rest)
        .for_each(|(slot, &byte)| *slot = byte);
    u64::from_be_bytes(bytes)
}
