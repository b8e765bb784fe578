package mint_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/attestgate/caddy-attest/session/mint"
	"github.com/attestgate/caddy-attest/store"
)

func newPrivate(t testing.TB, kind string) crypto.Signer {
	t.Helper()
	var key crypto.Signer
	var err error
	switch kind {
	case "P-256":
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "P-384":
		key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "Ed25519":
		_, key, err = ed25519.GenerateKey(rand.Reader)
	}
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func privatePEM(t testing.TB, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func publicPEM(t testing.TB, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

func TestKeysFromFiles(t *testing.T) {
	f := newFleet(t)
	signing, foreign := newPrivate(t, "P-256"), newPrivate(t, "Ed25519")
	files := [][]byte{privatePEM(t, signing), rsaPEM(), append(publicPEM(t, foreign), publicPEM(t, signing)...)}
	old := f.open(mint.RingConfig{Files: [][]byte{files[1]}})
	r := f.open(mint.RingConfig{Files: files})
	if got := kids(t, r.JWKS()); len(got) != 3 || !slices.Contains(got, old.ActiveID()) || got[0] != r.ActiveID() {
		t.Fatalf("published are %v", got)
	}
	jwt := f.mint(f.minter(old, mint.Config{}), f.request())
	m := f.minter(r, mint.Config{})
	if _, err := m.Verify(ctx, jwt.Text, mint.VerifyOptions{}); err != nil {
		t.Errorf("a JWT of the former key: %v", err)
	}
	if jwt := f.mint(m, f.request()); jwt.KeyID != r.ActiveID() || !verifiesWith(t, r.JWKS(), jwt.Text) {
		t.Error("it does not sign with the first")
	}
	if n := f.store.gets.Load() + f.store.writes.Load(); n != 0 {
		t.Errorf("the store was used %d times", n)
	}
}

func TestKeysFromFilesDoNotRotate(t *testing.T) {
	f := newFleet(t)
	r := f.open(mint.RingConfig{Files: [][]byte{privatePEM(t, newPrivate(t, "Ed25519"))}})
	active := r.ActiveID()
	f.clock.Advance(10 * mint.DefaultRotateEvery)
	for name, err := range map[string]error{"tick": r.Tick(ctx), "refresh": r.Refresh(ctx)} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	wantErr(t, r.Rotate(ctx, mint.RotateOptions{}), mint.ErrFiles)
	wantErr(t, r.Rotate(ctx, mint.RotateOptions{Emergency: true}), mint.ErrFiles)
	if r.ActiveID() != active || len(states(r)) != 1 {
		t.Errorf("keys are %v", states(r))
	}
	if r.Concerns(store.Event{Flush: true}) {
		t.Error("it follows the store")
	}
	if _, err := f.minter(r, mint.Config{}).Verify(ctx, f.mint(f.minter(f.open(mint.RingConfig{}), mint.Config{}), f.request()).Text, mint.VerifyOptions{}); err == nil {
		t.Error("it takes keys from the store")
	}
}

// CVE-2026-27586: a file that is no key is refused, and never means "no key".
func TestFilesThatAreNoKeys(t *testing.T) {
	f := newFleet(t)
	good := privatePEM(t, newPrivate(t, "P-256"))
	for name, row := range map[string]struct {
		files [][]byte
		want  string
	}{
		"empty":               {[][]byte{nil}, "key file 1"},
		"not PEM":             {[][]byte{[]byte("hello")}, "key file 1"},
		"public key signs":    {[][]byte{publicPEM(t, newPrivate(t, "P-256"))}, "key file 1"},
		"curve we cannot":     {[][]byte{privatePEM(t, newPrivate(t, "P-384"))}, "key file 1"},
		"second is empty":     {[][]byte{good, nil}, "key file 2"},
		"third is not PEM":    {[][]byte{good, good, []byte("x")}, "key file 3"},
		"published we cannot": {[][]byte{good, publicPEM(t, newPrivate(t, "P-384"))}, "key file 2"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := mint.OpenRing(ctx, mint.RingConfig{Files: row.files, Now: f.clock.Now})
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("error is %v, want %s", err, row.want)
			}
		})
	}
}

func TestPrintedRingHoldsNoKey(t *testing.T) {
	key := newPrivate(t, "Ed25519").(ed25519.PrivateKey)
	f := newFleet(t)
	r := f.open(mint.RingConfig{Files: [][]byte{privatePEM(t, key)}})
	seed := strings.Trim(fmt.Sprint([]byte(key.Seed())), "[]")
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		for _, v := range []any{r, struct{ r *mint.Ring }{r}, r.Status()} {
			if text := fmt.Sprintf(verb, v); strings.Contains(text, seed) || strings.Contains(text, string(key.Seed())) {
				t.Errorf("%s prints the key", verb)
			}
		}
	}
}
