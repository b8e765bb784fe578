package web

import (
	"bytes"
	"encoding/json"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/attestgate/caddy-attest/gateway/authn"
)

// WriteRefusal answers a refused proxied request: a person who went to a page with a page,
// a program with a problem (RFC 9457). The header is as Announce has left it. Neither says
// anything of what was shown.
func WriteRefusal(w http.ResponseWriter, r *http.Request, refused *authn.Refusal, status int, id string) {
	kind, body := "application/problem+json", problemJSON(refused, status, id)
	h := w.Header()
	if isForPerson(r) {
		kind, body = "text/html; charset=utf-8", refusalPage(refused, status, id)
		h.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'")
		h.Set("Referrer-Policy", "no-referrer")
	}
	h.Set("Content-Type", kind)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("X-Content-Type-Options", "nosniff")
	AddToList(h, "Vary", "Accept, Sec-Fetch-Dest")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// isForPerson tells whether a browser shows the answer as a page, as far as it says so; one
// that says nothing wants HTML before anything else.
func isForPerson(r *http.Request) bool {
	if dest := r.Header.Values("Sec-Fetch-Dest"); len(dest) > 0 {
		return slices.Equal(dest, []string{"document"}) || slices.Equal(dest, []string{"iframe"})
	}
	return prefersHTML(r.Header.Values("Accept"))
}

// problem is a problem details object (RFC 9457 §3), with the code of Attest-Error and the
// id to ask the operator about.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Code   string `json:"code"`
	ID     string `json:"id"`
}

func problemJSON(refused *authn.Refusal, status int, id string) []byte {
	data, _ := json.Marshal(problem{errorDocs + refused.Code, refused.Message, status, refused.Code, id})
	return append(data, '\n')
}

// AddToList adds to a header that is a list, in one line: some caches read no more than the
// first.
func AddToList(h http.Header, name, value string) {
	if before := strings.Join(h.Values(name), ", "); before != "" {
		value = before + ", " + value
	}
	h.Set(name, value)
}

// forPeople is what a page says of a status.
func forPeople(refused *authn.Refusal, status int) (title, text string) {
	switch {
	case refused.StepUp != nil:
		return "Sign in once more", "This page asks for a further or a more recent proof of who you are."
	case status == http.StatusUnauthorized:
		return "Sign in", "This page is for people who are signed in, and you are not, or no longer."
	case status == http.StatusForbidden:
		return "Not allowed", "You are signed in, but this page is not for you."
	case status == http.StatusServiceUnavailable, status == http.StatusTooManyRequests:
		return "Not available now", "Nothing is wrong with what you did. Try again in a moment."
	case status >= http.StatusInternalServerError:
		return "Not available", "Something is wrong here, and not with what you did."
	}
	return "Not understood", "The request could not be understood. " + refused.Message
}

var pageTemplate = template.Must(template.New("refusal").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>{{.Title}}</title>
<h1>{{.Title}}</h1>
<p>{{.Text}}</p>
{{- if .SignIn}}
<p><a href="{{.SignIn}}">Sign in</a></p>
{{- end}}
<p>If you ask for help, say this: <code>{{.Code}} {{.ID}}</code></p>
</html>
`))

func refusalPage(refused *authn.Refusal, status int, id string) []byte {
	title, text := forPeople(refused, status)
	var page bytes.Buffer
	_ = pageTemplate.Execute(&page, struct{ Title, Text, SignIn, Code, ID string }{title, text, refused.SignIn, refused.Code, id}) // writing to a buffer does not fail
	return page.Bytes()
}
