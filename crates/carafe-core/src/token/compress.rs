//! zlib, within bounds. Deflating is optional in Flask's format; what is inflated is always verified first.

use std::cell::RefCell;

use flate2::{Compress, Decompress, FlushCompress, FlushDecompress, Status};

use super::{PayloadError, Verified};

/// Bytes to which a payload may inflate. Flask has no bound; a cookie of 64 KB can hold 50 MB there.
pub const INFLATED_LIMIT: usize = 64 * 1024;

thread_local! {
    // Their tables take 32 to 300 KB: one of each a thread, not one a request. RefCell, because a
    // thread runs one of these functions at a time and none calls back.
    static DEFLATE: RefCell<Compress> = RefCell::new(Compress::new(flate2::Compression::new(6), true));
    static INFLATE: RefCell<Decompress> = RefCell::new(Decompress::new(true));
}

/// The zlib stream of `bytes`, if it is shorter than `bytes` by at least two: Flask's rule, where the
/// mark for "compressed" costs one.
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

/// Inflates one whole zlib stream; bytes behind its end are ignored, as CPython does.
pub(super) fn inflate(stream: Verified<'_>) -> Result<Vec<u8>, PayloadError> {
    INFLATE.with_borrow_mut(|inflate| {
        inflate.reset(true);
        // Most sessions inflate to less than 4 times their size; the vector grows where they do not.
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
    // At most the length of a slice in memory, so it fits.
    usize::try_from(inflate.total_in()).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tok_9_a_bomb_stops_at_the_limit() {
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
