package mint_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/session/mint"
)

// digested is a request in which nothing is zero.
func digested() mint.Request {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	return mint.Request{
		Session: session.Session{ID: "s", Version: 7, StartedAt: at, LastAccessedAt: at},
		Factors: []session.Factor{{
			Profile: "p", Type: "t", TokenID: "id", Issuer: "i", ProvedAt: at, CreatedAt: at, UpdatedAt: at,
		}},
		Roles: []string{"a", "b"}, OrganizationID: "o", OrganizationSlug: "slug", MemberID: "m",
		Claims: claims.Object{"a": "b"}, Audience: []string{"x", "y"}, API: true, Lifetime: time.Minute,
	}
}

// A JWT is reused by this digest: a field that it forgets lets a JWT go where it
// was not minted for.
func TestEveryFieldOfARequestChangesItsDigest(t *testing.T) {
	whole := digested()
	for i := range reflect.TypeFor[mint.Request]().NumField() {
		changed := digested()
		field := reflect.ValueOf(&changed).Elem().Field(i)
		switch name := reflect.TypeFor[mint.Request]().Field(i).Name; name {
		case "Claims": // see Digest
			continue
		case "Session":
			field = field.FieldByName("Version")
			fallthrough
		default:
			alter(t, field)
			if changed.Digest() == whole.Digest() {
				t.Errorf("%s does not change the digest", name)
			}
		}
	}
	for i := range reflect.TypeFor[session.Factor]().NumField() {
		field := reflect.TypeFor[session.Factor]().Field(i)
		if !field.IsExported() || field.Name == "Claims" { // see Digest
			continue
		}
		changed := digested()
		alter(t, reflect.ValueOf(&changed.Factors[0]).Elem().Field(i))
		if changed.Digest() == whole.Digest() {
			t.Errorf("Factor.%s does not change the digest", field.Name)
		}
	}
}

func alter(t *testing.T, v reflect.Value) {
	t.Helper()
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(v.Interface().(time.Time).Add(time.Second)))
	case v.Kind() == reflect.String:
		v.SetString(v.String() + "'")
	case v.Kind() == reflect.Bool:
		v.SetBool(!v.Bool())
	case v.CanInt():
		v.SetInt(v.Int() + 1)
	case v.CanUint():
		v.SetUint(v.Uint() + 1)
	case v.Kind() == reflect.Slice:
		v.Set(reflect.AppendSlice(v, v))
	default:
		t.Fatalf("do not know how to alter a %s", v.Type())
	}
}

func TestDigestOfASession(t *testing.T) {
	whole := digested()
	for name, change := range map[string]func(*session.Session){
		"another session":                   func(s *session.Session) { s.ID = "t" },
		"begun anew after a store was lost": func(s *session.Session) { s.StartedAt = s.StartedAt.Add(time.Second) },
	} {
		changed := digested()
		change(&changed.Session)
		if changed.Digest() == whole.Digest() {
			t.Errorf("%s has the same digest", name)
		}
	}
	used := digested()
	used.Session.LastAccessedAt = used.Session.LastAccessedAt.Add(time.Minute)
	if used.Digest() != whole.Digest() {
		t.Error("a use changes the digest, so no JWT is ever reused")
	}
}

// Lists that join to one text are two.
func TestDigestKeepsListsApart(t *testing.T) {
	one, two := digested(), digested()
	one.Audience, two.Audience = []string{"ab", "c"}, []string{"a", "bc"}
	if one.Digest() == two.Digest() {
		t.Error("two audiences have one digest")
	}
	one, two = digested(), digested()
	one.Roles, two.Roles = []string{"a"}, []string{"a", ""}
	if one.Digest() == two.Digest() {
		t.Error("two lists of roles have one digest")
	}
}
