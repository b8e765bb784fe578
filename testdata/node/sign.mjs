// Signs a JWT as a login service would: standard input says the key file, the
// algorithm and the claims; the token goes to standard output.
import { createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { SignJWT } from "jose";

const { key, alg, issuer, audience, expires, claims } = JSON.parse(readFileSync(0, "utf8"));
const jwt = new SignJWT(claims)
	.setProtectedHeader({ alg })
	.setIssuer(issuer)
	.setIssuedAt()
	.setExpirationTime(expires);
if (audience) jwt.setAudience(audience);
console.log(await jwt.sign(createPrivateKey(readFileSync(key))));
