package caddymodule

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"go.uber.org/zap"

	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/redis"
)

// PoolKey is everything the client is made of, the content of files included.
func (s *RedisStore) PoolKey() string {
	key, _ := json.Marshal(s)
	hash := sha256.New()
	hash.Write(key)
	if t := s.read.TLS; t != nil {
		for _, file := range [][]byte{t.CA, t.Cert, t.Key} {
			_ = binary.Write(hash, binary.BigEndian, uint64(len(file)))
			hash.Write(file)
		}
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// StoreNames are the database and key prefix at each of the addresses.
func (s *RedisStore) StoreNames() []string { return s.read.StoreNames() }

// Open connects. A server that refuses us is an error; one that does not answer
// yet is not, since it will.
func (s *RedisStore) Open(ctx context.Context) (store.Store, error) {
	redis.SetLogger(func(message string) { s.logger.Warn("redis client", zap.String("message", message)) })
	opened, err := redis.New(s.read)
	if err != nil {
		return nil, fmt.Errorf("store redis: %w", err)
	}
	warnings, err := opened.Check(ctx)
	if lasting(err) {
		_ = opened.Close()
		return nil, fmt.Errorf("store redis: %w", err)
	}
	if err != nil {
		s.logger.Error("redis does not answer; requests that need it are 503 until it does", zap.Error(err))
	}
	for _, w := range warnings {
		s.logger.Warn("redis is set up in a way that loses records or availability", zap.String("code", w.Code), zap.String("server", w.Server),
			zap.String("found", w.Found), zap.String("remedy", w.Remedy))
	}
	return opened, nil
}

// lasting tells a fault that waiting does not mend: credentials or permissions
// that are wrong, a server of another kind.
func lasting(err error) bool {
	var fault *redis.Error
	return errors.As(err, &fault) && (fault.Kind == redis.Denied || fault.Kind == redis.Malformed || fault.Kind == redis.Failed)
}

// config says in the words of the store what the module says.
func (s *RedisStore) config() (redis.Config, error) {
	c, err := redis.Parse(s.Addresses...)
	if err != nil {
		return c, err
	}
	c.Cluster, c.Sentinel = s.Cluster, s.Sentinel
	c.Username, c.Password = or(s.Username, c.Username), or(s.Password, c.Password)
	c.DB = or(s.DB, c.DB)
	c.Timeout, c.Pool, c.Prefix = time.Duration(s.Timeout), s.Pool, s.Prefix
	return c, s.tls(&c)
}

// tls reads the files that the block names.
func (s *RedisStore) tls(c *redis.Config) (err error) {
	if s.TLS == nil {
		return nil
	}
	if c.TLS == nil {
		c.TLS = &redis.TLS{}
	}
	c.TLS.ServerName = or(s.TLS.ServerName, c.TLS.ServerName)
	for _, file := range []struct {
		path string
		into *[]byte
	}{{s.TLS.CA, &c.TLS.CA}, {s.TLS.Cert, &c.TLS.Cert}, {s.TLS.Key, &c.TLS.Key}} {
		if file.path == "" {
			continue
		}
		if *file.into, err = os.ReadFile(file.path); err != nil {
			return err
		}
	}
	return nil
}

var (
	_ StoreBackend = (*RedisStore)(nil)
	_ NamedStore   = (*RedisStore)(nil)
)
