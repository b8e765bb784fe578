package gateway_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/gateway"
	"github.com/attestgate/caddy-attest/gateway/api"
	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/proxy"
	"github.com/attestgate/caddy-attest/internal/jose"
	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/session/mint"
	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/memory"
	"github.com/attestgate/caddy-attest/trust"
)

// The whole gateway on plain net/http, without Caddy: one issuer, one route, one
// app behind it.
func Example() {
	ctx := context.Background()
	issuer, keys := exampleIssuer()

	profile, err := trust.NewProfile(trust.Config{
		Name: "acme", Issuers: []string{"https://idp.acme.test"}, Audiences: []string{"my-app"}, Keys: keys,
		Organization: "acme", CreateMembers: true, CreateOrganizations: true,
	})
	check(err)
	profiles, err := trust.NewSet(profile)
	check(err)

	records := memory.New(time.Now)
	index, err := store.Key(ctx, records, "index", rand.Reader)
	check(err)
	id, err := store.Key(ctx, records, "id", rand.Reader)
	check(err)
	people, err := directory.New(directory.Config{Store: records, IndexKey: index})
	check(err)
	sessions, err := session.NewManager(session.Config{Store: records, IDKey: id})
	check(err)
	ring, err := mint.OpenRing(ctx, mint.RingConfig{Store: records})
	check(err)
	minter, err := mint.New(mint.Config{Ring: ring, Issuer: "https://app.example.com"})
	check(err)

	route := &proxy.Route{Route: authn.Route{Profiles: []string{"acme"}}}
	g, err := gateway.New(gateway.Config{
		Core: authn.Config{
			Profiles: profiles, Directory: people, Sessions: sessions, Minter: minter, Ring: ring, Issuer: "https://app.example.com",
		},
		Routes: []*proxy.Route{route},
	})
	check(err)

	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		jwt, _ := jose.Parse(r.Header.Get("Authorization")[len("Bearer "):])
		fmt.Fprintln(w, "the app hears from", jwt.Claims["iss"])
	})
	site := http.NewServeMux()
	site.Handle("/", g.Handler(route, app))
	site.Handle("/.well-known/jwks.json", g.API(api.Serve{Keys: true}))

	for _, credential := range []string{"", "Bearer " + exampleToken(issuer)} {
		r := httptest.NewRequest(http.MethodGet, "https://app.example.com/", nil)
		r.Header.Set("Authorization", credential)
		w := httptest.NewRecorder()
		site.ServeHTTP(w, r)
		if code, _, refused := strings.Cut(w.Header().Get("Attest-Error"), ";"); refused {
			fmt.Println(w.Code, code)
			continue
		}
		fmt.Print(w.Code, " ", w.Body)
	}
	// Output:
	// 401 no_credential
	// 200 the app hears from https://app.example.com
}

func exampleIssuer() (*jose.Signer, trust.KeySource) {
	signer, err := jose.NewSigner("ES256", rand.Reader)
	check(err)
	set, err := jose.MarshalKeySet([]jose.Key{signer.Key()})
	check(err)
	keys, err := trust.FileKeys(set)
	check(err)
	return signer, keys
}

func exampleToken(issuer *jose.Signer) string {
	now := time.Now().Unix()
	token, err := issuer.Sign(fmt.Appendf(nil,
		`{"iss":"https://idp.acme.test","aud":"my-app","sub":"ada","iat":%d,"exp":%d}`, now, now+300))
	check(err)
	return token
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
