// How an app behind the gateway trusts a request: go-oidc verifies the JWT with the
// gateway's published keys.
//
//	GATEWAY=https://app.example.com go run . <jwt
package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
)

func main() {
	gateway := os.Getenv("GATEWAY")
	keys := oidc.NewRemoteKeySet(context.Background(), cmp.Or(os.Getenv("JWKS_AT"), gateway)+"/.well-known/jwks.json")
	verifier := oidc.NewVerifier(gateway, keys, &oidc.Config{
		ClientID:             cmp.Or(os.Getenv("AUDIENCE"), gateway), // the route's `audience`, else the issuer
		SupportedSigningAlgs: []string{oidc.ES256, oidc.RS256, oidc.EdDSA},
	})
	raw, err := io.ReadAll(os.Stdin)
	if err != nil {
		log.Fatal(err)
	}
	token, err := verifier.Verify(context.Background(), strings.TrimPrefix(strings.TrimSpace(string(raw)), "Bearer "))
	if err != nil {
		log.Fatal(err)
	}
	var claims map[string]any
	if err := token.Claims(&claims); err != nil {
		log.Fatal(err)
	}
	fmt.Println(token.Subject, claims["email"])
}
