package api

import (
	"context"
	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/internal/strictjson"
	"net/http"
)

const jwksPath = "/.well-known/jwks.json"

func (a *API) keyEndpoints(all map[string]byMethod) {
	all["/v1/b2b/sessions/jwks/"], all["/v1/sessions/jwks/"] = notFound, notFound
	for _, path := range []string{jwksPath, "/v1/b2b/sessions/jwks/{project_id}", "/v1/sessions/jwks/{project_id}"} {
		all[path] = shared(a.keys)
	}
	a.metadataEndpoints(all)
}

// keys: the public keys of our JWTs. Anyone may read them; a project id in the
// path must be ours. They may be kept for half as long as a key is published
// before it is used.
func (a *API) keys(_ context.Context, r *http.Request) (any, error) {
	id := r.PathValue("project_id")
	switch {
	case id != "" && id != a.core.Project.ID:
		return nil, authn.Refuse("route_not_found", nil)
	case id != "" && a.core.Compat:
		return a.projectKeys()
	}
	return document(a.core.Ring.JWKS()), nil
}

// projectKeysAnswer is a key set that is also an answer as SDKs read every other:
// verifiers ignore what stands beside the keys (RFC 7517 §5).
type projectKeysAnswer struct {
	StatusCode int             `json:"status_code"`
	RequestID  string          `json:"request_id"`
	Keys       []claims.Object `json:"keys"`
}

func (a *API) projectKeys() (any, error) {
	var answer projectKeysAnswer
	if err := strictjson.Unmarshal(a.core.Ring.JWKS(), &answer); err != nil {
		return nil, err
	}
	answer.StatusCode, answer.RequestID = http.StatusOK, requestID()
	text, err := strictjson.Marshal(answer)
	return document(text), err
}
