package caddymodule

import (
	"net/http"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/attestgate/caddy-attest/gateway"
)

const (
	userID            = "http.auth.user.id"
	placeholderPrefix = "http.attest."
)

// publish makes what was decided known to the rest of the route: the placeholders
// of the Attest handler's documentation, and the fields of the access log. An
// anonymous request gets none; those of an outer attest are taken back.
func publish(a *gateway.Admission) {
	ctx := a.Request.Context()
	repl := ctx.Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
	if a.Anonymous {
		repl.Delete(userID)
		repl.Map(func(string) (any, bool) { return nil, false })
		return
	}
	repl.Set(userID, a.Member.ID)
	repl.Map(func(key string) (any, bool) {
		name, ours := strings.CutPrefix(key, placeholderPrefix)
		if !ours {
			return nil, false
		}
		return admitted(a, name)
	})
	if fields, ok := ctx.Value(caddyhttp.ExtraLogFieldsCtxKey).(*caddyhttp.ExtraLogFields); ok {
		fields.Set(zap.String("session_id", a.Session.ID))
		fields.Set(zap.String("profile", a.Profile))
	}
}

// admitted answers {http.attest.<name>} of an admitted request.
func admitted(a *gateway.Admission, name string) (any, bool) {
	if path, ok := strings.CutPrefix(name, "claims."); ok {
		return claimAt(a.Claims, path)
	}
	switch name {
	case "session.id":
		return a.Session.ID, true
	case "session.expires_at":
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
		return strings.Join(a.Roles, ","), true
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
func publishRefusal(r *http.Request, refused *gateway.Refusal) {
	repl := r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
	repl.Delete(userID)
	repl.Set(placeholderPrefix+"error.code", refused.Code)
	repl.Set(placeholderPrefix+"error.reason", refused.Reason)
}

// logRefusal writes the one line about a refused request.
func (a *App) logRefusal(r *http.Request, refused *gateway.Refusal, id string) {
	log := a.logger.Info
	if refused.Proxy >= http.StatusInternalServerError && r.Context().Err() == nil {
		log = a.logger.Error
	}
	log("request refused",
		zap.String("code", refused.Code), zap.String("reason", refused.Reason), zap.Int("status", refused.Proxy),
		zap.String("id", id), zap.Error(refused.Err))
}
