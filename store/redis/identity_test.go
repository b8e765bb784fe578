package redis_test

import (
	"slices"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/store/redis"
)

// sameStore tells whether two configurations have a name in common.
func sameStore(one, other redis.Config) bool {
	return slices.ContainsFunc(one.StoreNames(), func(name string) bool { return slices.Contains(other.StoreNames(), name) })
}

func TestStoreNames(t *testing.T) {
	one := redis.Config{Addresses: []string{"redis-1:6379", "redis-2:6379"}, Cluster: true}
	for name, row := range map[string]struct {
		change func(*redis.Config)
		want   bool
	}{
		"itself":             {func(*redis.Config) {}, true},
		"another password":   {func(c *redis.Config) { c.Username, c.Password = "gateway", "other" }, true},
		"another timeout":    {func(c *redis.Config) { c.Timeout, c.Pool = time.Second, 7 }, true},
		"with TLS":           {func(c *redis.Config) { c.TLS = &redis.TLS{CA: []byte("x")} }, true},
		"the default prefix": {func(c *redis.Config) { c.Prefix = "attest:" }, true},
		"one common address": {func(c *redis.Config) { c.Addresses = []string{"redis-3:6379", "REDIS-2.:6379"} }, true},
		"no common address":  {func(c *redis.Config) { c.Addresses = []string{"redis-3:6379"} }, false},
		"another port":       {func(c *redis.Config) { c.Addresses = []string{"redis-1:6380"} }, false},
		"another database":   {func(c *redis.Config) { c.DB = 1 }, false},
		"another prefix":     {func(c *redis.Config) { c.Prefix = "other:" }, false},
		"another primary":    {func(c *redis.Config) { c.Sentinel = "main" }, false},
	} {
		other := one
		row.change(&other)
		if got := sameStore(one, other); got != row.want {
			t.Errorf("%s: %v, want %v", name, got, row.want)
		}
	}
	here := redis.Config{Addresses: []string{"127.0.0.1:6379"}}
	if !sameStore(here, redis.Config{Addresses: []string{"localhost:6379"}}) {
		t.Error("127.0.0.1 and localhost are two")
	}
}
