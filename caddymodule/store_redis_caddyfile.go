package caddymodule

import (
	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/attestgate/caddy-attest/caddymodule/grammar"
)

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
	r := grammar.NewReader(d, redisPlace, redisArgs)
	if err := r.Texts(&s.Addresses); err != nil {
		return err
	}
	if err := redisBlock.Read(r, s); err != nil {
		return err
	}
	if p := firstProblem(false, func(c *checker) { c.redis(s) }); p != nil {
		return r.Locate(p)
	}
	return nil
}

const redisArgs = "<url|address>..."

var redisPlace = grammar.Place{"store", "redis"}

var redisBlock = grammar.Block[RedisStore]{Name: "store redis", Lines: []grammar.Line[RedisStore]{
	grammar.Flag("cluster", "the addresses are nodes of a cluster",
		func(s *RedisStore) *bool { return &s.Cluster }),
	grammar.Text("sentinel", "<master>", "the addresses are sentinels that watch it",
		func(s *RedisStore) *string { return &s.Sentinel }),
	grammar.Text("username", "<name>", "of the ACL user",
		func(s *RedisStore) *string { return &s.Username }),
	grammar.Text("password", "<value>", "of that user, or requirepass",
		func(s *RedisStore) *string { return &s.Password }),
	grammar.Number("db", "<number>", "which database; default 0", 0,
		func(s *RedisStore) *int { return &s.DB }),
	grammar.Sub("tls", "talk TLS; rediss:// does too", redisTLSBlock,
		func(s *RedisStore) **RedisTLS { return &s.TLS }),
	grammar.Duration("timeout", "<duration>", "of one call; default 250ms",
		func(s *RedisStore) *caddy.Duration { return &s.Timeout }),
	grammar.Number("pool", "<connections>", "how many at most; default 128", 1,
		func(s *RedisStore) *int { return &s.Pool }),
	grammar.Text("prefix", "<text>", "what every key begins with; default attest:",
		func(s *RedisStore) *string { return &s.Prefix }),
}}

var redisTLSBlock = grammar.Block[RedisTLS]{Name: "tls", Lines: []grammar.Line[RedisTLS]{
	grammar.Text("ca", "<pem>", "a file with the authorities to trust; default the system's",
		func(t *RedisTLS) *string { return &t.CA }),
	grammar.Text("cert", "<pem>", "a file with the gateway's certificate",
		func(t *RedisTLS) *string { return &t.Cert }),
	grammar.Text("key", "<pem>", "a file with its private key",
		func(t *RedisTLS) *string { return &t.Key }),
	grammar.Text("server_name", "<name>", "what the server's certificate is for; default its host",
		func(t *RedisTLS) *string { return &t.ServerName }),
}}
