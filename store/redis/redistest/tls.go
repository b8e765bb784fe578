package redistest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// TLS is a certificate authority and what it has signed, all PEM.
type TLS struct {
	CA []byte
	// Cert and Key are for a client.
	Cert, Key []byte

	authority *x509.Certificate
	key       *ecdsa.PrivateKey
}

// StartTLS runs a server that takes TLS connections at the address it returns,
// from clients with a certificate of the authority's only. Its own certificate is
// for the name "redis.test".
func StartTLS(t testing.TB, args ...string) (*Server, string, *TLS) {
	t.Helper()
	need(t, "redis-server")
	authority := newAuthority(t)
	cert, key := authority.issue(t, "redis.test")
	dir := t.TempDir()
	port := strconv.Itoa(freePort(t))
	server := Start(t, append([]string{
		"--tls-port", port,
		"--tls-cert-file", write(t, dir, "cert", cert),
		"--tls-key-file", write(t, dir, "key", key),
		"--tls-ca-cert-file", write(t, dir, "ca", authority.CA),
		"--tls-auth-clients", "yes",
	}, args...)...)
	return server, net.JoinHostPort("127.0.0.1", port), authority
}

func write(t testing.TB, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func newAuthority(t testing.TB) *TLS {
	t.Helper()
	a := &TLS{}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a.key = newKey(t)
	der, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.authority, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.CA = encode("CERTIFICATE", der)
	a.Cert, a.Key = a.issue(t, "gateway.test")
	return a
}

func (a *TLS) issue(t testing.TB, name string) (cert, key []byte) {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	k := newKey(t)
	der, err := x509.CreateCertificate(rand.Reader, template, a.authority, &k.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return encode("CERTIFICATE", der), encode("PRIVATE KEY", pkcs8)
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
