# How an app behind the gateway trusts a request: PyJWT verifies the JWT with the gateway's
# published keys.
#
#   pip install 'pyjwt[crypto]'        (Debian: python3-jwt)
#   GATEWAY=https://app.example.com python3 verify.py <jwt
import json
import os
import sys

import jwt

gateway = os.environ["GATEWAY"]
keys = jwt.PyJWKClient(os.environ.get("JWKS_AT", gateway) + "/.well-known/jwks.json")

token = sys.stdin.read().strip().removeprefix("Bearer ")
claims = jwt.decode(
    token,
    keys.get_signing_key_from_jwt(token).key,
    algorithms=["ES256", "RS256", "EdDSA"],
    issuer=gateway,
    audience=os.environ.get("AUDIENCE", gateway),  # the route's `audience`, else the issuer
    options={"require": ["exp", "iat", "iss", "aud", "sub"]},
)
print(json.dumps(claims))
