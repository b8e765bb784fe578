package gateway

import (
	"context"
	"net/http"
)

const jwksPath = "/.well-known/jwks.json"

func (a *API) keyEndpoints(all map[string]byMethod) {
	for _, path := range []string{jwksPath, "/v1/b2b/sessions/jwks/{project_id}", "/v1/sessions/jwks/{project_id}"} {
		all[path] = shared(a.keys)
	}
	a.metadataEndpoints(all)
}

// keys: the public keys of our JWTs. Anyone may read them; a project id in the
// path must be ours. They may be kept for half as long as a key is published
// before it is used.
func (a *API) keys(_ context.Context, r *http.Request) (any, error) {
	if id := r.PathValue("project_id"); id != "" && id != a.gateway.Project.ID {
		return nil, refuse("route_not_found", nil)
	}
	return document(a.gateway.Ring.JWKS()), nil
}
