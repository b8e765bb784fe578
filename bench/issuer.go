package main

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"os"
	"time"

	"github.com/attestgate/caddy-attest/internal/jose"
)

// An issuer is whom everybody trusts.
type issuer struct {
	url    string
	signer *jose.Signer
}

func newIssuer(url string) (i issuer, err error) {
	i.url = url
	i.signer, err = jose.NewSigner("ES256", rand.Reader)
	return i, err
}

func (i issuer) set() ([]byte, error) { return jose.MarshalKeySet([]jose.Key{i.signer.Key()}) }

func (i issuer) write(file string) error {
	set, err := i.set()
	if err != nil {
		return err
	}
	return os.WriteFile(file, set, 0o600)
}

// token is one that is good for an hour.
func (i issuer) token(sub, id string, more map[string]any) string {
	now := time.Now().Unix()
	claims := map[string]any{"iss": i.url, "aud": "app", "sub": sub, "jti": id, "iat": now, "auth_time": now, "exp": now + 3600}
	for name, value := range more {
		claims[name] = value
	}
	text, err := i.signer.Sign(encoded(claims))
	if err != nil {
		panic(err)
	}
	return text
}

// ServeHTTP is the upstream, and publishes the keys for programs that want a URL.
func (i issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		_, _ = w.Write(encoded(map[string]any{"issuer": i.url, "jwks_uri": i.url + "/jwks", "authorization_endpoint": i.url + "/authorize", "token_endpoint": i.url + "/token",
			"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"ES256"}}))
	case "/jwks":
		set, _ := i.set()
		_, _ = w.Write(set)
	default:
		_, _ = w.Write([]byte("ok"))
	}
}

func encoded(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return data
}
