package strictjson_test

import (
	"encoding/json"
	"testing"

	"github.com/attestgate/caddy-attest/internal/strictjson"
)

// claimsText is about what an identity provider puts into a token.
const claimsText = `{"iss":"https://acme.okta.com/oauth2/default","sub":"00u1a2b3c4d5e6f7g8h9","aud":"api://example",` +
	`"iat":1764000000,"nbf":1764000000,"exp":1764000600,"jti":"AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE",` +
	`"cid":"0oa1b2c3d4e5f6g7h8i9","uid":"00u1a2b3c4d5e6f7g8h9","scp":["openid","profile","email","offline_access"],` +
	`"auth_time":1764000000,"email":"ada@example.com","email_verified":true,"name":"Ada Lovelace",` +
	`"groups":["Everyone","okta-admins","okta-editors","billing"],` +
	`"address":{"country":"GB","locality":"London","postal_code":"W1J 7NT","region":null},` +
	`"https://hasura.io/jwt/claims":{"x-hasura-default-role":"reader","x-hasura-allowed-roles":["reader","editor"]}}`

type tokenClaims struct {
	Issuer  string         `json:"iss"`
	Subject string         `json:"sub"`
	Expires json.Number    `json:"exp"`
	Groups  []string       `json:"groups"`
	Rest    map[string]any `json:",embed"`
}

func BenchmarkParse(b *testing.B) {
	b.SetBytes(int64(len(claimsText)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := strictjson.Parse([]byte(claimsText)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUnmarshal(b *testing.B) {
	b.SetBytes(int64(len(claimsText)))
	b.ReportAllocs()
	for b.Loop() {
		var v tokenClaims
		if err := strictjson.Unmarshal([]byte(claimsText), &v); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMarshal(b *testing.B) {
	v, err := strictjson.Parse([]byte(claimsText))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(claimsText)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := strictjson.Marshal(v); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkEncodingJSON is what the leniency of encoding/json costs, to compare.
func BenchmarkEncodingJSON(b *testing.B) {
	b.SetBytes(int64(len(claimsText)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parseLenient([]byte(claimsText)); err != nil {
			b.Fatal(err)
		}
	}
}
