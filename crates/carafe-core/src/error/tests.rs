use super::*;
use crate::{
    cookie::CookieError,
    json::{DecodeError, EncodeError, ScanError, string::LoneSurrogate},
    session::{CommitError, SessionError, SessionRejection},
    store::StoreError,
    token::{PayloadError, SealError, TokenError},
};

/// Returns the texts of an error and its causes, in order.
fn texts(error: &(dyn Error + 'static)) -> Vec<String> {
    let mut texts = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        texts.push(error.to_string());
        next = error.source();
    }
    texts
}

fn store_errors() -> Vec<StoreError> {
    vec![
        StoreError::unavailable("connection refused"),
        StoreError::Timeout(std::time::Duration::from_secs(1)),
        StoreError::corrupt(ScanError::TooDeep),
        StoreError::unstorable(ScanError::TooLong),
        StoreError::Conflict,
        StoreError::Unsupported,
        StoreError::Full,
        StoreError::TooLarge { size: 2, limit: 1 },
    ]
}

#[test]
fn no_error_repeats_a_cause_in_its_own_text() {
    let key = || "k".to_owned();
    let mut errors: Vec<Box<dyn Error>> = vec![
        Box::new(TokenError::Payload(PayloadError::Json(ScanError::TooDeep))),
        Box::new(DecodeError::Scan(ScanError::BadTag)),
        Box::new(DecodeError::LoneSurrogate),
        Box::new(LoneSurrogate),
        Box::new(SessionError::Encode {
            key: key(),
            source: EncodeError::BadKey,
        }),
        Box::new(CommitError::Cookie(CookieError::SameSite)),
        Box::new(CommitError::Seal(SealError::NoRandomness)),
        Box::new(CommitError::TooLarge {
            size: 5000,
            largest: vec![(key(), 4900)],
        }),
    ];
    for source in store_errors() {
        errors.push(Box::new(CommitError::Store {
            source,
            set_cookie: None,
            remember_cookie: None,
            token: None,
        }));
    }
    for source in store_errors() {
        errors.push(Box::new(SessionRejection::Store(source)));
    }
    for error in errors {
        let texts = texts(&*error);
        for (number, text) in texts.iter().enumerate() {
            let causes = &texts[number + 1..];
            assert!(
                causes.iter().all(|cause| !text.contains(cause)),
                "{texts:?}"
            );
        }
        assert_eq!(ErrorChain::of(&*error).to_string(), texts.join(": "));
    }
}

#[test]
fn a_chain_leaves_out_what_an_error_of_another_crate_repeats() {
    #[derive(Debug)]
    struct Foreign(StoreError);
    impl fmt::Display for Foreign {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "query failed: {}", self.0)
        }
    }
    impl Error for Foreign {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }
    let error = StoreError::unavailable(Foreign(StoreError::Full));
    assert_eq!(
        ErrorChain::of(&error).to_string(),
        "the session store is unavailable: query failed: the session store is full"
    );
}

#[test]
fn faults_of_the_store_and_records_that_cannot_be_read_are_answered_with_503() {
    for error in store_errors() {
        let (fault, text) = (error.fault(), error.to_string());
        // An unreadable record is also a 503, but not an outage.
        let is_503 = fault == Fault::Store || matches!(error, StoreError::Corrupt(_));
        let error = CommitError::Store {
            source: error,
            set_cookie: None,
            remember_cookie: None,
            token: None,
        };
        assert_eq!(error.fault(), fault);
        assert_eq!(error.status() == 503, is_503, "{text}");
    }
    assert_eq!(Fault::Conflict.status(), 409);
    let one_too_many = CommitError::TooManySessions { limit: 1 };
    assert_eq!(one_too_many.status(), 409);
}
