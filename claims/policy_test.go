package claims_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/internal/strictjson"
)

func TestReservedNames(t *testing.T) {
	for _, name := range []string{
		"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "session", "organization", "amr", "acr", "auth_time",
		"act", "cnf", "azp", "client_id", "scope", "sid", "https://stytch.com/", "https://stytch.com/session",
		"https://stytch.com/anything/else",
		"SUB", "Sub", "ſub", "iSS", "ſeſſion", "seſſion", "organi\u017fation", "ſcope", "ſid", "ACT", "Https://Stytch.com/x", "httpſ://ſtytch.com/x",
	} {
		want := name != "organi\u017fation" // which is another word
		if policy.Reserved(name) != want {
			t.Errorf("Reserved(%q) = %v", name, !want)
		}
	}
	for _, name := range []string{
		"", "su", "subject", " sub", "sub ", "sub\x00", "roles", "email", "name", "https://stytch.com", "http://stytch.com/x",
		"https://stytch.com.example/x", "xhttps://stytch.com/", "https://hasura.io/jwt/claims", "ıss", "İss",
	} {
		if policy.Reserved(name) {
			t.Errorf("%q is reserved", name)
		}
	}
}

// filler is a text that makes {"name":"…"} exactly size bytes long, of characters
// that are one byte in memory and more in JSON, and the reverse.
func filler(name string, size int) string {
	rest := size - len(`{"":""}`) - len(name)
	wide := rest / 20
	return strings.Repeat("\x01é\n", wide) + strings.Repeat("x", rest-wide*10)
}

func TestSizeLimitIsOfCompactJSONAndIncluded(t *testing.T) {
	var refused *claims.Error
	fits, over := filler("a", claims.MaxBytes), filler("a", claims.MaxBytes+1)

	for where, effective := range map[string]func(string) (claims.Object, error){
		"patch": func(s string) (claims.Object, error) {
			o := patch(t, claims.Object{"a": s})
			if err := o.Check(); (err == nil) != (s == fits) {
				t.Errorf("overlay of %d bytes: %v", len(s), err)
			}
			return policy.Effective(nil, nil, o)
		},
		"variable": func(s string) (claims.Object, error) {
			v := claims.Variables{"member": claims.Object{"name": s}}
			return policy.Effective(parse(t, `{ "a" : {{ member.name }} }`), v, claims.Overlay{})
		},
	} {
		got, err := effective(fits)
		if err != nil {
			t.Errorf("%s: %d bytes: %v", where, claims.MaxBytes, err)
		}
		if text, _ := strictjson.Marshal(got); len(text) != claims.MaxBytes {
			t.Errorf("%s: the filler makes %d bytes", where, len(text))
		}
		if got, err := effective(over); !errors.As(err, &refused) || refused.Code != claims.CodeTooLarge || got != nil {
			t.Errorf("%s: %d bytes: %v, %v", where, claims.MaxBytes+1, got, err)
		}
	}
}

func TestSizeLimitIsOfTheResultNotOfThePatch(t *testing.T) {
	half := strings.Repeat("x", claims.MaxBytes/2)
	template := parse(t, `{"a": "`+half+`"}`)
	grown := patch(t, claims.Object{"b": half})
	if err := grown.Check(); err != nil {
		t.Fatal(err)
	}
	_, err := policy.Effective(template, nil, grown)
	if want := `claims: template "test": "a": the claims come to 4111 bytes of JSON, the limit is 4096; this one, the longest, has 2054`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if _, err := policy.Effective(template, nil, grown.Then(patch(t, claims.Object{"a": nil}))); err != nil {
		t.Errorf("a patch that deletes enough: %v", err)
	}
}

// An overlay is as long as the claims it makes of nothing: what it deletes does not
// count.
func TestOverlayIsMeasuredByWhatItSets(t *testing.T) {
	p := claims.Object{"gone": nil, "ui": claims.Object{"x": nil, "y": []any{}}, "s": filler("", 3900)}
	text, err := strictjson.Marshal(patch(t, p).Apply(nil))
	if err != nil {
		t.Fatal(err)
	}
	p["z"] = strings.Repeat("z", claims.MaxBytes-len(text)-len(`,"z":""`))
	if err := patch(t, p).Check(); err != nil {
		t.Errorf("a patch of MaxBytes: %v", err)
	}
	p["z"] = p["z"].(string) + "z"
	want := "claims: the changes come to 4097 bytes of JSON, the limit is 4096"
	if err := patch(t, p).Check(); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// Stored overlays may be of a time when a name was still free: the mint asks again.
func TestEffectiveAsksAgainForReservedNames(t *testing.T) {
	for text, want := range map[string]claims.Error{
		`[">","sub",["=","admin"],"a",["=",1]]`:                            {Code: claims.CodeReserved, Claim: "sub"},
		`[">","sub",["=",1],"act",["=",1],"https://stytch.com/x",["=",1]]`: {Code: claims.CodeReserved, Claim: "act"},
		`[">","https://stytch.com/session",[">","id",["=","x"]]]`:          {Code: claims.CodeStytchReserved, Claim: "https://stytch.com/session"},
	} {
		var o claims.Overlay
		if err := o.UnmarshalJSON([]byte(text)); err != nil {
			t.Fatal(err)
		}
		got, err := policy.Effective(nil, nil, o)
		var refused *claims.Error
		if !errors.As(err, &refused) || refused.Code != want.Code || refused.Claim != want.Claim || got != nil {
			t.Errorf("%s: got %v, %v", text, got, err)
		}
	}
}

// The answer names the claim at fault, not one that happens to be looked at
// after it: maps have no order.
func TestErrorsNameTheClaimAtFault(t *testing.T) {
	template := parse(t, `{"a": 1, "b": {{ member.trusted_metadata }}, "c": 2, "d": {{ organization.trusted_metadata }}, "e": 3}`)
	twins := claims.Object{"trusted_metadata": claims.Object{"plan": 1, "Plan": 1}}
	for root, claim := range map[string]string{"member": "b", "organization": "d"} {
		for range 50 {
			_, err := policy.Effective(template, claims.Variables{root: twins}, claims.Overlay{})
			var refused *claims.Error
			if !errors.As(err, &refused) || refused.Claim != claim || refused.Template != "test" {
				t.Fatalf("%s: got %v", claim, err)
			}
		}
	}
}

// A session must not go dark because a template was given a name that a caller had
// spelled otherwise; what the caller set stays.
func TestTemplateThatGainsAnotherSpellingBreaksNoSession(t *testing.T) {
	held := patch(t, claims.Object{"plan": "pro", "ui": claims.Object{"Theme": "dark"}, "gone": nil})
	template := parse(t, `{"Plan": "free", "ui": {"theme": "light", "size": 2}, "Gone": true}`)
	got, err := policy.Effective(template, nil, held)
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, claims.Object{"plan": "pro", "ui": claims.Object{"Theme": "dark", "size": json.Number("2")}, "Gone": true})
}

func TestCompatReservesWhatStytchDoes(t *testing.T) {
	compat := claims.Policy{Compat: true}
	for _, name := range []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "ſub", "https://stytch.com/session", "Https://Stytch.com/x"} {
		if _, err := compat.Patch(claims.Object{name: nil}); !compat.Reserved(name) || err == nil {
			t.Errorf("%q is free", name)
		}
	}
	for _, name := range []string{"session", "organization", "amr", "acr", "auth_time", "act", "cnf", "azp", "client_id", "scope", "sid"} {
		template, err := compat.ParseTemplate("test", `{"`+name+`": 1}`)
		if err != nil || compat.Reserved(name) {
			t.Errorf("%q is reserved: %v", name, err)
		}
		if _, err := compat.Effective(template, nil, patch(t, claims.Object{"x": 1})); err != nil {
			t.Errorf("%q: %v", name, err)
		}
		if _, err := policy.ParseTemplate("test", `{"`+name+`": 1}`); err == nil {
			t.Errorf("%q is free outside of compat", name)
		}
	}
}

// What is written alone must fit alone, or a later mint is refused for it.
func TestVariablesThatAloneExceedATemplate(t *testing.T) {
	template := parse(t, `{"kind": "m", "m": {{ member.trusted_metadata }}, "plan": {{ organization.trusted_metadata.plan }}}`)
	member := func(metadata claims.Object) claims.Variables {
		return claims.Variables{"member": claims.Object{"trusted_metadata": metadata}}
	}
	deep := claims.Object{}
	for range claims.MaxDepth - 1 {
		deep = claims.Object{"a": deep}
	}
	fixed := len(`{"kind":"m","m":{"a":""}}`)
	for name, c := range map[string]struct {
		metadata claims.Object
		fits     bool
	}{
		"none":            {nil, true},
		"as much as fits": {claims.Object{"a": strings.Repeat("x", claims.MaxBytes-fixed)}, true},
		"one byte more":   {claims.Object{"a": strings.Repeat("x", claims.MaxBytes-fixed+1)}, false},
		"as deep as fits": {deep["a"].(claims.Object), true},
		"one deeper":      {deep, false},
	} {
		err := template.Check(member(c.metadata))
		var refused *claims.Error
		if c.fits != (err == nil) || err != nil && (!errors.As(err, &refused) || refused.Code != claims.CodeTooLarge || refused.Claim != "m" || refused.Template != "test") {
			t.Errorf("%s: %v", name, err)
		}
	}
	var none *claims.Template
	if err := none.Check(member(deep)); err != nil {
		t.Errorf("without a template: %v", err)
	}
}

// A refusal is the caller's to keep: changing it changes no later one.
func TestErrorsAreNotShared(t *testing.T) {
	refuse := func() *claims.Error {
		o := patch(t, claims.Object{"plan": 1}).Then(patch(t, claims.Object{"PLAN": 1}))
		var refused *claims.Error
		if !errors.As(o.Check(), &refused) {
			t.Fatal("accepted")
		}
		return refused
	}
	refuse().Code = "changed"
	if got := refuse().Code; got != claims.CodeUnrepresentable {
		t.Errorf("got %s", got)
	}
}

// What Effective answers is Render and Apply, or nothing.
func TestEffectiveIsRenderAndApply(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, err := strictjson.Marshal(objects(2).Draw(t, "template"))
		if err != nil {
			t.Fatal(err)
		}
		tagged := `{"tag": {{ member.trusted_metadata }}, "literal": ` + string(text) + `}`
		variables := claims.Variables{"member": claims.Object{"trusted_metadata": objects(3).Draw(t, "metadata")}}
		template := parse(t, tagged)
		p := claims.Object{"tag": values(3).Draw(t, "tag"), "literal": values(2).Draw(t, "literal")}
		o := overlays().Draw(t, "o").Then(patch(t, p))
		want := o.Apply(template.Render(variables))
		got, err := policy.Effective(template, variables, o)
		if err != nil {
			t.Fatal(err)
		}
		same(t, got, want)
		scribble(got)
		same(t, o.Apply(template.Render(variables)), want)
	})
}
