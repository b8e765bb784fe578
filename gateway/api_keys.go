package gateway

import (
	"context"
	"net/http"
)

func (a *API) keyEndpoints(all map[string]byMethod) {
	get := byMethod{http.MethodGet: {public, a.keys}}
	all["/.well-known/jwks.json"] = get
	all["/v1/b2b/sessions/jwks/{project_id}"] = get
	all["/v1/sessions/jwks/{project_id}"] = get
}

// keySet is a JWKS ready to be sent (RFC 7517 §5).
type keySet []byte

// keys: the public keys of our JWTs. Anyone may read them; a project id in the
// path must be ours.
func (a *API) keys(_ context.Context, r *http.Request) (any, error) {
	if id := r.PathValue("project_id"); id != "" && id != a.gateway.Project.ID {
		return nil, refuse("route_not_found", nil)
	}
	return keySet(a.gateway.Ring.JWKS()), nil
}

// write sends the set. It may be cached for as long as a key is published before
// it is used, and read by any page.
func (k keySet) write(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "public, max-age=300")
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(k)
}
