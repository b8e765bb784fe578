package web

import (
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/attestgate/caddy-attest/gateway/authn"
)

// RefuseProjectCall answers a request whose HTTP Basic user name is the project
// id: a call of the session API on a path that nothing here serves is 404
// route_not_found in the error envelope. It tells whether r was one. The next
// handler must not see it, since it carries the project's secret.
func RefuseProjectCall(w http.ResponseWriter, r *http.Request, project string, report Reporter) bool {
	if !IsProjectCall(r, project) {
		return false
	}
	refused, id := authn.Refuse("route_not_found", nil), NewRequestID()
	report.Door = DoorAPI
	report.Refused(r, refused, http.StatusNotFound, id)
	WriteEnvelope(w, refused, http.StatusNotFound, id)
	return true
}

// IsProjectCall tells whether some Authorization line of r is HTTP Basic (RFC 7617)
// with the project's id as user name, with a good secret or not.
func IsProjectCall(r *http.Request, project string) bool {
	if project == "" {
		return false
	}
	for _, line := range r.Header["Authorization"] {
		scheme, credentials := splitScheme(line)
		if scheme == "basic" && strings.HasPrefix(decodeBasic(credentials), project+":") {
			return true
		}
	}
	return false
}

// basicAlphabet makes one of the two base64 alphabets, which some upstreams read
// both of, and drops the padding.
var basicAlphabet = strings.NewReplacer("-", "+", "_", "/", "=", "")

// decodeBasic reads as much of the credentials as any upstream could.
func decodeBasic(credentials string) string {
	text, _ := base64.RawStdEncoding.DecodeString(basicAlphabet.Replace(credentials))
	return string(text)
}
