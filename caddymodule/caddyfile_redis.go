package caddymodule

import "github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

// UnmarshalCaddyfile reads the redis backend of the store line.
//
//	store redis <url|address>... {
//		cluster
//		sentinel <master>
//		username <name>
//		password <value>
//		db <number>
//		tls {
//			ca <pem>
//			cert <pem>
//			key <pem>
//			server_name <name>
//		}
//		timeout <duration>
//		pool <connections>
//		prefix <text>
//	}
func (s *RedisStore) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	r := newReader(d, redisPlace, redisArgs)
	if err := r.texts(&s.Addresses); err != nil {
		return err
	}
	if err := redisBlock.read(r, s); err != nil {
		return err
	}
	if p := firstProblem(false, func(c *checker) { c.redis(s) }); p != nil {
		return r.locate(p)
	}
	return nil
}

const redisArgs = "<url|address>..."

var redisPlace = where{"store", "redis"}

var redisBlock = grammar[RedisStore]{name: "store redis", words: []word[RedisStore]{
	{
		name: "cluster",
		help: "the addresses are nodes of a cluster",
		read: func(r *reader, s *RedisStore) error { return r.flag(&s.Cluster) },
	},
	{
		name: "sentinel", args: "<master>",
		help: "the addresses are sentinels that watch it",
		read: func(r *reader, s *RedisStore) error { return r.text(&s.Sentinel) },
	},
	{
		name: "username", args: "<name>",
		help: "of the ACL user",
		read: func(r *reader, s *RedisStore) error { return r.text(&s.Username) },
	},
	{
		name: "password", args: "<value>",
		read: func(r *reader, s *RedisStore) error { return r.text(&s.Password) },
	},
	{
		name: "db", args: "<number>",
		help: "default 0",
		read: func(r *reader, s *RedisStore) error { return r.number(&s.DB, 0) },
	},
	{
		name: "tls", block: redisTLSBlock,
		help: "talk TLS; rediss:// does too",
		read: readRedisTLS,
	},
	{
		name: "timeout", args: "<duration>",
		help: "of one call; default 250ms",
		read: func(r *reader, s *RedisStore) error { return r.duration(&s.Timeout) },
	},
	{
		name: "pool", args: "<connections>",
		help: "default 128",
		read: func(r *reader, s *RedisStore) error { return r.number(&s.Pool, 1) },
	},
	{
		name: "prefix", args: "<text>",
		help: "what every key begins with; default attest:",
		read: func(r *reader, s *RedisStore) error { return r.text(&s.Prefix) },
	},
}}

var redisTLSBlock = grammar[RedisTLS]{name: "tls", words: []word[RedisTLS]{
	{
		name: "ca", args: "<pem>",
		help: "a file with the authorities to trust; default the system's",
		read: func(r *reader, t *RedisTLS) error { return r.text(&t.CA) },
	},
	{
		name: "cert", args: "<pem>",
		help: "a file with the gateway's certificate",
		read: func(r *reader, t *RedisTLS) error { return r.text(&t.Cert) },
	},
	{
		name: "key", args: "<pem>",
		help: "a file with its private key",
		read: func(r *reader, t *RedisTLS) error { return r.text(&t.Key) },
	},
	{
		name: "server_name", args: "<name>",
		help: "what the server's certificate is for; default its host",
		read: func(r *reader, t *RedisTLS) error { return r.text(&t.ServerName) },
	},
}}

// readRedisTLS reads `tls { … }`.
func readRedisTLS(r *reader, s *RedisStore) error {
	t, err := once(r, &s.TLS)
	if err != nil {
		return err
	}
	return redisTLSBlock.read(r, t)
}
