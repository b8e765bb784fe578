package caddymodule

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/proxy"
)

const (
	userID            = "http.auth.user.id"
	placeholderPrefix = "http.attest."
)

// decided is what the innermost attest of a request has decided so far. The
// replacer asks its providers in the order in which they came, so one is
// registered per request, and what it answers from is changed.
type decided struct{ admission *proxy.Admission }

const decidedVar = "attest.decided"

// decidedOf is the one of this request; the first attest makes it.
func decidedOf(r *http.Request) *decided {
	ctx := r.Context()
	if d, ok := caddyhttp.GetVar(ctx, decidedVar).(*decided); ok {
		return d
	}
	d := &decided{admission: anonymous()}
	caddyhttp.SetVar(ctx, decidedVar, d)
	replacerOf(r).Map(d.placeholder)
	return d
}

func replacerOf(r *http.Request) *caddy.Replacer {
	return r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
}

func (d *decided) placeholder(key string) (any, bool) {
	name, ours := strings.CutPrefix(key, placeholderPrefix)
	if !ours || strings.HasPrefix(name, "error.") {
		return nil, false
	}
	return readable(orEmpty(admitted(d.admission, name))), true
}

// A list is an array in expressions, and JSON in a text: Go's own form of it does not tell
// where one element ends.
type list []any

func (l list) String() string { return jsonText([]any(l)) }

// An object is a map in expressions, and JSON in a text.
type object map[string]any

func (o object) String() string { return jsonText(map[string]any(o)) }

func jsonText(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(data)
}

// roleList is a list of names without commas, which stand between them in a text.
type roleList []string

func (l roleList) String() string { return strings.Join(l, ",") }

func readable(v any) any {
	switch v := v.(type) {
	case []any:
		return list(v)
	case map[string]any:
		return object(v)
	}
	return v
}

// publish makes what was decided known to the rest of the route: the placeholders
// of the Attest handler's documentation, and the fields of the access log. For an
// anonymous request all of them are empty, also after an outer attest.
func publish(a *proxy.Admission) {
	decidedOf(a.Request).admission = a
	replacerOf(a.Request).Set(userID, a.Member.ID)
	if a.Anonymous {
		return
	}
	if fields, ok := a.Request.Context().Value(caddyhttp.ExtraLogFieldsCtxKey).(*caddyhttp.ExtraLogFields); ok {
		fields.Set(zap.String("session_id", a.Session.ID))
		fields.Set(zap.String("profile", a.Profile))
	}
}

// orEmpty makes what is not there an empty text: Caddy would send the placeholder
// as it is written, and an app that asks whether a header is empty would take that
// for somebody.
func orEmpty(v any, ok bool) any {
	if !ok {
		return ""
	}
	return v
}

// admitted answers {http.attest.<name>} of an admitted request.
func admitted(a *proxy.Admission, name string) (any, bool) {
	if path, ok := strings.CutPrefix(name, "claims."); ok {
		return claimAt(a.Claims, path)
	}
	switch name {
	case "session.id":
		return a.Session.ID, true
	case "session.expires_at":
		if a.Anonymous {
			return nil, false
		}
		return a.Session.ExpiresAt.UTC().Format(time.RFC3339), true
	case "member.id":
		return a.Member.ID, true
	case "member.email":
		return a.Member.Email, true
	case "member.name":
		return a.Member.Name, true
	case "organization.id":
		return a.Organization.ID, true
	case "organization.slug":
		return a.Organization.Slug, true
	case "profile":
		return a.Profile, true
	case "roles":
		return roleList(a.Roles), true
	}
	return nil, false
}

// claimAt looks up a claim by its name, else by names joined by dots.
func claimAt(claims map[string]any, path string) (any, bool) {
	if v, ok := claims[path]; ok {
		return v, true
	}
	name, rest, ok := strings.Cut(path, ".")
	if !ok {
		return nil, false
	}
	inner, ok := claims[name].(map[string]any)
	if !ok {
		return nil, false
	}
	return claimAt(inner, rest)
}

// publishRefusal gives error routes the code and the reason.
func publishRefusal(r *http.Request, refused *authn.Refusal) {
	decidedOf(r).admission = anonymous()
	repl := replacerOf(r)
	repl.Set(userID, "")
	repl.Set(placeholderPrefix+"error.code", refused.Code)
	repl.Set(placeholderPrefix+"error.reason", refused.Reason)
}

// anonymous is what placeholders answer from where nobody was admitted.
func anonymous() *proxy.Admission {
	return &proxy.Admission{Decision: authn.Decision{Anonymous: true}}
}
