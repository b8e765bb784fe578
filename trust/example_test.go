package trust_test

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"github.com/attestgate/caddy-attest/trust"
)

const examplePEM = `-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
-----END PUBLIC KEY-----
`

func exampleProfile(name, issuer string) *trust.Profile {
	keys, err := trust.PEMKeys([]byte(examplePEM))
	if err != nil {
		panic(err)
	}
	p, err := trust.NewProfile(trust.Config{Name: name, Issuers: []string{issuer}, Audiences: []string{"my-app"}, Keys: keys})
	if err != nil {
		panic(err)
	}
	return p
}

func ExampleNewProfile() {
	keys, err := trust.PEMKeys([]byte(examplePEM))
	if err != nil {
		panic(err)
	}
	_, err = trust.NewProfile(trust.Config{
		Name: "entra", Audiences: []string{"my-app"}, Keys: keys,
		Issuers:      []string{"https://login.microsoftonline.com/{tid}/v2.0"},
		Organization: "acme",
	})
	var mistake *trust.ConfigError
	fmt.Println(errors.As(err, &mistake), mistake.Option)
	// Output: true organization
}

func ExampleNewSet() {
	set, err := trust.NewSet(exampleProfile("acme", "https://idp.acme.example"), exampleProfile("partner", "https://idp.acme.example"))
	if err != nil {
		panic(err)
	}
	fmt.Println(set.CheckRoute([]string{"acme", "partner"}))
	// Output: trust: profiles "acme" and "partner" have an issuer and an audience in common: which of them a token belongs to cannot be told; write a when in both, or require_claims with different values of one claim
}

func ExampleSet_Verify() {
	set, err := trust.NewSet(exampleProfile("acme", "https://idp.acme.example"))
	if err != nil {
		panic(err)
	}
	_, err = set.Verify(context.Background(), "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.AA", []string{"acme"})
	var refusal *trust.Refusal
	switch {
	case errors.As(err, &refusal):
		fmt.Println("401", refusal.Code)
	case errors.Is(err, trust.ErrKeysUnavailable):
		fmt.Println("503")
	}
	// Output: 401 alg_none
}

func ExampleProfile_Explain() {
	profile := exampleProfile("acme", "https://idp.acme.example")
	// {"alg":"EdDSA"} and {"iss":"https://idp.acme.example","aud":"other"}
	token := "eyJhbGciOiJFZERTQSJ9.eyJpc3MiOiJodHRwczovL2lkcC5hY21lLmV4YW1wbGUiLCJhdWQiOiJvdGhlciJ9.AAAA"
	for _, f := range profile.Explain(context.Background(), token)[2:6] {
		fmt.Printf("%s: %t (configured %s, found %s)\n", f.Check, f.Passed, f.Configured, f.Found)
	}
	// Output:
	// algorithm: true (configured RS256, RS384, RS512, ES256, ES384, ES512, EdDSA, found EdDSA)
	// issuer: true (configured https://idp.acme.example, found https://idp.acme.example)
	// audience: false (configured aud holding my-app, found other)
	// key: true (configured 1 keys, 0 not usable, found no kid)
}

func ExampleNewRemoteKeys() {
	keys, err := trust.NewRemoteKeys(trust.RemoteConfig{URL: "https://idp.acme.example/.well-known/jwks.json", StaleFor: 24 * time.Hour})
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()                                       // a program lets it run
	fmt.Println(keys.Run(ctx), keys.Status().Keys) // fetches now, and again before the set grows old
	// Output: context canceled 0
}

// directory is a key source of one's own: keys that a program holds by kid.
type directory map[string]trust.Key

func (d directory) Keys(_ context.Context, hint trust.KeyHint) ([]trust.Key, error) {
	key, found := d[hint.ID]
	if !found {
		return nil, nil // the issuer has no such key: key_unknown
	}
	return []trust.Key{key}, nil
}

func ExampleKeySource() {
	block, _ := pem.Decode([]byte(examplePEM))
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		panic(err)
	}
	key, err := trust.NewKey("2026-03", public, "EdDSA")
	if err != nil {
		panic(err)
	}
	profile, err := trust.NewProfile(trust.Config{
		Name: "acme", Issuers: []string{"https://idp.acme.example"}, Audiences: []string{"my-app"},
		Keys: directory{"2026-03": key},
	})
	if err != nil {
		panic(err)
	}
	// {"alg":"EdDSA","kid":"2026-02"} and {"iss":"https://idp.acme.example","aud":"my-app"}
	token := "eyJhbGciOiJFZERTQSIsImtpZCI6IjIwMjYtMDIifQ.eyJpc3MiOiJodHRwczovL2lkcC5hY21lLmV4YW1wbGUiLCJhdWQiOiJteS1hcHAifQ.AAAA"
	_, err = profile.Verify(context.Background(), token)
	fmt.Println(err)
	// Output: trust: profile acme: key: key_unknown
}

func ExampleFileKeys() {
	_, err := trust.FileKeys([]byte(`{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}`))
	fmt.Println(err)
	// Output: trust: key set file: no usable key among 1 (holds the secret member k)
}
