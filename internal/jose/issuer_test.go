package jose_test

import (
	"testing"

	"github.com/attestgate/caddy-attest/internal/jose"
)

func TestUnverifiedIssuer(t *testing.T) {
	head, sig := b64(`{"alg":"RS256"}`), b64("signature")
	for text, want := range map[string]string{
		head + "." + b64(`{"iss":"a"}`) + "." + sig:                          "a",
		b64(`{"alg":"none"}`) + "." + b64(`{"iss":"a"}`) + ".":               "a",
		head + "." + b64(`{"sub":"a"}`) + "." + sig:                          "",
		head + "." + b64(`{"iss":""}`) + "." + sig:                           "",
		head + "." + b64(`{"iss":["a"]}`) + "." + sig:                        "",
		head + "." + b64(`{"iss":"a","iss":"b"}`) + "." + sig:                "",
		head + "." + b64(`{"iss":"a","ISS":"b"}`) + "." + sig:                "",
		head + "." + b64(`{"ISS":"a"}`) + "." + sig:                          "",
		head + "." + b64(`{"iss":"a"} x`) + "." + sig:                        "",
		head + "." + b64(`{"iss":"a"}`) + "=." + sig:                         "",
		"." + b64(`{"iss":"a"}`) + "." + sig:                                 "",
		head + "." + b64(`{"iss":"a"}`) + ".%":                               "",
		head + "." + b64(`{"iss":"a"}`):                                      "",
		head + "." + b64(`{"iss":"a"}`) + "." + sig + "." + sig + "." + sig:  "",
		head + "." + b64(`{"iss":"a"}`) + "." + string(make([]byte, 17<<10)): "",
	} {
		if got, ok := jose.UnverifiedIssuer(text); got != want || ok != (want != "") {
			t.Errorf("%.80s: %q, %t", text, got, ok)
		}
	}
}
