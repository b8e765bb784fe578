package web

import (
	"io"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
)

// A Scrubber removes from a request every header that the gateway could have
// set, so that what the upstream finds under such a name is always the
// gateway's word. It holds the names of all routes, not only of the one at hand:
// an upstream behind two routes must not take the header of one from a client of
// the other.
//
// Names are compared by their letters and digits alone. Servers behind a proxy map
// several names to one variable: CGI, WSGI, PHP and Rack X-User-Id and X_User_Id,
// Java containers x.user.id too, and lighttpd makes an underscore of every
// character that is no letter or digit (X~User~Id).
type Scrubber struct {
	folded []string // folded names, Authorization among them
}

// NewScrubber makes a scrubber for the headers named. Authorization is always one
// of them.
func NewScrubber(names []string) *Scrubber {
	s := &Scrubber{folded: []string{authorizationFolded}}
	for _, name := range names {
		if f := foldHeader(name); !slices.Contains(s.folded, f) {
			s.folded = append(s.folded, f)
		}
	}
	return s
}

const authorizationFolded = "authorization"

// Scrub cleans r in place of everything the gateway could have set. With
// authorization it removes that header too, as it does for a request that nobody can
// decide about.
func (s *Scrubber) Scrub(r *http.Request, authorization bool) {
	s.clean(r.Header, authorization)
	if len(r.Trailer) > 0 {
		s.clean(r.Trailer, true)
		r.Body = &trailerScrub{ReadCloser: r.Body, trailer: r.Trailer, clean: s.clean}
	}
	if len(r.Header["Connection"]) > 0 {
		s.unhop(r.Header)
	}
}

func (s *Scrubber) clean(h http.Header, authorization bool) {
	for name := range h {
		if s.asserted(name, authorization) {
			delete(h, name)
		}
	}
}

// asserted tells whether the header is one of ours. The Authorization header as
// such is a client's to send; its aliases never are.
func (s *Scrubber) asserted(name string, authorization bool) bool {
	if name == "Authorization" {
		return authorization
	}
	return slices.ContainsFunc(s.folded, func(f string) bool { return foldsTo(name, f) })
}

// A trailerScrub cleans the trailer when it is there: the server fills it in, with
// every name the client sent, at the end of the body.
type trailerScrub struct {
	io.ReadCloser
	trailer http.Header
	clean   func(h http.Header, authorization bool)
}

// Read implements io.Reader.
func (t *trailerScrub) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	if err != nil {
		t.clean(t.trailer, true)
	}
	return n, err
}

// unhop takes our names out of Connection: a proxy removes, on its way to the
// upstream, every header that is listed there, also one that was set after the
// client sent the request (RFC 9110 §7.6.1).
func (s *Scrubber) unhop(h http.Header) {
	var kept []string
	for _, line := range h["Connection"] {
		for option := range strings.SplitSeq(line, ",") {
			if option = textproto.TrimString(option); option != "" && !s.asserted(http.CanonicalHeaderKey(option), true) {
				kept = append(kept, option)
			}
		}
	}
	if len(kept) == 0 {
		delete(h, "Connection")
		return
	}
	h["Connection"] = []string{strings.Join(kept, ", ")}
}

// foldHeader answers the letters and digits of a header name, in lower case.
func foldHeader(name string) string {
	var folded []byte
	for i := range len(name) {
		if c := foldByte(name[i]); c != 0 {
			folded = append(folded, c)
		}
	}
	return string(folded)
}

// foldsTo is foldHeader(name) == folded without the allocation.
func foldsTo(name, folded string) bool {
	matched := 0
	for i := range len(name) {
		c := foldByte(name[i])
		if c == 0 {
			continue
		}
		if matched == len(folded) || c != folded[matched] {
			return false
		}
		matched++
	}
	return matched == len(folded)
}

// foldByte answers a letter or digit in lower case, and 0 for anything else.
func foldByte(c byte) byte {
	switch {
	case 'A' <= c && c <= 'Z':
		return c + ('a' - 'A')
	case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		return c
	}
	return 0
}
