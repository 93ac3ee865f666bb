//! Bounded zlib.
//!
//! Flask's format makes compression optional. Input is always verified before it is inflated.

use std::cell::RefCell;

use flate2::{Compress, Decompress, FlushCompress, FlushDecompress, Status};

use super::{INFLATED_LIMIT, PayloadError, Verified};

thread_local! {
    // The tables take 32 to 300 KB, so there is one of each per thread and not per request.
    // `RefCell` suffices because a thread runs only one of these functions at a time and none calls
    // back.
    static DEFLATE: RefCell<Compress> = RefCell::new(Compress::new(flate2::Compression::new(6), true));
    static INFLATE: RefCell<Decompress> = RefCell::new(Decompress::new(true));
}

/// Returns the zlib stream of `bytes` if it is at least two bytes shorter than `bytes`.
///
/// The rule is Flask's. The marker for "compressed" takes one byte.
pub(super) fn deflate_if_shorter(bytes: &[u8]) -> Option<Vec<u8>> {
    let room = bytes.len().checked_sub(2)?;
    DEFLATE.with_borrow_mut(|deflate| {
        deflate.reset();
        let mut out = vec![0; room];
        let status = deflate
            .compress(bytes, &mut out, FlushCompress::Finish)
            .ok()?;
        let written = usize::try_from(deflate.total_out()).ok()?;
        out.truncate(written);
        (status == Status::StreamEnd).then_some(out)
    })
}

/// Inflates one whole zlib stream. Bytes after its end are ignored, as in CPython.
pub(super) fn inflate(stream: Verified<'_>) -> Result<Vec<u8>, PayloadError> {
    INFLATE.with_borrow_mut(|inflate| {
        inflate.reset(true);
        // Most sessions inflate to less than 4 times their size. The vector grows for the others.
        let mut out = Vec::with_capacity((stream.bytes().len() * 4).clamp(256, INFLATED_LIMIT + 1));
        loop {
            let rest = &stream.bytes()[consumed(inflate)..];
            let status = inflate.decompress_vec(rest, &mut out, FlushDecompress::Finish);
            match status.map_err(|_| PayloadError::Inflate)? {
                _ if out.len() > INFLATED_LIMIT => return Err(PayloadError::TooLarge),
                Status::StreamEnd => return Ok(out),
                Status::Ok | Status::BufError if out.len() == out.capacity() => {
                    out.reserve_exact(out.len().min(INFLATED_LIMIT + 1 - out.len()).max(1));
                }
                Status::Ok | Status::BufError => return Err(PayloadError::Inflate),
            }
        }
    })
}

fn consumed(inflate: &Decompress) -> usize {
    // At most the length of a slice in memory, so the conversion never fails.
    usize::try_from(inflate.total_in()).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let exact = deflate_if_shorter(&vec![b'a'; INFLATED_LIMIT]).unwrap();
        assert_eq!(inflate(Verified(&exact)).unwrap().len(), INFLATED_LIMIT);
        let bomb = deflate_if_shorter(&vec![b'a'; 4 << 20]).unwrap();
        assert_eq!(inflate(Verified(&bomb)), Err(PayloadError::TooLarge));
        let one_more = deflate_if_shorter(&vec![b'a'; INFLATED_LIMIT + 1]).unwrap();
        assert_eq!(inflate(Verified(&one_more)), Err(PayloadError::TooLarge));
    }

    #[test]
    fn only_a_whole_zlib_stream_inflates() {
        let stream = deflate_if_shorter(&[b'a'; 100]).unwrap();
        for length in 0..stream.len() {
            assert_eq!(
                inflate(Verified(&stream[..length])),
                Err(PayloadError::Inflate),
                "{length}"
            );
        }
        let mut checksum = stream.clone();
        *checksum.last_mut().unwrap() ^= 1;
        assert_eq!(inflate(Verified(&checksum)), Err(PayloadError::Inflate));
        let followed = [&stream[..], b"more"].concat();
        assert_eq!(inflate(Verified(&followed)).unwrap(), [b'a'; 100]);
    }

    proptest! {
        #[test]
        fn what_is_deflated_inflates(text in "[a-c]{0,3000}") {
            if let Some(stream) = deflate_if_shorter(text.as_bytes()) {
                prop_assert!(stream.len() + 1 < text.len());
                prop_assert_eq!(inflate(Verified(&stream)).unwrap(), text.as_bytes());
            }
        }

        #[test]
        fn no_stream_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = inflate(Verified(&bytes));
        }
    }
}
