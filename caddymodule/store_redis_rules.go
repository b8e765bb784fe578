package caddymodule

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/attestgate/caddy-attest/caddymodule/grammar"
	"github.com/attestgate/caddy-attest/store/redis"
)

// redis checks where Redis is and how it is talked to. It shows no address: a URL
// may hold a password.
func (c *checker) redis(s *RedisStore) {
	at := redisPlace
	written := *s
	written.TLS, written.Addresses = nil, slices.Clone(s.Addresses) // the files are read later
	for i, address := range s.Addresses {
		if c.Known(at, address) {
			c.redisURL(at, s, address)
		} else {
			written.Addresses[i] = fmt.Sprintf("hidden-%d:1", i)
		}
	}
	if seen := slices.Compact(slices.Sorted(slices.Values(s.Addresses))); len(seen) < len(s.Addresses) {
		c.Refuse(at, "an address is given twice")
	}
	c.redisTLS(at.At("tls"), s.TLS)
	c.Known(at.At("username"), s.Username)
	c.Known(at.At("password"), s.Password)
	if len(c.Problems) > 0 {
		return
	}
	config, err := written.config()
	if err == nil {
		err = config.Check()
	}
	var problem *grammar.Problem
	if errors.As(redisProblem(err), &problem) {
		c.Problems = append(c.Problems, problem)
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

// redisURL refuses what a URL says twice, or says otherwise.
func (c *checker) redisURL(at grammar.Place, s *RedisStore, address string) {
	u, err := url.Parse(address)
	if err != nil || !strings.Contains(address, "://") {
		return
	}
	if u.User != nil && (s.Username != "" || s.Password != "") {
		c.Refuse(at, "the URL holds credentials already; remove them, or 'username' and 'password'")
	}
	if u.Scheme != "rediss" && s.TLS != nil {
		c.Refuse(at.At("tls"), "for TLS the URL begins with rediss://")
	}
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
