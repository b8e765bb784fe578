package main

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	goredis "github.com/redis/go-redis/v9"
)

func init() {
	caddy.RegisterModule(new(limit))
	httpcaddyfile.RegisterHandlerDirective("limit", func(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
		l := new(limit)
		return l, l.UnmarshalCaddyfile(h.Dispenser)
	})
	httpcaddyfile.RegisterDirectiveOrder("limit", httpcaddyfile.Before, "reverse_proxy")
}

// limit does the least work that a path of the gateway could do, and nothing with the
// result: it is a yardstick, and no gateway.
type limit struct {
	// Work are the steps, in order: header, verify, get, set, sign, sign-eddsa.
	Work []string `json:"work,omitempty"`
	// Redis is an address.
	Redis string `json:"redis,omitempty"`

	redis     *goredis.Client
	key       *ecdsa.PrivateKey
	eddsa     ed25519.PrivateKey
	digest    [sha256.Size]byte
	signature []byte
}

// CaddyModule returns the Caddy module information.
func (*limit) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.limit", New: func() caddy.Module { return new(limit) }}
}

// UnmarshalCaddyfile reads `limit <redis> <step>...`.
func (l *limit) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	args := d.RemainingArgs()
	if len(args) == 0 {
		return d.ArgErr()
	}
	l.Redis, l.Work = args[0], args[1:]
	return nil
}

// Provision makes the keys.
func (l *limit) Provision(caddy.Context) (err error) {
	l.redis = goredis.NewClient(&goredis.Options{Addr: l.Redis})
	if l.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return err
	}
	if _, l.eddsa, err = ed25519.GenerateKey(rand.Reader); err != nil {
		return err
	}
	l.signature, err = ecdsa.SignASN1(rand.Reader, l.key, l.digest[:])
	return err
}

// Cleanup closes the connections.
func (l *limit) Cleanup() error { return l.redis.Close() }

var padding = strings.Repeat("x", 1000)

// ServeHTTP does the work.
func (l *limit) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	for _, step := range l.Work {
		var err error
		switch step {
		case "verify":
			ecdsa.VerifyASN1(&l.key.PublicKey, l.digest[:], l.signature)
		case "get":
			if err = l.redis.Get(r.Context(), "limit").Err(); err == goredis.Nil {
				err = nil
			}
		case "set":
			err = l.redis.Set(r.Context(), "limit", padding, 0).Err()
		case "sign":
			_, err = ecdsa.SignASN1(rand.Reader, l.key, l.digest[:])
		case "sign-eddsa":
			ed25519.Sign(l.eddsa, l.digest[:])
		}
		if err != nil {
			return err
		}
	}
	r.Header["Authorization"] = []string{padding}
	return next.ServeHTTP(w, r)
}
