// Verifies a JWT as an upstream would, with the keys the gateway serves: prints
// its claims, or fails and says why.
import { readFileSync } from "node:fs";
import { createRemoteJWKSet, jwtVerify } from "jose";

const { jwks, issuer, audience, algorithms, token } = JSON.parse(readFileSync(0, "utf8"));
const { payload } = await jwtVerify(token, createRemoteJWKSet(new URL(jwks)), { issuer, audience, algorithms, typ: "JWT" });
console.log(JSON.stringify(payload));
