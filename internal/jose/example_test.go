package jose_test

import (
	"crypto/rand"
	"fmt"

	"github.com/attestgate/caddy-attest/internal/jose"
)

func ExampleParse() {
	_, err := jose.Parse("eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.AA")
	fmt.Println(err)
	// Output: jose: alg_none
}

func ExampleNewSigner() {
	signer, err := jose.NewSigner(jose.EdDSA, rand.Reader)
	if err != nil {
		panic(err)
	}
	text, err := signer.Sign([]byte(`{"sub":"u1"}`))
	if err != nil {
		panic(err)
	}
	token, err := jose.Parse(text)
	if err != nil {
		panic(err)
	}
	fmt.Println(token.Header.Algorithm, token.Claims["sub"], token.Verify(signer.Key()))
	// Output: EdDSA u1 <nil>
}

func ExampleParseKeySet() {
	set, err := jose.ParseKeySet([]byte(`{"keys":[
		{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"2026"},
		{"kty":"oct","k":"c2VjcmV0","kid":"shared"}
	]}`), 100)
	fmt.Println(set.Keys[0].ID, set.Dropped, err)
	// Output: 2026 [{shared holds the secret member k}] <nil>
}

func ExampleParsePEM() {
	keys, err := jose.ParsePEM([]byte(`
-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
-----END PUBLIC KEY-----
`))
	fmt.Println(keys[0].Thumbprint, keys[0].Fits(jose.EdDSA), err)
	// Output: kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k true <nil>
}
