package caddymodule

import (
	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"go.uber.org/zap"

	"github.com/attestgate/caddy-attest/caddymodule/grammar"
	"github.com/attestgate/caddy-attest/store/redis"
)

func init() {
	caddy.RegisterModule(new(RedisStore))
}

// RedisStore keeps everything in Redis 6.2 or later, or Valkey, so that any
// number of gateways are one. It needs the app's secret: records are sealed with
// it, and whoever can only write to Redis can make none.
//
// Placeholders of the forms {env.NAME} and {file.PATH} are replaced in
// addresses, credentials and file names.
type RedisStore struct {
	// Where the servers are: host or host:port, or a redis://, rediss:// or unix:// URL.
	// One, unless it is a cluster or watched by sentinels; then some that are
	// enough to find the others.
	Addresses []string `json:"addresses"`

	// The addresses are nodes of a Redis Cluster. Default: false.
	Cluster bool `json:"cluster,omitempty"`

	// The addresses are Sentinels, and this is the name of the primary they watch.
	// Default: none.
	Sentinel string `json:"sentinel,omitempty"`

	// The ACL user. Default: that of the URL, else the server's default user.
	Username string `json:"username,omitempty"`

	// The password. Default: that of the URL, else none.
	Password string `json:"password,omitempty"`

	// The number of the database; a cluster has only 0.
	// Default: that of the URL, else 0.
	DB int `json:"db,omitempty"`

	// Talk TLS. Default: only where the URL begins with rediss://.
	TLS *RedisTLS `json:"tls,omitempty"`

	// How long one call may take, connecting included. Default: 250ms.
	Timeout caddy.Duration `json:"timeout,omitempty"`

	// How many connections there may be to each server. Default: 128.
	Pool int `json:"pool,omitempty"`

	// What every key begins with: up to 64 of A–Z a–z 0–9 : . _ ~ = -
	// Default: attest:
	Prefix string `json:"prefix,omitempty"`

	logger *zap.Logger
	read   redis.Config // what all that comes to
}

// RedisTLS is how TLS is talked with Redis.
type RedisTLS struct {
	// A PEM file with the certificate authorities to trust.
	// Default: the system's.
	CA string `json:"ca,omitempty"`

	// A PEM file with this gateway's certificate. Needs key. Default: none.
	Cert string `json:"cert,omitempty"`

	// A PEM file with the certificate's private key. Needs cert.
	Key string `json:"key,omitempty"`

	// The name that the server's certificate must have.
	// Default: the host of its address.
	ServerName string `json:"server_name,omitempty"`
}

// CaddyModule returns the Caddy module information.
func (*RedisStore) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  storeNamespace + ".redis",
		New: func() caddy.Module { return new(RedisStore) },
	}
}

// Provision replaces placeholders, reads the files and checks what came of it. It
// connects to nothing.
func (s *RedisStore) Provision(ctx caddy.Context) (err error) {
	s.logger = ctx.Logger()
	err = provision(
		func(c *checker) { c.redis(s) },
		func(r *grammar.Replacer) { s.replace(r) },
	)
	if err != nil {
		return err
	}
	if s.read, err = s.config(); err == nil {
		err = s.read.Check()
	}
	return redisProblem(err)
}

// replace replaces placeholders.
func (s *RedisStore) replace(r *grammar.Replacer) {
	r.Texts(redisPlace, s.Addresses)
	r.Text(redisPlace.At("username"), &s.Username)
	r.Text(redisPlace.At("password"), &s.Password)
	if s.TLS != nil {
		tls := redisPlace.At("tls")
		r.Text(tls.At("ca"), &s.TLS.CA)
		r.Text(tls.At("cert"), &s.TLS.Cert)
		r.Text(tls.At("key"), &s.TLS.Key)
	}
}

var (
	_ caddy.Provisioner     = (*RedisStore)(nil)
	_ caddyfile.Unmarshaler = (*RedisStore)(nil)
)
