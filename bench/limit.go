package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	goredis "github.com/redis/go-redis/v9"
	bbolt "go.etcd.io/bbolt"
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
	// Work are the steps, in order: verify, mget, set, bolt, sign, sign-eddsa; answer, which
	// ends without the upstream; a number is how long the header is, 1000 if there is none.
	Work []string `json:"work,omitempty"`
	// Redis are addresses.
	Redis []string `json:"redis,omitempty"`

	redis     goredis.UniversalClient
	bolt      *bbolt.DB
	key       *ecdsa.PrivateKey
	eddsa     ed25519.PrivateKey
	digest    [sha256.Size]byte
	signature []byte
	header    []string
	count     atomic.Int64
}

// CaddyModule returns the Caddy module information.
func (*limit) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.limit", New: func() caddy.Module { return new(limit) }}
}

// UnmarshalCaddyfile reads `limit <step>... [redis <address>...]`.
func (l *limit) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	for args := d.RemainingArgs(); len(args) > 0; args = args[1:] {
		if args[0] == "redis" {
			l.Redis = args[1:]
			break
		}
		l.Work = append(l.Work, args[0])
	}
	return nil
}

// Provision makes the keys, and opens what is asked for.
func (l *limit) Provision(caddy.Context) (err error) {
	if l.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return err
	}
	if _, l.eddsa, err = ed25519.GenerateKey(rand.Reader); err != nil {
		return err
	}
	l.header = []string{l.padding()}
	if err := l.open(); err != nil {
		return err
	}
	l.signature, err = ecdsa.SignASN1(rand.Reader, l.key, l.digest[:])
	return err
}

func (l *limit) padding() string {
	for _, step := range l.Work {
		if n, err := strconv.Atoi(step); err == nil {
			return strings.Repeat("x", n)
		}
	}
	return strings.Repeat("x", 1000)
}

func (l *limit) open() (err error) {
	if len(l.Redis) > 0 {
		l.redis = goredis.NewUniversalClient(&goredis.UniversalOptions{Addrs: l.Redis})
		for _, key := range kept {
			if err := l.redis.Set(context.Background(), key, record, 0).Err(); err != nil {
				return err
			}
		}
	}
	if !strings.Contains(strings.Join(l.Work, " "), "bolt") {
		return nil
	}
	// One transaction for what comes within a millisecond.
	if l.bolt, err = bbolt.Open(filepath.Join(os.Getenv("HOME"), "limit.db"), 0o600, nil); err != nil {
		return err
	}
	l.bolt.MaxBatchSize, l.bolt.MaxBatchDelay = 256, time.Millisecond
	return l.bolt.Update(func(tx *bbolt.Tx) error { _, err := tx.CreateBucketIfNotExists(bucket); return err })
}

// Cleanup closes the connections.
func (l *limit) Cleanup() error {
	if l.bolt != nil {
		_ = l.bolt.Close()
	}
	if l.redis == nil {
		return nil
	}
	return l.redis.Close()
}

var (
	bucket = []byte("limit")
	record = strings.Repeat("r", 600)
	// kept are the keys that a session, its member and its organization are under.
	kept = []string{"{limit}a", "{limit}b", "{limit}c", "{limit}d", "{limit}e"}
)

// ServeHTTP does the work.
func (l *limit) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	n := l.count.Add(1)
	for _, step := range l.Work {
		if step == "answer" {
			return l.answer(w, r)
		}
		if err := l.step(r, step, n); err != nil {
			return err
		}
	}
	r.Header["Authorization"] = l.header
	return next.ServeHTTP(w, r)
}

func (l *limit) answer(w http.ResponseWriter, r *http.Request) error {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return err
	}
	w.Header()["Content-Type"] = []string{"application/json"}
	_, err := io.WriteString(w, l.header[0])
	return err
}

func (l *limit) step(r *http.Request, step string, n int64) (err error) {
	key := "limit:" + strconv.FormatInt(n%100_000, 10)
	switch step {
	case "verify":
		ecdsa.VerifyASN1(&l.key.PublicKey, l.digest[:], l.signature)
	case "mget":
		err = l.redis.MGet(r.Context(), kept...).Err()
	case "set":
		err = l.redis.Set(r.Context(), key, record, time.Hour).Err()
	case "bolt":
		err = l.bolt.Batch(func(tx *bbolt.Tx) error { return tx.Bucket(bucket).Put([]byte(key), []byte(record)) })
	case "sign":
		_, err = ecdsa.SignASN1(rand.Reader, l.key, l.digest[:])
	case "sign-eddsa":
		ed25519.Sign(l.eddsa, l.digest[:])
	}
	return err
}
