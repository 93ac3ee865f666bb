"""PyJWT, Authlib, joserfc and Flask-JWT-Extended, one JSON request per line of standard input.

The requests come from `crates/carafe-tokens/tests/tokens/oracles.rs`. Each answer is one line:
`{"ok": true, …}`, or `{"ok": false, "error": "the name of the exception"}`.
"""

from __future__ import annotations

import json
import sys
import warnings
from typing import Any

import jwt
from flask import Flask
from flask_jwt_extended import JWTManager, create_access_token, create_refresh_token, decode_token
from joserfc import jwk as joserfc_jwk
from joserfc import jwt as joserfc_jwt

with warnings.catch_warnings(record=True):  # Authlib recommends joserfc
    from authlib.jose import JsonWebKey, JsonWebToken

# joserfc recommends the newer name of EdDSA (RFC 9864)
warnings.simplefilter("ignore")

Request = dict[str, Any]


def pyjwt_sign(request: Request) -> Request:
    key = jwt.PyJWK(request["jwk"], request["alg"])
    headers = {"kid": request["jwk"]["kid"], "typ": request["typ"]}
    return {"token": jwt.encode(request["claims"], key.key, request["alg"], headers=headers)}


def pyjwt_verify(request: Request) -> Request:
    keys = [jwt.PyJWK(key, request["alg"]) for key in request["jwks"]["keys"]]
    kid = jwt.get_unverified_header(request["token"])["kid"]
    key = next(key for key in keys if key.key_id == kid)
    claims = jwt.decode(
        request["token"],
        key.key,
        [request["alg"]],
        audience=request["audience"],
        issuer=request["issuer"],
        options={"require": ["exp", "iat", "iss", "aud", "sub"]},
    )
    return {"claims": claims}


def authlib_sign(request: Request) -> Request:
    header = {"alg": request["alg"], "kid": request["jwk"]["kid"], "typ": request["typ"]}
    token = JsonWebToken([request["alg"]]).encode(header, request["claims"], JsonWebKey.import_key(request["jwk"]))
    return {"token": token.decode()}


def authlib_verify(request: Request) -> Request:
    options = {
        "iss": {"essential": True, "value": request["issuer"]},
        "aud": {"essential": True, "value": request["audience"]},
        "exp": {"essential": True},
    }
    keys = JsonWebKey.import_key_set(request["jwks"])
    claims = JsonWebToken([request["alg"]]).decode(request["token"], keys, claims_options=options)
    claims.validate()
    return {"claims": dict(claims)}


def joserfc_sign(request: Request) -> Request:
    header = {"alg": request["alg"], "kid": request["jwk"]["kid"], "typ": request["typ"]}
    key = joserfc_jwk.import_key(request["jwk"])
    return {"token": joserfc_jwt.encode(header, request["claims"], key, algorithms=[request["alg"]])}


def joserfc_verify(request: Request) -> Request:
    keys = joserfc_jwk.KeySet.import_key_set(request["jwks"])
    token = joserfc_jwt.decode(request["token"], keys, algorithms=[request["alg"]])
    registry = joserfc_jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": request["issuer"]},
        aud={"essential": True, "value": request["audience"]},
        exp={"essential": True},
    )
    registry.validate(token.claims)
    return {"claims": token.claims}


def thumbprint(request: Request) -> Request:
    return {
        "joserfc": joserfc_jwk.import_key(request["jwk"]).thumbprint(),
        "authlib": JsonWebKey.import_key(request["jwk"]).thumbprint(),
    }


def flask_application(request: Request) -> Flask:
    application = Flask("oracle")
    application.config["JWT_SECRET_KEY"] = request["secret"]
    application.config["JWT_TOKEN_LOCATION"] = ["headers", "cookies"]
    JWTManager(application)
    return application


def flask_create(request: Request) -> Request:
    with flask_application(request).test_request_context():
        if request["kind"] == "refresh":
            return {"token": create_refresh_token(request["identity"])}
        return {"token": create_access_token(request["identity"], fresh=request["fresh"])}


def flask_decode(request: Request) -> Request:
    with flask_application(request).test_request_context():
        return {"claims": decode_token(request["token"], csrf_value=request["csrf"])}


def flask_request(request: Request) -> Request:
    """Send the token to views that require an access token, a fresh one, and a refresh token."""
    from flask_jwt_extended import get_jwt_identity, jwt_required

    application = flask_application(request)
    application.get("/access")(jwt_required()(lambda: get_jwt_identity()))
    application.get("/fresh", endpoint="fresh")(jwt_required(fresh=True)(lambda: get_jwt_identity()))
    application.get("/refresh", endpoint="refresh")(jwt_required(refresh=True)(lambda: get_jwt_identity()))
    client = application.test_client()
    headers = {"Authorization": f"Bearer {request['token']}"}
    replies = [client.get(path, headers=headers) for path in ("/access", "/fresh", "/refresh")]
    return {"statuses": [reply.status_code for reply in replies], "bodies": [reply.text for reply in replies]}


OPERATIONS = {
    "thumbprint": thumbprint,
    "pyjwt-sign": pyjwt_sign,
    "pyjwt-verify": pyjwt_verify,
    "authlib-sign": authlib_sign,
    "authlib-verify": authlib_verify,
    "joserfc-sign": joserfc_sign,
    "joserfc-verify": joserfc_verify,
    "flask-create": flask_create,
    "flask-decode": flask_decode,
    "flask-request": flask_request,
}


def main() -> None:
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"ok": True, **OPERATIONS[request["op"]](request)}
        except Exception as error:  # the libraries have no common base class
            answer = {"ok": False, "error": type(error).__name__, "text": str(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
