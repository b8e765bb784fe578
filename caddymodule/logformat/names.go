package logformat

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/caddyserver/caddy/v2"

	"github.com/attestgate/caddy-attest/gateway/web"
)

// redacted stands for what is not written, as with Caddy itself.
const redacted = "REDACTED"

// always are headers that are credentials wherever they come.
var always = []string{"Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie"}

// pool holds the names of each configuration that is loaded, so that while one replaces
// another those of both count.
var pool = caddy.NewUsagePool()

// Names are the headers of one configuration that carry credentials or claims, and the
// parameters of addresses that do.
type Names struct {
	mu         sync.RWMutex
	list       []string
	parameters []string
}

// Publish makes the names of a configuration known, which is told apart by its key. It is
// given back with Withdraw.
func Publish(key any) (*Names, error) {
	names, _, err := pool.LoadOrNew(key, func() (caddy.Destructor, error) { return new(Names), nil })
	if err != nil {
		return nil, err
	}
	return names.(*Names), nil
}

// Withdraw takes back what Publish made known.
func Withdraw(key any) error {
	_, err := pool.Delete(key)
	return err
}

// Add makes further names known.
func (n *Names) Add(headers ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.list = append(n.list, headers...)
}

// AddParameter makes a further parameter known.
func (n *Names) AddParameter(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.parameters = append(n.parameters, name)
}

// parameters are those of all configurations.
func parameters() (list []string) {
	pool.Range(func(_, value any) bool {
		n := value.(*Names)
		n.mu.RLock()
		defer n.mu.RUnlock()
		list = append(list, n.parameters...)
		return true
	})
	return list
}

// Destruct implements caddy.Destructor.
func (*Names) Destruct() error { return nil }

func (n *Names) have(header string) bool {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return slices.ContainsFunc(n.list, func(name string) bool { return web.SameHeader(name, header) })
}

// published tells whether any configuration has said what its names are.
func published() bool {
	some := false
	pool.Range(func(any, any) bool {
		some = true
		return false
	})
	return some
}

// secretHeader tells whether the values of a header are not written. As long as nobody has
// said which, none are.
func secretHeader(header string) bool {
	header = strings.TrimPrefix(header, "HTTP_")
	if slices.ContainsFunc(always, func(name string) bool { return web.SameHeader(name, header) }) {
		return true
	}
	known, secret := false, false
	pool.Range(func(_, value any) bool {
		known = true
		secret = secret || value.(*Names).have(header)
		return !secret
	})
	return secret || !known
}

// tokens are JWTs, whole or with a part of the signature, and session tokens.
var tokens = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}(\.[A-Za-z0-9_-]*)?|session-[0-9a-f-]{36}\.[A-Za-z0-9_-]{20,}`)

// withoutTokens takes tokens out of a text, and what looks like a parameter in which one
// stands.
func withoutTokens(text string) string {
	if strings.ContainsAny(text, "?&=") {
		text = withoutParameters(text, parameters())
	}
	if !strings.Contains(text, "eyJ") && !strings.Contains(text, "session-") {
		return text
	}
	return tokens.ReplaceAllString(text, redacted)
}

// withoutParameters hides the values of parameters wherever a text holds an address or a
// query.
func withoutParameters(text string, names []string) string {
	if len(names) == 0 {
		return text
	}
	before, query, found := strings.Cut(text, "?")
	if !found {
		before, query = "", text
	}
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		name, _, valued := strings.Cut(pair, "=")
		if decoded, err := url.QueryUnescape(name); valued && err == nil && slices.Contains(names, decoded) {
			pairs[i] = name + "=" + redacted
		}
	}
	if query = strings.Join(pairs, "&"); found {
		return before + "?" + query
	}
	return query
}

// withoutQuery takes the values out of a query.
func withoutQuery(uri string) string {
	path, query, found := strings.Cut(uri, "?")
	if !found {
		return withoutTokens(uri)
	}
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		if name, _, valued := strings.Cut(pair, "="); valued {
			pairs[i] = name + "=" + redacted
		}
	}
	return withoutTokens(path) + "?" + strings.Join(pairs, "&")
}
