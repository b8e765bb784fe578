package trust

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"sync"

	"github.com/attestgate/caddy-attest/internal/strictjson"
)

// discovery asks an issuer where its keys are, and gets them there.
type discovery struct {
	config   RemoteConfig // without Discover; its URL is that of the document
	issuer   string
	document *fetcher

	mu   sync.Mutex
	host string // of the keys, the last time
}

const discoveryPath = "/.well-known/openid-configuration"

func newDiscovery(c RemoteConfig) (*discovery, error) {
	if c.URL != "" {
		return nil, errors.New("stands in place of a URL of the keys")
	}
	if strings.ContainsAny(c.Discover, "{}?#") {
		return nil, errors.New("must be one issuer: a URL without captures, query and fragment (several tenants have their keys at one jwks_url)")
	}
	d := &discovery{config: c, issuer: c.Discover}
	d.config.Discover, d.config.URL = "", c.documentURL()
	var err error
	d.document, err = newFetcher(d.config)
	return d, err
}

// documentURL is where the OpenID configuration of the issuer is (§4: a slash at the end
// of the issuer counts once).
func (c RemoteConfig) documentURL() string {
	return strings.TrimSuffix(c.Discover, "/") + discoveryPath
}

// get asks for the document each time: keys move rarely, and then at once.
func (d *discovery) get(ctx context.Context) (fetched, error) {
	answer, err := d.document.get(ctx)
	if err != nil {
		return fetched{}, err
	}
	keys, err := d.keysOf(answer.body)
	if err != nil {
		return fetched{}, &unusableError{err}
	}
	got, err := keys.get(ctx)
	if err != nil {
		return fetched{}, err
	}
	if _, err := parseKeys(got.body); err == nil {
		d.noteHost(keys.url.Host)
	}
	return got, nil
}

var (
	errOtherIssuer = errors.New("the document at " + discoveryPath + " is of another issuer: the values must be equal byte for byte, also in scheme and trailing slash")
	errNoKeysURL   = errors.New("the document at " + discoveryPath + " has no jwks_uri that is a text")
	errKeysOnHost  = errors.New("the issuer's jwks_uri leads to this machine")
)

func (d *discovery) keysOf(document []byte) (*fetcher, error) {
	o, err := strictjson.Object(document)
	if err != nil {
		return nil, err
	}
	if o["issuer"] != any(d.issuer) {
		return nil, errOtherIssuer
	}
	text, ok := o["jwks_uri"].(string)
	if !ok {
		return nil, errNoKeysURL
	}
	c := d.config
	c.URL = text
	// Only an issuer on this machine may have its keys here, and only one of http may have
	// them by http.
	if u, err := url.Parse(text); err == nil {
		if (isLoopbackHost(u.Hostname()) || isOddAddress(u.Hostname())) && !isLoopbackHost(d.document.url.Hostname()) {
			return nil, errKeysOnHost
		}
		c.AllowHTTP = c.AllowHTTP && u.Scheme == "http" && u.Host == d.document.url.Host
		if u.Scheme != d.document.url.Scheme || u.Host != d.document.url.Host {
			c.Bearer, c.Header = nil, nil // they are for the issuer, not for whom its document names
		}
	}
	return newFetcher(c)
}

// noteHost tells when the keys are elsewhere than before.
func (d *discovery) noteHost(host string) {
	d.mu.Lock()
	before := d.host
	d.host = host
	d.mu.Unlock()
	if before != "" && before != host && d.config.Moved != nil {
		d.config.Moved(before, host)
	}
}
