package caddymodule

import "github.com/attestgate/caddy-attest/caddymodule/grammar"

// RouteLogin is where a browser without a session is sent.
type RouteLogin struct {
	// An http or https URL, or a path of the site, which is then a route of its own with
	// `attest off` or `optional`. It receives `return_to` in its query: the path and the query
	// where the browser wanted to go. A third time within a minute nobody is sent.
	URL string `json:"url"`

	// The site's own origin, as https://app.example.com, which stands before the path in
	// return_to. Default: none.
	Origin string `json:"origin,omitempty"`
}

func (l *RouteLogin) url() string { return orNew(l).URL }

func (l *RouteLogin) origin() string { return orNew(l).Origin }

// readLogin reads `login <url> [<origin>]`.
func readLogin(r *grammar.Reader, h *Attest) error {
	l, err := grammar.Once(r, &h.Login)
	if err != nil {
		return err
	}
	l.URL, l.Origin, err = r.OneOrTwo()
	return err
}
