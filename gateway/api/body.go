package api

import (
	"errors"
	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/internal/strictjson"
	"io"
	"mime"
	"net/http"
)

// maxBody is far above any sensible call: a token of 16 KiB, claims of 4 KiB.
const maxBody = 256 << 10

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
