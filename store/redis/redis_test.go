package redis_test

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/redis"
	"github.com/attestgate/caddy-attest/store/redis/redistest"
	"github.com/attestgate/caddy-attest/store/sealed"
	"github.com/attestgate/caddy-attest/store/storetest"
)

func TestMain(m *testing.M) {
	redis.SetLogger(func(string) {})
	goleak.VerifyTestMain(m)
}

// unhurried is a timeout for tests that are not about time, on a machine that is
// busy with others.
const unhurried = 10 * time.Second

var prefixes atomic.Int64

// fresh is a configuration under a prefix that no other test has.
func fresh(addresses ...string) redis.Config {
	return redis.Config{
		Addresses: addresses,
		Prefix:    fmt.Sprintf("t%d:", prefixes.Add(1)),
		Timeout:   unhurried,
	}
}

func open(t testing.TB, config redis.Config) *redis.Store {
	t.Helper()
	s, err := redis.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// A traveller is a store whose server has a clock of its own, made to feel the
// test's clock advance: with every step, all ends on the server are moved as much
// into the past, and all that goes there or comes back is translated.
type traveller struct {
	*redis.Store
	clock *storetest.Clock
	begin time.Time
}

// aged moves all ends of one test into the past: the server's own, and those that
// stand in the records.
const aged = `
local function moved(bytes, by)
  local n, out = 0, ''
  for i = 1, 8 do n = n * 256 + string.byte(bytes, i) end
  if n == 0 then return bytes end
  n = math.max(n - by, 1)
  for i = 1, 8 do out = string.char(n % 256) .. out; n = math.floor(n / 256) end
  return out
end
for _, key in ipairs(redis.call('KEYS', ARGV[1] .. '*')) do
  if redis.call('TYPE', key).ok == 'string' then
    redis.call('SETRANGE', key, 9, moved(redis.call('GETRANGE', key, 9, 16), tonumber(ARGV[2])))
  end
  local left = redis.call('PTTL', key)
  if left >= 0 then redis.call('PEXPIRE', key, left - tonumber(ARGV[2])) end
end`

func travelling(t *testing.T, config redis.Config, clock *storetest.Clock, servers ...*redistest.Server) *traveller {
	for _, server := range servers {
		client := goredis.NewClient(&goredis.Options{Addr: server.Addr})
		t.Cleanup(func() { client.Close() })
		clock.OnAdvance(func(d time.Duration) {
			if err := client.Eval(t.Context(), aged, nil, config.Prefix, d.Milliseconds()).Err(); err != nil && err != goredis.Nil {
				t.Error(err)
			}
		})
	}
	return &traveller{open(t, config), clock, clock.Now()}
}

// travelled is how far the test's clock is ahead of the server's.
func (s *traveller) travelled() time.Duration { return s.clock.Now().Sub(s.begin) }

func shift(moment time.Time, by time.Duration) time.Time {
	if moment.IsZero() {
		return moment
	}
	return moment.Add(by)
}

func (s *traveller) Apply(ctx context.Context, partition string, ops ...store.Op) error {
	there := slices.Clone(ops)
	for i := range there {
		there[i].ExpiresAt = shift(ops[i].ExpiresAt, -s.travelled())
		there[i].Until = shift(ops[i].Until, -s.travelled())
	}
	return s.Store.Apply(ctx, partition, there...)
}

func (s *traveller) Touch(ctx context.Context, partition, key string, until time.Time) error {
	return s.Store.Touch(ctx, partition, key, shift(until, -s.travelled()))
}

func (s *traveller) Get(ctx context.Context, partition string, keys ...string) ([]store.Record, error) {
	records, err := s.Store.Get(ctx, partition, keys...)
	for i := range records {
		records[i].ExpiresAt = shift(records[i].ExpiresAt, s.travelled())
	}
	return records, err
}

func TestStore(t *testing.T) {
	server := redistest.Start(t)
	storetest.Run(t, func(t *testing.T, clock *storetest.Clock) store.Store {
		return travelling(t, fresh(server.Addr), clock, server)
	})
}

func TestSharedByTwoGateways(t *testing.T) {
	server := redistest.Start(t)
	storetest.RunShared(t, func(t *testing.T, clock *storetest.Clock) (a, b store.Store) {
		config := fresh(server.Addr)
		return open(t, config), open(t, config)
	})
}

// outage is a store whose server can be made to vanish behind a proxy.
func outage(t *testing.T, vanish func(*redistest.Proxy)) storetest.Outage {
	proxy := redistest.NewProxy(t, redistest.Start(t).Addr)
	config := fresh(proxy.Addr)
	config.Timeout = 0
	return storetest.Outage{Store: open(t, config), Away: func() { vanish(proxy) }, Back: proxy.Restore}
}

func TestOutageOfAServerThatRefuses(t *testing.T) {
	storetest.RunOutage(t, func(t *testing.T, _ *storetest.Clock) storetest.Outage {
		return outage(t, (*redistest.Proxy).Cut)
	})
}

func TestOutageOfASilentServer(t *testing.T) {
	storetest.RunOutage(t, func(t *testing.T, _ *storetest.Clock) storetest.Outage {
		return outage(t, (*redistest.Proxy).Blackhole)
	})
}

func TestOutageSealed(t *testing.T) {
	storetest.RunOutage(t, func(t *testing.T, _ *storetest.Clock) storetest.Outage {
		o := outage(t, (*redistest.Proxy).Cut)
		secret := []byte("a secret of thirty-two bytes, at least")
		s, err := sealed.New(o.Store, [][]byte{secret}, sealed.Options{})
		if err != nil {
			t.Fatal(err)
		}
		o.Store = s
		return o
	})
}

func TestStoreOnACluster(t *testing.T) {
	cluster := redistest.StartCluster(t, 3, 0)
	storetest.Run(t, func(t *testing.T, clock *storetest.Clock) store.Store {
		config := fresh(cluster.Addresses()...)
		config.Cluster = true
		return travelling(t, config, clock, cluster.Servers...)
	})
}

func TestClusterSharedByTwoGateways(t *testing.T) {
	cluster := redistest.StartCluster(t, 3, 0)
	storetest.RunShared(t, func(t *testing.T, clock *storetest.Clock) (a, b store.Store) {
		config := fresh(cluster.Addresses()...)
		config.Cluster = true
		return open(t, config), open(t, config)
	})
}

func TestStoreSealed(t *testing.T) {
	server := redistest.Start(t)
	storetest.Run(t, func(t *testing.T, clock *storetest.Clock) store.Store {
		inner := travelling(t, fresh(server.Addr), clock, server)
		secret := []byte("a secret of thirty-two bytes, at least")
		s, err := sealed.New(inner, [][]byte{secret}, sealed.Options{Now: clock.Now})
		if err != nil {
			t.Fatal(err)
		}
		return struct {
			*sealed.Store
			io.Closer
		}{s, inner}
	})
}
