package trust

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"net/url"
	"time"
)

// Bounds of fetching keys.
const (
	// FetchTimeout is the whole time of one fetch.
	FetchTimeout = 3 * time.Second
	// MaxKeySetBytes is the longest body.
	MaxKeySetBytes = 1 << 20
	// MinRefresh and MaxRefresh bound how long a set is used before it is fetched
	// again, whatever its Cache-Control says; up to a tenth is taken off.
	MinRefresh = time.Minute
	MaxRefresh = 5 * time.Minute
	// DefaultStaleFor is how long the last good set serves.
	DefaultStaleFor = 24 * time.Hour

	// retryWithoutSet is the least time between two tries where there is no set at all.
	retryWithoutSet = time.Second
	// retryWithSet is the time between two tries while an old set serves: no less
	// than 30 s after a tenth is taken off.
	retryWithSet = 34 * time.Second
)

// RemoteConfig configures where keys are fetched and how long they are used.
type RemoteConfig struct {
	// URL of the keys: https, or http to a loopback host. Not with Discover.
	URL string
	// Discover is an issuer whose OpenID configuration says where its keys are (OpenID
	// Connect Discovery 1.0 §4). It must name that issuer byte for byte; of the rest
	// jwks_uri alone is taken, and nothing of it widens what a profile accepts.
	Discover string
	// Moved is told when jwks_uri leads to another host than before. It must not call back.
	// Default: nobody.
	Moved func(from, to string)
	// Client fetches it. Default: one of our own, without proxy, that connects to
	// public addresses only (to loopback only, if the URL names a loopback host).
	// Redirects stay within the origin with any client.
	Client *http.Client
	// CA are PEM certificates to trust instead of the system's. Not with Client.
	CA []byte
	// Bearer answers a token to present, read anew for every fetch. Default: none.
	Bearer func() (string, error)
	// Header are further headers of the request. Not with redirects.
	Header http.Header
	// Certificate is what the own client shows.
	Certificate *tls.Certificate
	// Proxy is asked to connect; the host of URL is then a name and no address.
	Proxy *url.URL
	// AllowPrivate lets the own client connect to private and loopback addresses. Those of
	// the metadata services of clouds, link-local ones among them, stay refused.
	AllowPrivate bool
	// AllowHTTP lets URL be http also where its host is not loopback: without redirect, and
	// every address must be private or loopback. Whoever is on the way can then forge
	// every token.
	AllowHTTP bool
	// StaleFor is how long after it was fetched the last good set serves while the
	// endpoint is down. Default: DefaultStaleFor. Negative: no longer than it would
	// have served anyhow, which is MaxRefresh.
	StaleFor time.Duration
	// Outcome is told of the first fetch; when fetches begin to fail, with the error; once
	// more with how long they have, when that is a 24th of StaleFor; and when they are
	// good again, with nil and how long they were not. It must not call back. Default:
	// nobody.
	Outcome func(err error, after time.Duration)
	// Archive keeps the last good set across a restart. Default: none.
	Archive Archive
	// Now is the clock. Default: time.Now.
	Now func() time.Time
	// Rand spreads the refreshes of many gateways. Default: crypto/rand.
	Rand io.Reader
}

// Check returns the *ConfigError of NewRemoteKeys without making anything.
func (c RemoteConfig) Check() error {
	if _, mistake := c.check(); mistake != nil {
		return mistake
	}
	return nil
}

func (c RemoteConfig) check() (keyFetcher, *ConfigError) {
	if mistake := checkDuration("stale_keys", max(c.StaleFor, 0)); mistake != nil {
		return nil, mistake
	}
	if c.Discover == "" {
		f, err := newFetcher(c)
		if err != nil {
			return nil, configErrorf("jwks_url", "%v", err)
		}
		return f, nil
	}
	f, err := newDiscovery(c)
	if err != nil {
		return nil, configErrorf("discover", "%v", err)
	}
	return f, nil
}

// Archive keeps the body of the last good key set. What it answers is trusted
// like the endpoint itself: it must be a place that only the gateway writes.
type Archive interface {
	// Load answers what was saved for the URL; no data and no error if nothing was.
	Load(ctx context.Context, url string) (data []byte, fetchedAt time.Time, err error)
	// Save keeps it. An error costs nothing but the archive.
	Save(ctx context.Context, url string, data []byte, fetchedAt time.Time) error
}
