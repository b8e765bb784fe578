package trust_test

import (
	"encoding/json"
	"fmt"
	stdmaps "maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/internal/jose"
	"github.com/attestgate/caddy-attest/trust"
	"github.com/attestgate/caddy-attest/trust/trusttest"
)

// rolesFrom maps roles from the path, written in that form.
func rolesFrom(path string, form trust.RolesForm, listed ...string) func(*trust.Config) {
	return func(c *trust.Config) {
		c.Map = map[string]string{"roles": path, "name": "name"}
		c.RolesForm, c.Roles = form, map[string][]string{}
		for _, role := range listed {
			c.Roles[role] = []string{role}
		}
	}
}

// Claims as issuers write them: none of these locks a person out.
func TestClaimsAsIssuersWriteThem(t *testing.T) {
	roles := func(path string, form trust.RolesForm) func(*trust.Config) {
		return rolesFrom(path, form, "admin", "editor", "7")
	}
	for name, c := range map[string]struct {
		change func(*trust.Config)
		claims trusttest.Claims
		want   func(*trust.Identity) string
		says   string // of what was dropped
	}{
		"Laravel: an integer sub":             {nil, trusttest.Claims{"sub": 17}, func(id *trust.Identity) string { return id.ExternalID + "=17" }, ""},
		"Django: user_id":                     {maps("external_id", "user_id"), trusttest.Claims{"user_id": 42, "sub": nil}, func(id *trust.Identity) string { return id.ExternalID + "=42" }, ""},
		"an integer beyond 2^53":              {nil, trusttest.Claims{"sub": json.Number("9007199254740993")}, func(id *trust.Identity) string { return id.ExternalID + "=9007199254740993" }, ""},
		"a negative one":                      {nil, trusttest.Claims{"sub": -5}, func(id *trust.Identity) string { return id.ExternalID + "=-5" }, ""},
		"Flask: a numeric jti":                {nil, trusttest.Claims{"jti": 7}, func(id *trust.Identity) string { return id.TokenID + "=7" }, ""},
		"a jti of another shape":              {nil, trusttest.Claims{"jti": []any{"x"}}, func(id *trust.Identity) string { return fmt.Sprint(len(id.TokenID), "=64") }, "token_id from jti: an array of 1"},
		"Keycloak: roles in an object":        {roles("realm_access.roles", trust.RolesForm{}), trusttest.Claims{"realm_access": map[string]any{"roles": []any{"editor", "x"}}}, rolesAre("editor"), ""},
		"Auth0: a namespaced claim":           {roles("https://app/roles", trust.RolesForm{}), trusttest.Claims{"https://app/roles": []any{"admin"}}, rolesAre("admin"), ""},
		"Cognito: groups":                     {roles("cognito:groups", trust.RolesForm{}), trusttest.Claims{"cognito:groups": []any{"admin", "editor"}}, rolesAre("admin editor"), ""},
		"one role as a text":                  {roles("role", trust.RolesForm{}), trusttest.Claims{"role": "admin"}, rolesAre("admin"), ""},
		"ids of roles as numbers":             {roles("groups", trust.RolesForm{}), trusttest.Claims{"groups": []any{7, 8}}, rolesAre("7"), ""},
		"roles beside what is none":           {roles("groups", trust.RolesForm{}), trusttest.Claims{"groups": []any{"admin", nil, true, map[string]any{}}}, rolesAre("admin"), ""},
		"scope: a text with spaces":           {roles("scope", trust.RolesForm{Split: " "}), trusttest.Claims{"scope": "openid  admin"}, rolesAre("admin"), ""},
		"split, and it is an array":           {roles("scope", trust.RolesForm{Split: " "}), trusttest.Claims{"scope": []any{"admin"}}, rolesAre("admin"), ""},
		"split by commas":                     {roles("roles", trust.RolesForm{Split: ","}), trusttest.Claims{"roles": "editor,admin"}, rolesAre("admin editor"), ""},
		"JSON in a text":                      {roles("roles", trust.RolesForm{FromJSON: true}), trusttest.Claims{"roles": `["editor"]`}, rolesAre("editor"), ""},
		"JSON in a text that is none":         {roles("roles", trust.RolesForm{FromJSON: true}), trusttest.Claims{"roles": `[editor]`}, rolesAre(""), "gives nobody a role"},
		"Zitadel: names of an object":         {roles("urn:zitadel:roles", trust.RolesForm{ObjectKeys: true}), trusttest.Claims{"urn:zitadel:roles": map[string]any{"admin": map[string]any{"1": "x"}, "y": 1}}, rolesAre("admin"), ""},
		"names of an object, and it is none":  {roles("r", trust.RolesForm{ObjectKeys: true}), trusttest.Claims{"r": []any{"admin"}}, rolesAre(""), "gives nobody a role"},
		"WordPress: a field of objects":       {roles("roles", trust.RolesForm{Field: "name"}), trusttest.Claims{"roles": []any{map[string]any{"name": "editor"}, map[string]any{"id": 1}}}, rolesAre("editor"), ""},
		"an array of objects without a field": {roles("roles", trust.RolesForm{}), trusttest.Claims{"roles": []any{map[string]any{"name": "editor"}}}, rolesAre(""), "values: 1, of the listed ones: 0; nobody gets a role"},
		"roles that are not listed":           {roles("groups", trust.RolesForm{}), trusttest.Claims{"groups": []any{"x"}}, rolesAre(""), "nobody gets a role"},
		"roles of another shape":              {roles("groups", trust.RolesForm{}), trusttest.Claims{"groups": map[string]any{"admin": true}}, rolesAre(""), "an object, which gives nobody a role"},
		"emails as an array":                  {domains("example.com"), trusttest.Claims{"email": []any{"ada@example.com", "b@example.com"}}, func(id *trust.Identity) string { return id.Email + "=ada@example.com" }, ""},
		"an email of another shape":           {nil, trusttest.Claims{"email": map[string]any{"a": 1}}, func(id *trust.Identity) string { return id.Email + id.UnverifiedEmail + "=" }, "email from email: an object"},
		"an email with a newline":             {domains("*"), trusttest.Claims{"email": "a@b.example\nx"}, func(id *trust.Identity) string { return id.Email + id.UnverifiedEmail + "=" }, "email from email: a text"},
		"email_verified as a text":            {domains("example.com"), trusttest.Claims{"email": "a@example.com", "email_verified": "true"}, func(id *trust.Identity) string { return fmt.Sprint(id.EmailVerified, "=true") }, ""},
		"a name with control characters":      {maps("name", "name"), trusttest.Claims{"name": " Ada\tLovelace\n"}, func(id *trust.Identity) string { return id.Name + "=Ada Lovelace" }, ""},
		"a name of 300 letters":               {maps("name", "name"), trusttest.Claims{"name": strings.Repeat("ä", 300)}, func(id *trust.Identity) string { return fmt.Sprint(len(id.Name), "=256") }, ""},
		"a name of another shape":             {maps("name", "name"), trusttest.Claims{"name": 7}, func(id *trust.Identity) string { return id.Name + "=" }, "name from name: a number"},
		"metadata that is too large":          {maps("trusted_metadata.blob", "blob"), trusttest.Claims{"blob": strings.Repeat("x", 4096)}, func(id *trust.Identity) string { return fmt.Sprint(len(id.Metadata), "=0") }, "trusted_metadata.blob from blob: a text of 4096 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			change := c.change
			if change == nil {
				change = func(*trust.Config) {}
			}
			if _, named := c.claims["sub"]; !named {
				c.claims["sub"] = "user-1"
			}
			id := accept(t, w.profile(change), w.Sign(c.claims))
			if got, want, _ := strings.Cut(c.want(id), "="); got != want {
				t.Errorf("%q, want %q", got, want)
			}
			dropped := strings.Join(id.Dropped, "; ")
			if c.says == "" && dropped != "" || !strings.Contains(dropped, c.says) {
				t.Errorf("dropped %q, want %q", dropped, c.says)
			}
		})
	}
}

func rolesAre(want string) func(*trust.Identity) string {
	return func(id *trust.Identity) string { return strings.Join(id.Roles, " ") + "=" + want }
}

// What was left out is told where the token is explained, and the check passes.
func TestExplainTellsWhatWasLeftOut(t *testing.T) {
	w := newWorld(t)
	found := explain(t, w.profile(roles), w.Sign(trusttest.Claims{"groups": []any{"x"}}))
	if f := found["roles"]; !f.Passed || f.Dropped != "roles from groups: values: 1, of the listed ones: 0; nobody gets a role" {
		t.Errorf("%+v", f)
	}
}

// roles *: what has the form of a role gives the role of its name, but never one that is
// the operator's own.
func TestAnyRole(t *testing.T) {
	w := newWorld(t)
	p := w.profile(func(c *trust.Config) {
		c.Map, c.AnyRole, c.ReservedRoles = map[string]string{"roles": "groups"}, true, []string{"owner", "admin"}
		c.Roles = map[string][]string{"boss": {"admin"}}
	})
	id := accept(t, p, w.Sign(trusttest.Claims{"groups": []any{"staff", "owner", "boss", "a b", "", strings.Repeat("x", 65)}}))
	if got := strings.Join(id.Roles, " "); got != "admin staff" || id.DroppedRoles != 4 {
		t.Errorf("%q, %d dropped", got, id.DroppedRoles)
	}
	if !p.Gives("staff") || !p.Gives("admin") || p.Gives("owner") || p.Gives("a b") {
		t.Error("Gives disagrees")
	}
	many := make([]any, 300)
	for i := range many {
		many[i] = fmt.Sprint("r", i)
	}
	if id := accept(t, p, w.Sign(trusttest.Claims{"groups": many})); len(id.Roles) != 100 {
		t.Errorf("%d roles of one token", len(id.Roles))
	}
	for name, issuers := range map[string][]string{"several issuers": {"https://a", "https://b"}, "a capture": {"https://{tid}/"}} {
		config := w.config(func(c *trust.Config) {
			c.Map, c.AnyRole, c.Issuers, c.Organization = map[string]string{"roles": "groups"}, true, issuers, "{claims.tid}"
		})
		if _, err := trust.NewProfile(config); err == nil || !strings.Contains(err.Error(), "one issuer without captures") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Names that differ in case only are two, unless one is registered (J-10); what no store
// could read again is not kept.
func TestClaimsThatDifferInCase(t *testing.T) {
	w := newWorld(t)
	sign := func(more map[string]any) string {
		all := map[string]any{"iss": w.URL, "aud": trusttest.Audience, "sub": "user-1", "exp": at(time.Hour), "iat": at(0)}
		stdmaps.Copy(all, more)
		payload, err := json.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		return w.Sign(nil, trusttest.Payload(string(payload)))
	}
	p := w.profile(maps("trusted_metadata.ext", "ext"), keeps("ext", "groups"))
	id := accept(t, p, sign(map[string]any{"Groups": 1, "groups": 2, "ext": map[string]any{"A": 1, "a": 2}}))
	if len(id.Metadata) != 0 || len(id.Claims) != 1 || !strings.Contains(strings.Join(id.Dropped, ""), "two names that differ in case only") {
		t.Errorf("%v %v %v", id.Metadata, id.Claims, id.Dropped)
	}
	for _, name := range []string{"SUB", "ſub", "Email_Verified"} {
		registered := map[string]any{name: "x", "email_verified": false}
		refuse(t, p, sign(registered), jose.CodePayload)
	}
}

// An external id of an integer is the text that stands in the token, and nothing else is
// an integer.
func FuzzIntegerIDsAreExact(f *testing.F) {
	for _, text := range []string{"0", "-1", "17", "9007199254740993", "1.0", "1e3", "-0", "00"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if json.Valid([]byte(text)) && !slices.Contains([]byte("\"{[tfn \t\r\n"), text[0]) && strings.TrimSpace(text) == text {
			w := newWorld(t)
			id, err := w.profile().Verify(t.Context(), w.Sign(trusttest.Claims{"sub": json.Number(text)}))
			integer := text != "-0" && len(text) <= 256 && !strings.ContainsAny(text, ".eE")
			if integer != (err == nil) || integer && id.ExternalID != text {
				t.Errorf("%q: %v", text, err)
			}
		}
	})
}
