package caddymodule

import (
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// redis checks where Redis is and how it is talked to. It shows no address: a URL
// may hold a password.
func (c *checker) redis(s *RedisStore) {
	at := redisPlace
	c.redisTopology(at, s)
	for _, address := range s.Addresses {
		if c.known(at, address) {
			c.redisAddress(at, s, address)
		}
	}
	c.redisTLS(at.at("tls"), s.TLS)
	c.known(at.at("username"), s.Username)
	c.known(at.at("password"), s.Password)
	c.notNegative(at.at("timeout"), s.Timeout)
	if s.DB < 0 || s.Pool < 0 {
		c.refuse(at, "the numbers 'db' and 'pool' cannot be negative")
	}
	if s.Prefix != "" {
		c.form(at.at("prefix"), s.Prefix, redisPrefix, "1 to 64 of A-Z a-z 0-9 : . _ -")
	}
}

// redisPrefix leaves out braces: they would decide on a cluster's slots.
var redisPrefix = regexp.MustCompile(`^[A-Za-z0-9:._-]{1,64}$`)

// redisTopology checks what the addresses are the addresses of.
func (c *checker) redisTopology(at where, s *RedisStore) {
	if len(s.Addresses) == 0 {
		c.refuse(at, "expected an address")
	}
	if s.Cluster && s.Sentinel != "" {
		c.refuse(at.at("sentinel"), "the addresses are either nodes of a 'cluster' or sentinels")
	}
	if len(s.Addresses) > 1 && !s.Cluster && s.Sentinel == "" {
		c.refuse(at, "several addresses are nodes of a 'cluster' or watched by 'sentinel <master>'; say which")
	}
	if s.Cluster && s.DB != 0 {
		c.refuse(at.at("db"), "a cluster has only database 0")
	}
	if s.Sentinel != "" {
		c.label(at.at("sentinel"), s.Sentinel)
	}
	seen := slices.Compact(slices.Sorted(slices.Values(s.Addresses)))
	if len(seen) < len(s.Addresses) {
		c.refuse(at, "an address is given twice")
	}
}

// redisAddress checks one address, of either form.
func (c *checker) redisAddress(at where, s *RedisStore, address string) {
	if !strings.Contains(address, "://") {
		if host, port, err := net.SplitHostPort(address); err != nil || host == "" || !isPort(port) {
			c.refuse(at, "expected addresses of the form host:port, or one URL")
		}
		return
	}
	u, err := url.Parse(address)
	if err != nil || !slices.Contains(redisSchemes, u.Scheme) {
		c.refuse(at, "expected a URL that begins with redis://, rediss:// or unix://")
		return
	}
	if len(s.Addresses) > 1 || s.Cluster || s.Sentinel != "" {
		c.refuse(at, "a URL is the address of one server; write those of a cluster or of sentinels as host:port")
	}
	if u.User != nil && (s.Username != "" || s.Password != "") {
		c.refuse(at, "the URL holds credentials already; remove them, or 'username' and 'password'")
	}
	if u.Scheme != "rediss" && s.TLS != nil {
		c.refuse(at.at("tls"), "for TLS the URL begins with rediss://")
	}
}

var redisSchemes = []string{"redis", "rediss", "unix"}

func isPort(text string) bool {
	port, err := strconv.ParseUint(text, 10, 16)
	return err == nil && port > 0
}

// redisTLS checks the files that TLS needs.
func (c *checker) redisTLS(at where, t *RedisTLS) {
	if t == nil {
		return
	}
	if (t.Cert == "") != (t.Key == "") {
		c.refuse(at, "a certificate needs its private key: 'cert' and 'key' stand together")
	}
	for _, file := range []struct{ word, path string }{{"ca", t.CA}, {"cert", t.Cert}, {"key", t.Key}} {
		if file.path != "" {
			c.paths(at.at(file.word), file.path)
		}
	}
	if t.ServerName != "" {
		c.label(at.at("server_name"), t.ServerName)
	}
}
