package trust

import (
	"errors"
	"fmt"
	"testing"
)

// A public issuer's document cannot send the gateway to its own machine (F16).
func TestDiscoveryOfAPublicIssuerStaysOutside(t *testing.T) {
	for _, c := range []RemoteConfig{{Discover: "https://idp.example"}, {Discover: "https://idp.example", AllowPrivate: true}, {Discover: "http://idp.internal", AllowHTTP: true}} {
		d, err := newDiscovery(c)
		if err != nil {
			t.Fatal(err)
		}
		for _, keys := range []string{"http://localhost:2019/config", "https://127.0.0.1/", "http://[::1]/"} {
			if _, err := d.keysOf(fmt.Appendf(nil, `{"issuer":%q,"jwks_uri":%q}`, c.Discover, keys)); !errors.Is(err, errKeysOnHost) {
				t.Errorf("%s: %v", keys, err)
			}
		}
		if _, err := d.keysOf(fmt.Appendf(nil, `{"issuer":%q,"jwks_uri":"http://other.internal/"}`, c.Discover)); err == nil {
			t.Error("http to another host than the one named")
		}
	}
}
