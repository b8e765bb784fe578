package jose

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
)

// Verify checks the signature with one key. It is a *KeyError if the key is not
// for the token's algorithm, and ErrSignature if the signature is not the key's.
func (t *Token) Verify(k Key) error {
	alg := t.Header.Algorithm
	if !k.Fits(alg) {
		return keyErrorf("does not fit algorithm %s", describe(alg))
	}
	if !algorithms[alg].verify(k, t.input, t.signature) {
		return ErrSignature
	}
	return nil
}

// describe keeps text from a token out of errors.
func describe(alg string) string {
	if Known(alg) {
		return alg
	}
	return "of the token"
}

func (a *algorithm) verify(k Key, input, signature []byte) bool {
	switch public := k.Public.(type) {
	case *rsa.PublicKey:
		if len(signature) != public.Size() {
			return false
		}
		if a.family == rsaPSS {
			return a.verifyPSS(public, input, signature)
		}
	case *ecdsa.PublicKey:
		if !inRange(signature, public.Curve) {
			return false
		}
	}
	if secret, ok := k.Public.(Secret); ok {
		return a.verifier.Verify(input, signature, secret.bytes) == nil
	}
	// ed25519.Verify refuses a length other than 64 and an S that is not reduced.
	return a.verifier.Verify(input, signature, k.Public) == nil
}

// verifyPSS asks for a salt as long as the hash (RFC 7518 §3.5); jwx takes any.
func (a *algorithm) verifyPSS(public *rsa.PublicKey, input, signature []byte) bool {
	h := a.hash.New()
	h.Write(input)
	opts := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
	return rsa.VerifyPSS(public, a.hash, h.Sum(nil), signature, opts) == nil
}

// inRange checks that the signature is R || S of the curve's exact length with
// 0 < r, s < n (RFC 7518 §3.4). Zeros once verified anything (CVE-2022-21449).
func inRange(signature []byte, curve elliptic.Curve) bool {
	order := curve.Params().N.Bytes()
	if len(signature) != 2*len(order) {
		return false
	}
	r, s := signature[:len(order)], signature[len(order):]
	return scalar(r, order) && scalar(s, order)
}

func scalar(x, order []byte) bool {
	return bytes.Compare(x, order) < 0 && bytes.IndexFunc(x, func(b rune) bool { return b != 0 }) >= 0
}
