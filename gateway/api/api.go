package api

import (
	"context"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/web"
)

// Serve says which parts of the session API a place of a site answers.
type Serve struct {
	// Keys: the JWKS and the metadata of the issuer, without credentials.
	Keys bool
	// Sessions: attest, authenticate, exchange, revoke, the list of sessions, what
	// roles allow, and whoami.
	Sessions bool
	// Directory: organizations and members.
	Directory bool
}

// An API answers the calls of backends and marketplaces: the wire format of
// Stytch's B2B API, so that its SDKs work with only their base URL changed.
type API struct {
	core  *authn.Authenticator
	serve Serve
	// consumerOrganization is the id of the organization whose members the consumer
	// endpoints call users; empty where they are not served.
	consumerOrganization string
	mux                  *http.ServeMux
	begins               map[string]bool // first segments of its paths
	report               web.Reporter
}

// Options say how the API is served beside its parts.
type Options struct {
	// ConsumerOrganization is the id of the organization whose members the consumer
	// endpoints (/v1/sessions/…) call users. Default: they are not served. It has no
	// effect without compat.
	ConsumerOrganization string
	// ClientIP answers the address of the client. Default: the peer's.
	ClientIP func(*http.Request) string
}

// New makes the handler of the parts named. Without a project nobody may call it,
// so it then answers for keys alone, whatever is named.
func New(core *authn.Authenticator, serve Serve, o Options) *API {
	if core.Project.ID == "" {
		serve.Sessions, serve.Directory = false, false
	}
	a := &API{core: core, serve: serve, mux: http.NewServeMux(), begins: map[string]bool{"b2b": true}, report: web.Reporter{Core: core, Log: core.Log, Door: web.DoorAPI, ClientIP: o.ClientIP}}
	if core.Compat {
		a.consumerOrganization = o.ConsumerOrganization
	}
	for pattern, methods := range a.endpoints() {
		a.mux.Handle(pattern, methods)
		a.begins[firstSegment(pattern)] = true
	}
	return a
}

// An endpoint does one call of the API. What it returns is the answer's body; an
// error becomes the error envelope. An endpoint that returns an error has changed
// nothing.
type endpoint func(context.Context, *http.Request) (any, error)

// byMethod are the endpoints of one path. Without any, the path is not found.
type byMethod map[string]call

// notFound is what a subtree of the API answers below which there is nothing else:
// an unknown path there is the API's 404, and not the next handler's.
var notFound = byMethod{}

// A call is an endpoint and what the secret must be good for.
type call struct {
	authn.Call
	run endpoint
	// open tells that pages of any origin may read the answer.
	open bool
}

func changing(s authn.Scope, run endpoint) call { return call{Call: authn.Call{Scope: s}, run: run} }

func reading(s authn.Scope, run endpoint) call {
	return call{Call: authn.Call{Scope: s, Reads: true}, run: run}
}

func (a *API) endpoints() map[string]byMethod {
	all := map[string]byMethod{}
	if a.serve.Keys {
		a.keyEndpoints(all)
	}
	if a.serve.Sessions {
		a.sessionEndpoints(all)
		a.rbacEndpoints(all)
	}
	if a.serve.Sessions && a.consumerOrganization != "" {
		a.consumerEndpoints(all)
	}
	if a.serve.Directory {
		a.organizationEndpoints(all)
		a.memberEndpoints(all)
	}
	if a.serve.Sessions || a.serve.Directory {
		all[openAPIPath] = published(a.openAPI)
	}
	if a.serve.Sessions && a.serve.Directory {
		all["/v1/b2b/"] = notFound
	}
	return all
}

// Routes are the patterns and methods that the API answers.
func (a *API) Routes() map[string][]string {
	routes := map[string][]string{}
	for pattern, methods := range a.endpoints() {
		if len(methods) > 0 {
			routes[pattern] = slices.Sorted(maps.Keys(methods))
		}
	}
	return routes
}

// ServeHTTP implements http.Handler: what is not part of the API is 404.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !a.Serve(w, r) {
		a.answerError(w, r, authn.Refuse("route_not_found", nil))
	}
}

// Serve answers r if it is a call of the API, by its path (the mux is the one list
// of what belongs to it) or by the project's credentials, and tells whether it was.
func (a *API) Serve(w http.ResponseWriter, r *http.Request) bool {
	if a.isElsewhere(r.URL) {
		return web.RefuseProjectCall(w, r, a.core.Project.ID, a.report)
	}
	p := normalise(r.URL.EscapedPath())
	clone := *r
	u := *r.URL
	u.Path, u.RawPath = unescaped(p), p
	clone.URL = &u
	h, pattern := a.mux.Handler(&clone)
	if pattern == "" {
		return web.RefuseProjectCall(w, r, a.core.Project.ID, a.report)
	}
	methods, known := h.(byMethod)
	if !known || len(methods) == 0 || path.Clean(p) != p {
		a.answerError(w, r, authn.Refuse("route_not_found", nil))
		return true
	}
	a.dispatch(w, &clone, methods)
	return true
}

func (a *API) dispatch(w http.ResponseWriter, r *http.Request, methods byMethod) {
	c, ok := methods[r.Method]
	switch {
	case ok:
		a.mux.ServeHTTP(w, r.WithContext(withCall(r.Context(), a, c)))
	case r.Method == http.MethodOptions && methods.open():
		preflight(w, methods)
	default:
		w.Header().Set("Allow", methods.allow())
		a.answerError(w, r, authn.Refuse("method_not_allowed", nil))
	}
}

// ServeHTTP runs the call that dispatch found; going through the mux fills in the
// path's wildcards.
func (m byMethod) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a, c := callOf(r.Context())
	a.run(w, r, c)
}

func (m byMethod) allow() string {
	var list []string
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "DELETE"} {
		if _, ok := m[method]; ok {
			list = append(list, method)
		}
	}
	return strings.Join(list, ", ")
}

func (a *API) run(w http.ResponseWriter, r *http.Request, c call) {
	if err := a.authorize(r, c); err != nil {
		a.answerError(w, r, err)
		return
	}
	ctx := r.Context()
	if !c.Reads {
		ctx = authn.WithActor(ctx, authn.Actor{Door: web.DoorAPI, Address: a.report.Client(r)})
	}
	body, err := c.run(ctx, within(w, r, bodyTimeout))
	if err != nil {
		a.answerError(w, r, err)
		return
	}
	a.core.Decide(authn.Decided{Door: web.DoorAPI})
	if d, ok := body.(document); ok {
		d.write(w, r, c)
		return
	}
	web.WriteJSON(w, http.StatusOK, body)
}

func (a *API) answerError(w http.ResponseWriter, r *http.Request, err error) {
	refused, id := authn.RefusalOf(err), requestID()
	status := Status(refused.Kind)
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="session API", charset="UTF-8"`)
	}
	web.SetRetryAfter(w.Header(), refused, status)
	a.report.Refused(r, refused, status, id)
	web.WriteEnvelope(w, refused, status, id)
}

func requestID() string { return web.NewRequestID() }
