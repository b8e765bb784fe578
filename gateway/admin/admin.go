package admin

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"

	"go.uber.org/zap"

	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/internal/strictjson"
	"github.com/attestgate/caddy-attest/trust"
)

// Config is what an Admin is made of. Core is required.
type Config struct {
	Core *authn.Authenticator
	// Keys are the remote key sources by profile, for their state and for fetching
	// them now.
	Keys map[string]*trust.RemoteKeys
	// Backend is the name of the store.
	Backend string
	// Routes are the places of the configuration where requests are admitted.
	Routes []Route
	// Reference is the reference of the configuration language.
	Reference string
	// Export writes every record of the store, sealed. Nil where the store cannot show
	// them.
	Export func(context.Context, io.Writer) error
}

// An Admin answers operators. Make it with New.
type Admin struct {
	Config
	log *zap.Logger
}

// New makes an Admin.
func New(c Config) (*Admin, error) {
	if c.Core == nil {
		return nil, errors.New("admin: core is required")
	}
	return &Admin{c, c.Core.Log}, nil
}

// An operation is one entry of the list of what an operator may ask or change.
type operation struct {
	method, path, summary string
	// changes tells that it changes anything, so that it is left out where an
	// operator may only look.
	changes bool
	run     func(*Admin, *call) (any, error)
}

// operations is the one list.
func operations() []operation {
	return []operation{
		{"GET", "/attest/status", "How this gateway stands, and every gateway on its store", false, (*Admin).status},
		{"GET", "/attest/health", "Whether the gateway serves; ?strict fails for degraded parts too", false, (*Admin).health},
		{"GET", "/attest/refusals", "The latest refused requests, the newest first: ?code, profile, limit", false, (*Admin).refusals},
		{"GET", "/attest/refusals/{id}", "One refused request by its id, with the checks as they were", false, (*Admin).refusedRequest},
		{"POST", "/attest/explain", "What the gateway would answer to a token, and why; nothing is stored", false, (*Admin).explain},
		{"GET", "/attest/traffic", "Requests admitted and refused in the last hour, by profile and minute", false, (*Admin).traffic},
		{"GET", "/attest/profiles", "The profiles and the state of their keys", false, (*Admin).profiles},
		{"POST", "/attest/profiles/{profile}/revoke", "End every session that rests on a profile, and refuse its tokens issued until now", true, (*Admin).revokeProfile},
		{"POST", "/attest/profiles/{profile}/refresh", "Fetch the keys of a profile now", true, (*Admin).refreshKeys},
		{"POST", "/attest/profiles/{profile}/disable", "Switch a profile off, on every gateway", true, (*Admin).disableProfile},
		{"POST", "/attest/profiles/{profile}/enable", "Switch a profile on again", true, (*Admin).enableProfile},
		{"GET", "/attest/levers", "What operators have frozen, revoked and switched off", false, (*Admin).levers},
		{"POST", "/attest/levers/freeze", "Start no session and add no factor, on every gateway", true, (*Admin).freeze},
		{"POST", "/attest/levers/unfreeze", "Take sign-ins again", true, (*Admin).unfreeze},
		{"POST", "/attest/levers/revoke-before", "Refuse every session started and token issued until a time", true, (*Admin).revokeBefore},
		{"POST", "/attest/levers/clear", "Enable every profile and take sign-ins again; what was revoked stays so", true, (*Admin).clearLevers},
		{"GET", "/attest/organizations", "The organizations", false, (*Admin).organizations},
		{"GET", "/attest/organizations/{organization}", "One organization, by id, external id or slug", false, (*Admin).organization},
		{"POST", "/attest/organizations/{organization}/revoke", "End every session of an organization, and refuse tokens for it issued until now", true, (*Admin).revokeOrganization},
		{"GET", "/attest/members", "The members, of all organizations or of ?organization", false, (*Admin).members},
		{"GET", "/attest/members/{member}", "One member, by id, or by external id within ?organization", false, (*Admin).member},
		{"POST", "/attest/members/{member}/revoke", "End every session of a member, and refuse their tokens issued until now", true, (*Admin).revokeMember},
		{"GET", "/attest/sessions", "Live sessions: ?organization, member, profile, issuer, factor, claim (name=value, repeated), limit", false, (*Admin).sessions},
		{"GET", "/attest/sessions/{session}", "One live session", false, (*Admin).session},
		{"POST", "/attest/sessions/revoke", "End the sessions that a filter chooses; with dry_run only count them", true, (*Admin).revokeSessions},
		{"GET", "/attest/keys", "The keys that sign: next, active, retired, denied", false, (*Admin).keys},
		{"POST", "/attest/keys/rotate", "Sign with the next key; in an emergency at once, and deny the old one", true, (*Admin).rotateKeys},
		{"POST", "/attest/keys/{kid}/retire", "Take a key that does not sign out of the ring, and deny it", true, (*Admin).retireKey},
		{"GET", "/attest/templates", "The claim templates", false, (*Admin).templates},
		{"POST", "/attest/templates/render", "Render a template for a member or a sample; nothing is stored", false, (*Admin).renderTemplate},
		{"GET", "/attest/routes", "Where requests are admitted, by which profiles, and what the upstream receives", false, (*Admin).routes},
		{"POST", "/attest/probe", "What an upstream takes: good, bad and no JWTs are sent to it, and never shown", true, (*Admin).probe},
		{"GET", "/attest/reference", "The configuration language, or the lines of ?word", false, (*Admin).reference},
		{"POST", "/attest/store/export", "Every record of the store, sealed, as JSON lines: a backup", true, (*Admin).exportStore},
		{"GET", "/attest/openapi.json", "This list, as an OpenAPI document", false, (*Admin).openAPI},
	}
}

// Handler answers every operation.
func (a *Admin) Handler() http.Handler { return a.handler(true) }

// ReadOnlyHandler answers the operations that change nothing; the others are 403.
func (a *Admin) ReadOnlyHandler() http.Handler { return a.handler(false) }

func (a *Admin) handler(changes bool) http.Handler {
	mux := http.NewServeMux()
	for _, o := range operations() {
		if o.changes && !changes {
			o.run = func(*Admin, *call) (any, error) { return nil, errReadOnly }
		}
		mux.Handle(o.method+" "+o.path, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { a.answer(w, r, o) }))
	}
	mux.HandleFunc("/attest/", func(w http.ResponseWriter, r *http.Request) { a.refuse(w, r, errNoOperation) })
	return mux
}

func (a *Admin) answer(w http.ResponseWriter, r *http.Request, o operation) {
	if o.changes {
		r = r.WithContext(authn.WithActor(r.Context(), authn.Actor{Door: "admin", Address: r.RemoteAddr}))
	}
	c := &call{Request: r, header: w.Header(), status: http.StatusOK}
	v, err := o.run(a, c)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	if s, ok := v.(stream); ok {
		a.send(w, r, s)
		return
	}
	write(w, c.status, v)
}

// A call is one request of an operator.
type call struct {
	*http.Request
	header http.Header
	status int // of the answer
}

// more tells that a list was cut off.
func (c *call) more() { c.header.Set("Attest-More", "true") }

// maxBody is far above a token or a template, in bytes.
const maxBody = 256 << 10

// body reads the JSON object of a call; an empty body is an empty object.
func (c *call) body(v any) error {
	data, err := io.ReadAll(http.MaxBytesReader(nil, c.Body, maxBody))
	if err != nil {
		return badRequest("the body cannot be read, or is larger than 256 KiB")
	}
	if len(data) == 0 {
		return nil
	}
	if kind, _, err := mime.ParseMediaType(c.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return badRequest("the body must be application/json")
	}
	if err := strictjson.UnmarshalExact(data, v); err != nil {
		return badRequest(err.Error())
	}
	return nil
}

// write answers JSON that is for people and programs.
func write(w http.ResponseWriter, status int, v any) {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		status, data = http.StatusInternalServerError, []byte(`{"code":"internal_server_error","message":"the answer cannot be written"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(data, '\n'))
}
