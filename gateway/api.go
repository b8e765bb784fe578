package gateway

import (
	"context"
	"errors"
	"net/http"
	"path"
	"strings"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"github.com/attestgate/caddy-attest/internal/strictjson"
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
	gateway *Gateway
	serve   Serve
	mux     *http.ServeMux
}

// API makes the handler of the parts named. Without a project nobody may call
// it, so it then answers for keys alone, whatever is named.
func (g *Gateway) API(serve Serve) *API {
	if g.Project.ID == "" {
		serve.Sessions, serve.Directory = false, false
	}
	a := &API{gateway: g, serve: serve, mux: http.NewServeMux()}
	for pattern, methods := range a.endpoints() {
		a.mux.Handle(pattern, methods)
	}
	return a
}

// An endpoint does one call of the API. What it returns is the answer's body; an
// error becomes the error envelope. An endpoint that returns an error has changed
// nothing.
type endpoint func(context.Context, *http.Request) (any, error)

// byMethod are the endpoints of one path.
type byMethod map[string]call

// A call is an endpoint and what the secret must be good for.
type call struct {
	scope scope
	run   endpoint
	// reads tells that the call changes nothing, so that a secret for reading is
	// good for it.
	reads bool
	// open tells that pages of any origin may read the answer.
	open bool
}

func changing(s scope, run endpoint) call { return call{scope: s, run: run} }
func reading(s scope, run endpoint) call  { return call{scope: s, run: run, reads: true} }

func (a *API) endpoints() map[string]byMethod {
	all := map[string]byMethod{}
	if a.serve.Keys {
		a.keyEndpoints(all)
	}
	if a.serve.Sessions {
		a.sessionEndpoints(all)
		a.rbacEndpoints(all)
	}
	if a.serve.Sessions && a.consumers() {
		a.consumerEndpoints(all)
	}
	if a.serve.Directory {
		a.organizationEndpoints(all)
		a.memberEndpoints(all)
	}
	if a.serve.Sessions || a.serve.Directory {
		all[openAPIPath] = published(a.openAPI)
	}
	return all
}

// ServeHTTP implements http.Handler: what is not part of the API is 404.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !a.Serve(w, r) {
		a.answerError(w, r, refuse("route_not_found", nil))
	}
}

// Serve answers r if it is a call of the API, and tells whether it was.
func (a *API) Serve(w http.ResponseWriter, r *http.Request) bool {
	p := normalise(r.URL.EscapedPath())
	if !a.owns(p) {
		return false
	}
	clone := *r
	u := *r.URL
	u.Path, u.RawPath = unescaped(p), p
	clone.URL = &u
	a.dispatch(w, &clone)
	return true
}

func (a *API) dispatch(w http.ResponseWriter, r *http.Request) {
	p := r.URL.EscapedPath()
	h, pattern := a.mux.Handler(r)
	methods, known := h.(byMethod)
	if !known || pattern == "" || path.Clean(p) != p {
		a.answerError(w, r, refuse("route_not_found", nil))
		return
	}
	c, ok := methods[r.Method]
	switch {
	case !ok && r.Method == http.MethodOptions && methods.open():
		preflight(w, methods)
		return
	case !ok:
		w.Header().Set("Allow", methods.allow())
		a.answerError(w, r, refuse("method_not_allowed", nil))
		return
	}
	a.mux.ServeHTTP(w, r.WithContext(withCall(r.Context(), a, c)))
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
	if err := a.allow(r, c); err != nil {
		a.answerError(w, r, err)
		return
	}
	body, err := c.run(r.Context(), r)
	if err != nil {
		a.answerError(w, r, err)
		return
	}
	if d, ok := body.(document); ok {
		d.write(w, r, c)
		return
	}
	a.answer(w, http.StatusOK, body)
}

func (a *API) answer(w http.ResponseWriter, status int, body any) {
	text, err := strictjson.Marshal(body)
	if err != nil {
		status, text = http.StatusInternalServerError, []byte(`{"status_code":500,"error_type":"internal_server_error"}`)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

// envelope is the one shape of every refused call (Stytch's error envelope).
type envelope struct {
	StatusCode   int               `json:"status_code"`
	RequestID    string            `json:"request_id"`
	ErrorType    string            `json:"error_type"`
	ErrorMessage string            `json:"error_message"`
	ErrorURL     string            `json:"error_url"`
	ErrorDetails map[string]string `json:"error_details,omitempty"`
}

const errorDocs = "https://github.com/attestgate/caddy-attest/blob/main/docs/errors.md#"

func (a *API) answerError(w http.ResponseWriter, r *http.Request, err error) {
	refused, id := refusal(err), requestID()
	e := envelope{
		StatusCode: refused.API, RequestID: id, ErrorType: refused.Code, ErrorMessage: refused.Message,
		ErrorURL: errorDocs + refused.Code,
	}
	if refused.Reason != "" && refused.Reason != refused.Code {
		e.ErrorDetails = map[string]string{"reason": refused.Reason}
	}
	switch refused.API {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Basic realm="session API", charset="UTF-8"`)
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		w.Header().Set("Retry-After", retryAfter)
	}
	a.log(r, refused, id)
	a.answer(w, refused.API, e)
}

func (a *API) log(r *http.Request, refused *Refusal, id string) {
	write := a.gateway.log.Info
	if refused.API >= http.StatusInternalServerError && !errors.Is(refused.Err, context.Canceled) {
		write = a.gateway.log.Error
	}
	write("api call refused",
		zap.String("code", refused.Code), zap.String("reason", refused.Reason), zap.Int("status", refused.API),
		zap.String("request_id", id), zap.String("method", r.Method), zap.Error(refused.Err))
}

func requestID() string { return "request-id-" + uuid.NewString() }
