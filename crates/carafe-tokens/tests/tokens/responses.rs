//! The responses of both frameworks.

#[cfg(feature = "axum")]
mod axum_responses {
    use axum::response::IntoResponse;
    use carafe_tokens::{
        Algorithm, Refusal, SigningKey, SigningRing,
        http::{JwkSetResponse, bearer_token},
        jwt::VerifyError,
        key::KeysUnavailable,
    };

    use crate::refresh::NOW;

    #[test]
    fn a_jwk_set_may_be_cached() {
        let ring = SigningRing::new(SigningKey::generate(Algorithm::Es256).unwrap());
        let response = JwkSetResponse::new(&ring, NOW).into_response();
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-type"), "application/jwk-set+json");
        assert_eq!(header("cache-control"), "public, max-age=300");
    }

    #[test]
    fn refusals_are_challenges_and_missing_keys_an_outage() {
        let parts = |response: axum::response::Response| {
            let challenge = response.headers().get("www-authenticate");
            let challenge = challenge.map(|value| value.to_str().unwrap().to_owned());
            assert_eq!(response.headers()["cache-control"], "no-store");
            (response.status().as_u16(), challenge)
        };
        let expired = parts(Refusal::Expired.into_response());
        assert_eq!(
            expired,
            (401, Some(Refusal::Expired.www_authenticate(None)))
        );
        let invalid = parts(bearer_token([&b"Bearer"[..]]).unwrap_err().into_response());
        assert_eq!(
            invalid,
            (400, Some(r#"Bearer error="invalid_request""#.to_owned()))
        );
        let unavailable = VerifyError::Unavailable(KeysUnavailable::new("refused"));
        assert_eq!(parts(unavailable.into_response()), (503, None));
    }
}

#[cfg(feature = "actix")]
mod actix_responses {
    use actix_web::{Responder, ResponseError, test::TestRequest};
    use carafe_tokens::{
        Algorithm, Refusal, SigningKey, SigningRing,
        http::{JwkSetResponse, bearer_token},
        jwt::VerifyError,
        key::KeysUnavailable,
    };

    use crate::refresh::NOW;

    #[test]
    fn a_jwk_set_may_be_cached() {
        let ring = SigningRing::new(SigningKey::generate(Algorithm::Es256).unwrap());
        let request = TestRequest::default().to_http_request();
        let response = JwkSetResponse::new(&ring, NOW).respond_to(&request);
        assert_eq!(
            response.headers().get("content-type").unwrap(),
            "application/jwk-set+json"
        );
        assert_eq!(
            response.headers().get("cache-control").unwrap(),
            "public, max-age=300"
        );
    }

    #[test]
    fn refusals_are_challenges_and_missing_keys_an_outage() {
        let parts = |error: &dyn ResponseError| {
            let response = error.error_response();
            let challenge = response.headers().get("www-authenticate");
            let challenge = challenge.map(|value| value.to_str().unwrap().to_owned());
            assert_eq!(response.headers().get("cache-control").unwrap(), "no-store");
            (response.status().as_u16(), challenge)
        };
        let expired = parts(&Refusal::Expired);
        assert_eq!(
            expired,
            (401, Some(Refusal::Expired.www_authenticate(None)))
        );
        let invalid = parts(&bearer_token([&b"Bearer"[..]]).unwrap_err());
        assert_eq!(
            invalid,
            (400, Some(r#"Bearer error="invalid_request""#.to_owned()))
        );
        let unavailable = VerifyError::Unavailable(KeysUnavailable::new("refused"));
        assert_eq!(parts(&unavailable), (503, None));
    }
}
