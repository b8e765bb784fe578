package verify

import (
	"maps"
	"net/http"
	"slices"
)

// A family is how one kind of proxy asks, and what it makes of answers.
type family struct {
	// The headers that say which request is asked about. Without method, uri and host the
	// question itself has those of the request.
	method, uri, host, proto string
	// removes tells that the proxy takes headers out of the request that the answer lists.
	removes bool
	// fewStatuses tells that it knows 200, 401 and 403, takes all else for a fault, and reads
	// one header of a name.
	fewStatuses bool
}

// The words of Config.For.
var families = map[string]family{
	"nginx":   {method: "X-Original-Method", uri: "X-Original-Uri", host: "X-Original-Host", proto: "X-Original-Proto", fewStatuses: true},
	"haproxy": {method: "X-Original-Method", uri: "X-Original-Uri", host: "X-Original-Host", proto: "X-Original-Proto"},
	"caddy":   {method: "X-Forwarded-Method", uri: "X-Forwarded-Uri", host: "X-Forwarded-Host", proto: "X-Forwarded-Proto"},
	"traefik": {method: "X-Forwarded-Method", uri: "X-Forwarded-Uri", host: "X-Forwarded-Host", proto: "X-Forwarded-Proto"},
	"envoy":   {proto: "X-Forwarded-Proto", removes: true},
}

// Families are the words of Config.For.
func Families() []string { return slices.Sorted(maps.Keys(families)) }

// status is how the family is told of a refusal. To nginx all but 401 and 403 is a fault of
// the gateway, which it answers with 500: what is wrong with the request is 403, a login is
// 401 with Location, and an outage stays what it is.
func (f family) status(status int) int {
	switch {
	case !f.fewStatuses || status == http.StatusUnauthorized || status >= http.StatusInternalServerError:
		return status
	case status == http.StatusFound:
		return http.StatusUnauthorized
	}
	return http.StatusForbidden
}

// read answers what the question says. What is missing or said twice is not made up from
// the question.
func (f family) read(r *http.Request) (asked, bool) {
	a := asked{method: r.Method, uri: r.RequestURI, host: r.Host}
	for name, text := range map[string]*string{f.method: &a.method, f.uri: &a.uri, f.host: &a.host, f.proto: &a.proto} {
		if name == "" {
			continue
		}
		lines := r.Header[name]
		if len(lines) != 1 {
			return asked{}, false
		}
		*text = lines[0]
	}
	return a, a.parse()
}

// names are the headers that the question is asked in.
func (f family) names() []string {
	return slices.DeleteFunc([]string{f.method, f.uri, f.host, f.proto}, func(name string) bool { return name == "" })
}
