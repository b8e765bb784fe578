package trust

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/attestgate/caddy-attest/internal/cache"
	"github.com/attestgate/caddy-attest/internal/jose"
)

// Bounds of introspection (RFC 7662).
const (
	// DefaultIntrospectionCache is how long an answer is remembered, MaxIntrospectionCache
	// how long it may be.
	DefaultIntrospectionCache = 30 * time.Second
	MaxIntrospectionCache     = 5 * time.Minute
	// IntrospectionRate is how many questions a second an issuer is asked, at most, beside
	// one about each token known as good when its answer has become old: who sends tokens
	// chooses how many, and may send one over and over that the profile refuses.
	IntrospectionRate = 50
	// inactiveFor is how long a token is remembered as no good.
	inactiveFor = 30 * time.Second

	maxInactive      = 10_000
	maxIntrospection = 64 << 10 // bytes of an answer
)

// IntrospectionConfig says where an issuer is asked about tokens that say nothing
// themselves.
type IntrospectionConfig struct {
	// Remote is where, and how it is reached: URL and what goes with it, without Discover,
	// Archive and Outcome. No redirect is followed.
	Remote RemoteConfig
	// ClientID and ClientSecret authenticate the gateway there (HTTP Basic, RFC 6749
	// §2.3.1). Default: Remote.Bearer or Remote.Header does.
	ClientID, ClientSecret string
	// Cache is how long a good answer is remembered, never past the token's end. Default:
	// DefaultIntrospectionCache.
	Cache time.Duration
}

// Introspection is a source of claims, where others are sources of keys: the issuer says
// of each token whether it is good and whose it is. It is safe for concurrent use.
type Introspection struct {
	config   IntrospectionConfig
	fetcher  *fetcher
	inactive *cache.Cache[[sha256.Size]byte, time.Time]
	// known were active when they were asked about, and when that was: strangers' tokens do
	// not keep them from being asked about again once the answer has become old.
	known *cache.Cache[[sha256.Size]byte, time.Time]

	mu   sync.Mutex
	rate rate
}

// NewIntrospection checks the configuration and asks nobody. Every mistake is a
// *ConfigError.
func NewIntrospection(c IntrospectionConfig) (*Introspection, error) {
	if c.Cache == 0 {
		c.Cache = DefaultIntrospectionCache
	}
	if c.Cache < 0 || c.Cache > MaxIntrospectionCache {
		return nil, configErrorf("introspect cache", "expected at most %s", MaxIntrospectionCache)
	}
	if (c.ClientID == "") != (c.ClientSecret == "") {
		return nil, configErrorf("introspect client", "expected an id and a secret")
	}
	if c.Remote.Now == nil {
		c.Remote.Now = defaultClock
	}
	f, err := newFetcher(c.Remote)
	if err != nil {
		return nil, configErrorf("introspect", "%v", err)
	}
	f.client.CheckRedirect = noRedirect
	return &Introspection{config: c, fetcher: f, inactive: cache.New[[sha256.Size]byte, time.Time](maxInactive), known: cache.New[[sha256.Size]byte, time.Time](maxInactive)}, nil
}

// Keys is that of KeySource: there are none.
func (*Introspection) Keys(context.Context, KeyHint) ([]Key, error) { return nil, nil }

// A rate lets so many through a second, and is full at first.
type rate struct {
	used  float64
	since time.Time
}

func (r *rate) take(now time.Time) bool {
	if elapsed := now.Sub(r.since).Seconds(); elapsed > 0 {
		r.used, r.since = max(r.used-elapsed*IntrospectionRate, 0), now
	} else if elapsed < 0 { // a clock that was set back
		r.since = now
	}
	if r.used+1 > IntrospectionRate {
		return false
	}
	r.used++
	return true
}

var (
	errInactive   = errors.New("the issuer does not know the token, or no more")
	errNoResponse = errors.New("the answer is no introspection response: active must be true or false (RFC 7662 §2.2)")
)

// ask answers what the issuer says of a token, errInactive where that is nothing, and any
// other error where it cannot be asked.
func (i *Introspection) ask(ctx context.Context, token string) (map[string]any, error) {
	digest, now := sha256.Sum256([]byte(token)), i.config.Remote.Now()
	if at, known := i.inactive.Get(digest); known && within(now.Sub(at), inactiveFor) {
		return nil, errInactive
	}
	if at, known := i.known.Get(digest); (!known || within(now.Sub(at), i.config.Cache)) && !i.allow(now) {
		return nil, &laterError{after: time.Second, of: "too many tokens were asked about"}
	}
	claims, err := i.request(ctx, token)
	switch active, isBool := claims["active"].(bool); {
	case err != nil:
		return nil, err
	case !isBool:
		return nil, &unusableError{errNoResponse}
	case !active:
		i.inactive.Set(digest, now)
		i.known.Delete(digest)
		return nil, errInactive
	}
	i.known.Set(digest, now)
	return claims, nil
}

func (i *Introspection) allow(now time.Time) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.rate.take(now)
}

// request is one question (RFC 7662 §2.1).
func (i *Introspection) request(ctx context.Context, token string) (map[string]any, error) {
	ctx, cancel := context.WithTimeout(ctx, FetchTimeout)
	defer cancel()
	r, err := i.fetcher.request(ctx)
	if err != nil {
		return nil, err
	}
	form := url.Values{"token": {token}, "token_type_hint": {"access_token"}}.Encode()
	r.Method, r.Body, r.ContentLength = http.MethodPost, io.NopCloser(strings.NewReader(form)), int64(len(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	if i.config.ClientID != "" {
		r.SetBasicAuth(url.QueryEscape(i.config.ClientID), url.QueryEscape(i.config.ClientSecret))
	}
	response, err := i.fetcher.client.Do(r)
	if err != nil {
		return nil, plainError(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxIntrospection+1))
	switch {
	case err != nil:
		return nil, plainError(err)
	case len(body) > maxIntrospection:
		return nil, fmt.Errorf("more than %d bytes", maxIntrospection)
	}
	claims, err := jose.ReadClaims(body)
	if err != nil {
		return nil, &unusableError{err}
	}
	return claims, nil
}
