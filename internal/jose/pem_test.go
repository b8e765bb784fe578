package jose_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/internal/jose"
)

func block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func pkix(public any) []byte { return block("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(public))) }

func certificate() []byte {
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Unix(1, 0)} // expired: only its key counts
	return block("CERTIFICATE", must(x509.CreateCertificate(rand.Reader, template, template, p256().Public(), p256())))
}

func TestParsePEM(t *testing.T) {
	all := bytes.Join([][]byte{
		[]byte("a comment before\n"), pkix(rsaKey().Public()), pkix(edKey().Public()),
		block("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&rsaKey2().PublicKey)), certificate(),
	}, []byte("\n"))
	keys, err := jose.ParsePEM(all)
	if err != nil || len(keys) != 4 {
		t.Fatalf("%d keys, %v", len(keys), err)
	}
	for i, public := range []any{rsaKey().Public(), edKey().Public(), rsaKey2().Public(), p256().Public()} {
		if want := key(t, public).Thumbprint; keys[i].Thumbprint != want || keys[i].ID != "" || keys[i].Algorithm != "" {
			t.Errorf("key %d: %+v, want thumbprint %s", i, keys[i], want)
		}
	}
}

// p256Parameters is what openssl ecparam -genkey writes before the key.
var p256Parameters = block("EC PARAMETERS", []byte{6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7})

func TestPEMOfOpenSSLWithECParameters(t *testing.T) {
	keys, err := jose.ParsePEM(append(p256Parameters, pkix(p256().Public())...))
	if err != nil || len(keys) != 1 || keys[0].Thumbprint != key(t, p256().Public()).Thumbprint {
		t.Errorf("public key: %d keys, %v", len(keys), err)
	}
	private := block("EC PRIVATE KEY", must(x509.MarshalECPrivateKey(p256())))
	signer, err := jose.ParseSignerPEM(append(p256Parameters, private...))
	if err != nil || signer.Key().Algorithm != jose.ES256 {
		t.Errorf("private key: %v", err)
	}
	if _, err := jose.ParsePEM(append([]byte("\ufeff"), pkix(p256().Public())...)); err != nil {
		t.Errorf("after a byte order mark: %v", err)
	}
}

func TestParsePEMRefuses(t *testing.T) {
	good := pkix(p256().Public())
	short := must(rsa.GenerateKey(rand.Reader, 1024))
	p224 := must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader))
	for name, c := range map[string]struct {
		text  []byte
		cause string
	}{
		"nothing":                          {nil, "no PEM block of a key"},
		"text":                             {[]byte("no key here"), "no PEM block of a key"},
		"EC PARAMETERS alone":              {p256Parameters, "no PEM block of a key"},
		"K-05 EC PARAMETERS and a private": {append(p256Parameters, block("EC PRIVATE KEY", must(x509.MarshalECPrivateKey(p256())))...), "private key"},
		"K-05 PKCS #8 private key":         {block("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(p256()))), "private key"},
		"K-05 RSA private key":             {block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey())), "private key"},
		"K-05 EC private key":              {block("EC PRIVATE KEY", must(x509.MarshalECPrivateKey(p256()))), "private key"},
		"K-05 encrypted private key":       {block("ENCRYPTED PRIVATE KEY", []byte{1}), "private key"},
		"K-05 private key after a good":    {append(good, block("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(p256())))...), "private key"},
		"K-05 private key called public":   {block("PUBLIC KEY", must(x509.MarshalPKCS8PrivateKey(p256()))), "block 1"},
		"K-05 RSA of 1024 bits":            {pkix(short.Public()), "1024 bits"},
		"K-05 P-224":                       {pkix(p224.Public()), "not supported"},
		"another type":                     {block("CERTIFICATE REQUEST", []byte{1}), "PEM type"},
		"not DER":                          {block("PUBLIC KEY", []byte{1, 2, 3}), "block 1"},
		"not a certificate":                {block("CERTIFICATE", []byte{1, 2, 3}), "block 1"},
		"broken block after a good (a CA)": {append(good, good[:len(good)-20]...), "broken"},
		"broken block before a good":       {append(append(good[:len(good)-60:len(good)-60], 10), good...), "broken"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := jose.ParsePEM(c.text)
			if err == nil || !strings.Contains(err.Error(), c.cause) {
				t.Errorf("%v, want something with %q", err, c.cause)
			}
		})
	}
}
