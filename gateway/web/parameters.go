package web

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/attestgate/caddy-attest/gateway/authn"
)

// maxForm bounds a form that a token may stand in.
const maxForm = 64 << 10

// WithoutParameter is a query, or a form that is written like one, without the parameter,
// and the values that it had. What cannot be decoded has another name.
func WithoutParameter(query, name string) (kept string, values []string) {
	pairs := slices.DeleteFunc(strings.Split(query, "&"), func(pair string) bool {
		key, value, _ := strings.Cut(pair, "=")
		if key, err := url.QueryUnescape(key); err != nil || key != name {
			return false
		}
		if value, err := url.QueryUnescape(value); err == nil {
			values = append(values, value)
		} else {
			values = append(values, otherForm)
		}
		return true
	})
	return strings.Join(pairs, "&"), values
}

// WithoutParameters is an address, or path and query, without the parameters.
func WithoutParameters(uri string, names []string) string {
	uri, fragment, fragmented := strings.Cut(uri, "#")
	before, query, found := strings.Cut(uri, "?")
	if !found {
		return restored(uri, fragment, fragmented)
	}
	for _, name := range names {
		query, _ = WithoutParameter(query, name)
	}
	if query != "" {
		before += "?" + query
	}
	return restored(before, fragment, fragmented)
}

func restored(uri, fragment string, fragmented bool) string {
	if fragmented {
		return uri + "#" + fragment
	}
	return uri
}

// one is the value where one is expected.
func one(values []string) (string, error) {
	switch len(values) {
	case 0:
		return "", nil
	case 1:
		return values[0], nil
	}
	return "", ErrTwoInPlace
}

// queryToken reads the parameter from the address as it was sent.
func queryToken(r *http.Request, place authn.Place) (string, error) {
	sent := original(r)
	if !place.IsAt(sent.EscapedPath()) {
		return "", nil
	}
	_, values := WithoutParameter(sent.RawQuery, place.Query)
	return one(values)
}

// stripQuery takes the parameter out of whatever tells the address to the upstream.
func stripQuery(r *http.Request, name string) {
	for _, u := range []*url.URL{r.URL, original(r)} {
		u.RawQuery, _ = WithoutParameter(u.RawQuery, name)
	}
	r.RequestURI = WithoutParameters(r.RequestURI, []string{name})
	for i, line := range r.Header["Referer"] {
		r.Header["Referer"][i] = WithoutParameters(line, []string{name})
	}
}

// formToken takes the field out of a form that is posted to the place: no route's upstream
// receives it. What stays of the form is the body.
func formToken(r *http.Request, place authn.Place) (string, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if r.Method != http.MethodPost || !place.IsAt(original(r).EscapedPath()) || err != nil || kind != "application/x-www-form-urlencoded" || r.Body == nil {
		return "", nil
	}
	data, err := io.ReadAll(io.LimitReader(r.Body, maxForm+1))
	switch {
	case err != nil:
		replaceBody(r, "")
		return "", authn.Refuse("bad_request", errUnreadableForm)
	case len(data) > maxForm:
		replaceBody(r, "")
		return "", authn.Refuse("request_too_large", errFormTooLarge)
	}
	kept, values := WithoutParameter(string(data), place.Form)
	replaceBody(r, kept)
	return one(values)
}

var (
	errUnreadableForm = errors.New("a form that could not be read")
	errFormTooLarge   = errors.New("a form of more than 64 KiB where a token may stand in it")
)

func replaceBody(r *http.Request, text string) {
	r.Body = formBody{strings.NewReader(text), r.Body}
	r.ContentLength, r.TransferEncoding = int64(len(text)), nil
	r.Header.Set("Content-Length", strconv.Itoa(len(text)))
}

// formBody is what stays of a form, and closes what it was read from.
type formBody struct {
	*strings.Reader
	io.Closer
}
