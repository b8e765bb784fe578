// How an app behind the gateway believes a request: jose verifies the JWT with
// the gateway's published keys.
//
//	GATEWAY=https://app.example.com AUDIENCE=https://app.example.com node verify.mjs <jwt
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { readFileSync } from 'node:fs'

const gateway = process.env.GATEWAY
const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', process.env.JWKS_AT ?? gateway))

const token = readFileSync(0, 'utf8').trim().replace(/^Bearer /i, '')
const { payload } = await jwtVerify(token, keys, {
  issuer: gateway,
  audience: process.env.AUDIENCE ?? gateway,
  algorithms: ['ES256', 'RS256', 'EdDSA'],
})
console.log(JSON.stringify(payload))
