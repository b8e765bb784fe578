package caddymodule

import (
	"errors"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/attestgate/caddy-attest/caddymodule/grammar"
	"github.com/attestgate/caddy-attest/store/redis"
)

// redis checks where Redis is and how it is talked to. It shows no address: a URL
// may hold a password.
func (c *checker) redis(s *RedisStore) {
	at := redisPlace
	c.redisTopology(at, s)
	for _, address := range s.Addresses {
		if c.Known(at, address) {
			c.redisAddress(at, s, address)
		}
	}
	c.redisTLS(at.At("tls"), s.TLS)
	c.Known(at.At("username"), s.Username)
	c.Known(at.At("password"), s.Password)
	c.NotNegative(at.At("timeout"), s.Timeout)
	if s.DB < 0 || s.Pool < 0 {
		c.Refuse(at, "the numbers 'db' and 'pool' cannot be negative")
	}
	if s.Prefix != "" {
		c.Form(at.At("prefix"), s.Prefix, redisPrefix, "1 to 64 of A-Z a-z 0-9 : . _ -")
	}
	if len(c.Problems) == 0 {
		c.redisConfig(s)
	}
}

// redisConfig asks the store's package, which has the last word, as far as no
// placeholder hides the answer. Files are read later.
func (c *checker) redisConfig(s *RedisStore) {
	texts := strings.Join(append(slices.Clone(s.Addresses), s.Username, s.Password), " ")
	if !c.Replaced && len(grammar.Placeholders(texts)) > 0 {
		return
	}
	written := *s
	written.TLS = nil
	config, err := written.config()
	if err == nil {
		err = config.Check()
	}
	if err := redisProblem(err); err != nil {
		c.Problems = append(c.Problems, err.(*grammar.Problem))
	}
}

// redisProblem is a mistake that the store's package found, at its place.
func redisProblem(err error) error {
	if err == nil {
		return nil
	}
	var mistake *redis.ConfigError
	if !errors.As(err, &mistake) {
		return &grammar.Problem{Place: redisPlace, Text: err.Error()}
	}
	at := redisPlace
	if mistake.Option != "address" {
		at = at.At(strings.Fields(mistake.Option)...)
	}
	return &grammar.Problem{Place: at, Text: mistake.Reason}
}

// redisPrefix leaves out braces: they would decide on a cluster's slots.
var redisPrefix = regexp.MustCompile(`^[A-Za-z0-9:._-]{1,64}$`)

// redisTopology checks what the addresses are the addresses of.
func (c *checker) redisTopology(at grammar.Place, s *RedisStore) {
	if len(s.Addresses) == 0 {
		c.Refuse(at, "expected an address")
	}
	if s.Cluster && s.Sentinel != "" {
		c.Refuse(at.At("sentinel"), "the addresses are either nodes of a 'cluster' or sentinels")
	}
	if len(s.Addresses) > 1 && !s.Cluster && s.Sentinel == "" {
		c.Refuse(at, "several addresses are nodes of a 'cluster' or watched by 'sentinel <master>'; say which")
	}
	if s.Cluster && s.DB != 0 {
		c.Refuse(at.At("db"), "a cluster has only database 0")
	}
	if s.Sentinel != "" {
		c.Label(at.At("sentinel"), s.Sentinel)
	}
	seen := slices.Compact(slices.Sorted(slices.Values(s.Addresses)))
	if len(seen) < len(s.Addresses) {
		c.Refuse(at, "an address is given twice")
	}
}

// redisAddress checks one address, of either form.
func (c *checker) redisAddress(at grammar.Place, s *RedisStore, address string) {
	if !strings.Contains(address, "://") {
		if host, port, err := net.SplitHostPort(address); err != nil || host == "" || !isPort(port) {
			c.Refuse(at, "expected addresses of the form host:port, or one URL")
		}
		return
	}
	u, err := url.Parse(address)
	if err != nil || !slices.Contains(redisSchemes, u.Scheme) {
		c.Refuse(at, "expected a URL that begins with redis://, rediss:// or unix://")
		return
	}
	if len(s.Addresses) > 1 || s.Cluster || s.Sentinel != "" {
		c.Refuse(at, "a URL is the address of one server; write those of a cluster or of sentinels as host:port")
	}
	if u.User != nil && (s.Username != "" || s.Password != "") {
		c.Refuse(at, "the URL holds credentials already; remove them, or 'username' and 'password'")
	}
	if u.Scheme != "rediss" && s.TLS != nil {
		c.Refuse(at.At("tls"), "for TLS the URL begins with rediss://")
	}
}

var redisSchemes = []string{"redis", "rediss", "unix"}

func isPort(text string) bool {
	port, err := strconv.ParseUint(text, 10, 16)
	return err == nil && port > 0
}

// redisTLS checks the files that TLS needs.
func (c *checker) redisTLS(at grammar.Place, t *RedisTLS) {
	if t == nil {
		return
	}
	if (t.Cert == "") != (t.Key == "") {
		c.Refuse(at, "a certificate needs its private key: 'cert' and 'key' stand together")
	}
	for _, file := range []struct{ word, path string }{{"ca", t.CA}, {"cert", t.Cert}, {"key", t.Key}} {
		if file.path != "" {
			c.paths(at.At(file.word), file.path)
		}
	}
	if t.ServerName != "" {
		c.Label(at.At("server_name"), t.ServerName)
	}
}
