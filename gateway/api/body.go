package api

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/internal/strictjson"
)

// maxBody is far above any sensible call: a token of 16 KiB, claims of 4 KiB.
const maxBody = 256 << 10

// bodyTimeout is how long it may take to arrive.
const bodyTimeout = 30 * time.Second

// within is the request with a body that must arrive in time, whatever the server
// allows: Caddy has no such limit unless it is configured (read_body).
func within(w http.ResponseWriter, r *http.Request, timeout time.Duration) *http.Request {
	control := http.NewResponseController(w)
	if r.Body == nil || r.Body == http.NoBody || control.SetReadDeadline(time.Now().Add(timeout)) != nil {
		return r
	}
	timed := *r
	timed.Body = timedBody{r.Body, control}
	return &timed
}

// timedBody lifts the deadline at its end: what follows is the connection's idle time.
type timedBody struct {
	io.ReadCloser
	control *http.ResponseController
}

func (b timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

// read takes one JSON object from the body of a call into v.
func (a *API) read(r *http.Request, v any) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return authn.Refuse("unsupported_media_type", nil)
	}
	data, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return authn.Refuse("request_too_large", err)
	case err != nil:
		return authn.Refuse("bad_request", err)
	}
	return a.decode(data, v)
}

// decode is exact where it can be: a misspelt argument must not silently mean
// "none given". Stytch's API ignores what it does not know, and so do we for its
// SDKs.
func (a *API) decode(data []byte, v any) error {
	unmarshal := strictjson.UnmarshalExact
	if a.core.Compat {
		unmarshal = strictjson.Unmarshal
	}
	if err := unmarshal(data, v); err != nil {
		return authn.Refuse("bad_request", err)
	}
	return nil
}
