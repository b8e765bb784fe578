package trust_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"testing"

	"github.com/attestgate/caddy-attest/trust"
	"github.com/attestgate/caddy-attest/trust/trusttest"
)

var secretA, secretB = bytes.Repeat([]byte("a"), 32), bytes.Repeat([]byte("b"), 40)

// hs256 signs with a shared secret.
func hs256(t *testing.T, w *world, secret []byte, more map[string]any) string {
	t.Helper()
	all := map[string]any{"iss": w.URL, "aud": trusttest.Audience, "sub": "user-1", "exp": at(60e9), "iat": at(0)}
	for name, value := range more {
		all[name] = value
	}
	payload, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	input := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString(payload)
	m := hmac.New(sha256.New, secret)
	m.Write([]byte(input))
	return input + "." + base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

func shared(secrets ...[]byte) func(*trust.Config) {
	return func(c *trust.Config) { c.Keys = mustKeys(trust.SharedSecrets(secrets...)) }
}

func TestSharedSecrets(t *testing.T) {
	w := newWorld(t)
	p := w.profile(shared(secretB, secretA))
	accept(t, p, hs256(t, w, secretA, nil))
	accept(t, p, hs256(t, w, secretB, nil))
	refuse(t, p, hs256(t, w, bytes.Repeat([]byte("c"), 32), nil), trust.CodeSignatureInvalid)
	refuse(t, p, w.Sign(nil), trust.CodeAlgorithmNotAllowed)
	refuse(t, w.profile(), hs256(t, w, w.Key().PEM(t), nil), trust.CodeAlgorithmNotAllowed)
	id := accept(t, p, hs256(t, w, secretA, nil))
	if bytes.Contains([]byte(id.KeyThumbprint), secretA[:8]) || len(id.KeyThumbprint) != len("secret-")+16 {
		t.Errorf("key %s", id.KeyThumbprint)
	}
}

func TestSharedSecretsAndPublicKeysStayApart(t *testing.T) {
	w := newWorld(t)
	for name, change := range map[string]func(*trust.Config){
		"RS256 beside a secret": func(c *trust.Config) { shared(secretA)(c); c.Algorithms = []string{"HS256", "RS256"} },
		"HS256 beside a key":    func(c *trust.Config) { c.Algorithms = []string{"HS256"} },
	} {
		if _, err := trust.NewProfile(w.config(change)); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	two := w.profile(func(c *trust.Config) { c.Name = "two"; shared(secretA)(c) })
	if err := set(t, w.profile(), two).CheckSecrets(); err == nil {
		t.Error("one issuer has public keys and a shared secret")
	}
	if err := set(t, two, w.profile(func(c *trust.Config) { c.Name = "three"; shared(secretB)(c) })).CheckSecrets(); err != nil {
		t.Error(err)
	}
	nobodys := func(name, prefix string, more func(*trust.Config)) *trust.Profile {
		return w.profile(orNothing(more), func(c *trust.Config) { c.Name, c.Issuers, c.WithoutIssuer, c.SubjectPrefix = name, nil, true, prefix })
	}
	if err := set(t, nobodys("four", "", nil), nobodys("five", "a/", shared(secretA))).CheckSecrets(); err == nil {
		t.Error("tokens without iss have public keys and a shared secret")
	}
	if err := set(t, nobodys("four", "b/", nil), nobodys("five", "a/", shared(secretA))).CheckSecrets(); err != nil {
		t.Error(err)
	}
	if _, err := trust.SharedSecrets(); err == nil {
		t.Error("no secret is taken for one")
	}
}
