package jose

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"

	"github.com/attestgate/caddy-attest/internal/strictjson"
)

// MinSecretBytes is the least length of a shared secret: that of the hash of HS256 (RFC
// 7518 §3.2).
const MinSecretBytes = 32

// A Secret is shared with an issuer. It prints as nothing.
type Secret struct{ bytes []byte }

// String hides the secret, as does GoString.
func (Secret) String() string { return "…" }

// GoString hides the secret.
func (Secret) GoString() string { return "…" }

// NewSecret checks a shared secret. What is, or looks like, a key that others may know is
// refused: a public key as a secret lets everybody sign (RFC 8725 §2.1). The key is named
// by a part of a MAC, which does not tell secrets apart from a guess.
func NewSecret(secret []byte) (Key, error) {
	switch {
	case len(secret) < MinSecretBytes:
		return Key{}, keyErrorf("a shared secret of %d bytes, fewer than %d", len(secret), MinSecretBytes)
	case isPublished(secret):
		return Key{}, keyErrorf("a shared secret that is a key or certificate, which others may know")
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("attest: name of a shared secret"))
	return Key{Public: Secret{bytes.Clone(secret)}, Thumbprint: "secret-" + hex.EncodeToString(mac.Sum(nil)[:8])}, nil
}

// isDER tells a public key or a certificate without armour.
func isDER(data []byte) bool {
	_, noKey := x509.ParsePKIXPublicKey(data)
	_, noRSA := x509.ParsePKCS1PublicKey(data)
	_, noCertificate := x509.ParseCertificate(data)
	return noKey == nil || noRSA == nil || noCertificate == nil
}

// isPublished tells PEM, JWK and JWKS from other texts.
func isPublished(secret []byte) bool {
	if bytes.Contains(secret, []byte(pemBegin)) || bytes.HasPrefix(secret, []byte("ssh-")) || bytes.HasPrefix(secret, []byte("ecdsa-")) || isDER(secret) {
		return true
	}
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if data, err := encoding.DecodeString(string(bytes.Join(bytes.Fields(secret), nil))); err == nil && isDER(data) {
			return true
		}
	}
	document, err := strictjson.Object(bytes.TrimSpace(secret))
	return err == nil && (document["keys"] != nil || document["kty"] != nil)
}
