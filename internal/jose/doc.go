// Package jose reads, checks, makes and publishes signed tokens and their keys.
// It is the only package that calls jwx (jws, jwk and jwa; never jwt), and no
// type of it shows: a move to another library touches this folder alone.
//
// # To check a token
//
// [Parse] takes a compact JWS apart, strictly and without trust: what it returns
// has not been verified. [Token.Verify] checks it with one key.
//
//	t, err := jose.Parse(text)        // *ParseError
//	err = t.Verify(key)               // ErrSignature, *KeyError
//
// The caller chooses the key and the algorithms that it accepts: [Key.Fits] tells
// what a key can do, and nothing in a token's header (jwk, jku, x5u, x5c, x5t) is
// ever taken for a key or fetched.
//
// # To have keys
//
// [ParseKeySet] reads a JWKS (RFC 7517) and drops each key that cannot be used,
// with the reason; [ParsePEM] reads public keys and certificates and refuses
// private ones. There is no way to a symmetric key from either: a Key is a
// public key.
//
// # To sign
//
// [NewSigner] makes a key, [LoadSigner] and [ParseSignerPEM] take one that was
// made before, [Signer.Sign] makes a compact JWT of a payload, and
// [MarshalKeySet] publishes the public halves.
//
// # Strictness
//
// What is signed has exactly one spelling: base64url without padding, line breaks
// or left-over bits, in exactly three parts. (Of an ECDSA signature there are
// two, see [Token.Digest].) Header and payload are JSON objects by the
// rules of package strictjson. The algorithm none, crit, b64, zip and enc are
// refused before anything is verified, and signatures have the exact length and
// range of their algorithm (RFC 7518 §3, RFC 8032 §5.1.7): r and s of ECDSA lie
// strictly between 0 and n, and the salt of PSS is as long as the hash.
package jose
