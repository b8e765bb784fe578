package api

import (
	"net/http"

	"github.com/attestgate/caddy-attest/gateway/authn"
)

// A document is an answer that is ready to be sent and the same for all.
type document []byte

// published are the methods of a document that anyone may fetch.
func published(run endpoint) byMethod {
	c := call{Call: authn.Call{Scope: authn.Public, Reads: true}, run: run}
	return byMethod{http.MethodGet: c, http.MethodHead: c}
}

// shared is published for what pages of any origin may read too, and everybody
// keep for a while: public keys, and what the issuer says of itself.
func shared(run endpoint) byMethod {
	c := call{Call: authn.Call{Scope: authn.Public, Reads: true}, run: run, open: true}
	return byMethod{http.MethodGet: c, http.MethodHead: c}
}

// sharedFor is how long a shared document may be kept.
const sharedFor = "public, max-age=300"

func (d document) write(w http.ResponseWriter, r *http.Request, c call) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	if c.open {
		h.Set("Cache-Control", sharedFor)
		h.Set("Access-Control-Allow-Origin", "*")
	}
	if r.Method != http.MethodHead {
		_, _ = w.Write(d)
	}
}

// open tells whether pages of any origin may read what is at a path.
func (m byMethod) open() bool { return m[http.MethodGet].open }

// preflight tells a browser that a page may read an open document, with whatever
// header it likes to send: none of them is looked at. (Fetch standard, CORS
// preflight.)
func preflight(w http.ResponseWriter, m byMethod) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", m.allow())
	h.Set("Access-Control-Allow-Headers", "*")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
}
