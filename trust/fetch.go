package trust

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// A keyFetcher gets the keys of an issuer, from wherever it has them.
type keyFetcher interface {
	get(ctx context.Context) (fetched, error)
}

// fetcher gets one URL and nothing else.
type fetcher struct {
	client *http.Client
	url    *url.URL
	bearer func() (string, error)
	header http.Header
}

// fetched is an answer. Its content type is not looked at: issuers serve key sets
// as text/plain and octet-stream, and the body is parsed strictly.
type fetched struct {
	body   []byte
	maxAge time.Duration
}

func newFetcher(c RemoteConfig) (*fetcher, error) {
	u, err := c.parseKeyURL()
	if err != nil {
		return nil, err
	}
	client, err := c.client(u)
	if err != nil {
		return nil, err
	}
	client.CheckRedirect = sameOrigin
	if c.AllowHTTP || len(c.Header) > 0 {
		client.CheckRedirect = noRedirect
	}
	client.Jar = nil
	return &fetcher{client: client, url: u, bearer: c.Bearer, header: c.Header}, nil
}

func (c RemoteConfig) parseKeyURL() (*url.URL, error) {
	u, err := url.Parse(c.URL)
	switch {
	case err != nil:
		return nil, errors.New("is not a URL")
	case u.Host == "" || u.Opaque != "":
		return nil, errors.New("must be absolute")
	case u.User != nil || u.Fragment != "":
		return nil, errors.New("must have no user and no fragment")
	case u.Scheme != "https" && (u.Scheme != "http" || !isLoopbackHost(u.Hostname()) && !c.AllowHTTP):
		return nil, errors.New("must be https (http only to a loopback host)")
	case c.AllowHTTP && u.Scheme != "http":
		return nil, errors.New("allow_http goes with a URL that is http")
	case c.Proxy != nil && isAddress(u.Hostname()):
		return nil, errors.New("must name its host where a proxy connects to it: an address would not be looked at")
	}
	return u, nil
}

// isAddress tells an address from a name, however it is written: 0x7f000001, 127.1 and
// 2130706433 are addresses to resolvers, and no top-level domain begins with a digit.
func isAddress(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	last := host[strings.LastIndexByte(strings.TrimSuffix(host, "."), '.')+1:]
	return last != "" && '0' <= last[0] && last[0] <= '9'
}

// isOddAddress tells an address that is not written as one, or is nobody's.
func isOddAddress(host string) bool {
	a, err := netip.ParseAddr(host)
	return err != nil && isAddress(host) || err == nil && a.IsUnspecified()
}

func noRedirect(*http.Request, []*http.Request) error {
	return errors.New("no redirect is followed with allow_http or a header")
}

func isLoopbackHost(host string) bool {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Unmap().IsLoopback()
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// client is the configured one, copied, or our own: without proxy, because the
// address that is checked must be the one that answers, and without kept
// connections, because a fetch is rare and nothing may outlive a reload.
func (c RemoteConfig) client(u *url.URL) (*http.Client, error) {
	if c.Client != nil {
		if len(c.CA) > 0 {
			return nil, errors.New("a CA goes with the own client only")
		}
		copied := *c.Client
		return &copied, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if len(c.CA) > 0 {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(c.CA) {
			return nil, errors.New("the CA holds no certificate")
		}
	}
	if c.Certificate != nil {
		config.Certificates = []tls.Certificate{*c.Certificate}
	}
	dialer := &net.Dialer{Timeout: FetchTimeout, Control: c.dialControl(u)}
	var proxy func(*http.Request) (*url.URL, error)
	if c.Proxy != nil {
		proxy, dialer.Control = http.ProxyURL(c.Proxy), nil // it connects to what the operator named
	}
	return &http.Client{Transport: &http.Transport{
		Proxy:                  proxy,
		DialContext:            dialer.DialContext,
		TLSClientConfig:        config,
		DisableKeepAlives:      true,
		DisableCompression:     true, // a body may not be larger than what was sent
		MaxResponseHeaderBytes: 64 << 10,
	}}, nil
}

const maxRedirects = 3

var errRedirect = errors.New("redirects are followed only within the origin, three at most")

// sameOrigin keeps the fetch where the operator sent it: not to another host, port
// or scheme, so not to a metadata service either.
func sameOrigin(next *http.Request, via []*http.Request) error {
	first := via[0].URL
	if len(via) > maxRedirects || next.URL.Scheme != first.Scheme || !strings.EqualFold(next.URL.Host, first.Host) || next.URL.User != nil {
		return errRedirect
	}
	return nil
}

func (f *fetcher) get(ctx context.Context) (fetched, error) {
	request, err := f.request(ctx)
	if err != nil {
		return fetched{}, err
	}
	response, err := f.client.Do(request)
	if err != nil {
		return fetched{}, plainError(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fetched{}, fmt.Errorf("status %d", response.StatusCode)
	}
	body, err := readBody(response)
	if err != nil {
		return fetched{}, plainError(err)
	}
	return fetched{body, maxAge(response.Header)}, nil
}

// readBody stops at MaxKeySetBytes, before and after decompression. Some servers
// compress what nobody has asked them to.
func readBody(response *http.Response) ([]byte, error) {
	source := io.LimitReader(response.Body, MaxKeySetBytes+1)
	if strings.EqualFold(response.Header.Get("Content-Encoding"), "gzip") {
		unzipped, err := gzip.NewReader(source)
		if err != nil {
			return nil, err
		}
		source = io.LimitReader(unzipped, MaxKeySetBytes+1)
	}
	body, err := io.ReadAll(source)
	if err == nil && len(body) > MaxKeySetBytes {
		err = fmt.Errorf("more than %d bytes", MaxKeySetBytes)
	}
	return body, err
}

func (f *fetcher) request(ctx context.Context) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, f.url.String(), nil)
	if err != nil {
		return nil, err
	}
	for name, values := range f.header {
		request.Header[name] = values
	}
	request.Header.Set("Accept", "application/jwk-set+json, application/json")
	request.Header.Set("User-Agent", "attest")
	if f.bearer == nil {
		return request, nil
	}
	token, err := f.bearer()
	if err != nil {
		return nil, fmt.Errorf("bearer: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	return request, nil
}

// WithoutQuery is a URL for a log: its query may be a secret.
func WithoutQuery(text string) string {
	address, _, _ := strings.Cut(text, "?")
	return address
}

// plainError drops the URL that net/http puts before the cause: its query may be
// a secret.
func plainError(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// maxAge reads Cache-Control (RFC 9111 §5.2.2); 0 where an answer may not be kept,
// and MaxRefresh where it is absent or has no max-age.
func maxAge(h http.Header) time.Duration {
	age := MaxRefresh
	for directive := range strings.SplitSeq(strings.Join(h.Values("Cache-Control"), ","), ",") {
		name, value, _ := strings.Cut(strings.ToLower(strings.TrimSpace(directive)), "=")
		switch name {
		case "no-store", "no-cache":
			return 0
		case "max-age":
			if n, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 31); err == nil {
				age = time.Duration(n) * time.Second
			}
		}
	}
	return age
}
