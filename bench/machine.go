package main

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/attestgate/caddy-attest/internal/jose"
)

// A machine has what all scenarios share.
type machine struct {
	dir, upstream string
	binary        string
	redis         *program
	signer        *jose.Signer
}

func newMachine(upstream string) (*machine, error) {
	dir, err := os.MkdirTemp("", "attest-bench")
	if err != nil {
		return nil, err
	}
	m := &machine{dir: dir, upstream: upstream}
	if m.binary, err = os.Executable(); err != nil {
		return nil, err
	}
	if m.signer, err = jose.NewSigner("ES256", rand.Reader); err != nil {
		return nil, err
	}
	set, err := jose.MarshalKeySet([]jose.Key{m.signer.Key()})
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "keys.json"), set, 0o600); err != nil {
		return nil, err
	}
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	_, port, _ := strings.Cut(address, ":")
	m.redis, err = start("redis", address, dir, "redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
	return m, err
}

func (m *machine) close() {
	m.redis.stop()
	_ = os.RemoveAll(m.dir)
}

func (m *machine) redisAddress() string { return strings.TrimPrefix(m.redis.url, "http://") }

// caddy starts one with the lines of a site, and global ones.
func (m *machine) caddy(name, global, site string) (*program, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	admin, err := freeAddress()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(m.dir, name)
	if err != nil {
		return nil, err
	}
	text := fmt.Sprintf("{\nadmin %s\npersist_config off\ndefault_bind 127.0.0.1\nlog {\noutput discard\n}\n%s\n}\nhttp://%s {\n%s\nreverse_proxy %s\n}\n", admin, global, address, site, m.upstream)
	file := filepath.Join(dir, "Caddyfile")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, err
	}
	p, err := start(name, address, dir, m.binary, "caddy", "run", "--adapter", "caddyfile", "--config", file)
	if err == nil {
		p.admin = "http://" + admin
	}
	return p, err
}

// gateway is the one of a scenario.
func (m *machine) gateway(s scenario) (*program, error) {
	store := "store bolt"
	if s.redis {
		store = "secret 0123456789abcdef0123456789abcdef0123456789\nstore redis " + m.redisAddress()
	}
	global := fmt.Sprintf(`attest {
%s
%s
project %s {
	secret %s
}
profile acme {
	issuer %s
	audience app
	jwks_file %s
	organization acme
	map roles roles
	roles *
	create members organizations 100000000/h
}
organization acme {
	profiles acme
}
}`, store, s.global, projectID, projectSecret, issuerName, filepath.Join(m.dir, "keys.json"))
	return m.caddy("gateway", global, "attest_api\nattest acme {\n"+s.route+"\n}")
}

// run measures one scenario.
func (m *machine) run(s scenario, o options) (result, error) {
	plain, err := m.caddy("plain", "", "")
	if err != nil {
		return result{}, err
	}
	defer plain.stop()
	limit, err := m.caddy("limit", "", "limit "+m.redisAddress()+" "+s.work)
	if err != nil {
		return result{}, err
	}
	defer limit.stop()
	gateway, err := m.gateway(s)
	if err != nil {
		return result{}, err
	}
	defer gateway.stop()
	c := newCaller(gateway.url, m.signer, o.clients)
	next, err := s.plan(c)
	if err != nil {
		return result{}, err
	}
	contestants := []*contestant{{program: plain}, {program: limit}, {program: gateway}}
	for _, f := range o.against {
		contestants = append(contestants, &contestant{program: &f})
	}
	for _, each := range contestants {
		each.caller = newCaller(each.program.url, m.signer, o.clients)
	}
	redisBefore := m.redis.cpu()
	inTurn := slices.Clone(contestants)
	for round := range o.rounds + 1 {
		slices.Reverse(inTurn) // who comes first is not always the same
		for _, each := range inTurn {
			taken, err := each.slice(next, o)
			if err != nil {
				return result{}, fmt.Errorf("%s: %w", each.program.name, err)
			}
			if round > 0 { // the first warms up
				each.slices = append(each.slices, taken)
			}
		}
	}
	return resultOf(s.name, contestants, m.redis.cpu()-redisBefore), nil
}

// A contestant is a program with what was measured of it.
type contestant struct {
	program *program
	caller  *caller
	slices  []taken
}

// taken is one slice.
type taken struct {
	requests           int
	cpu                int64 // ns
	allocations, calls float64
	elapsed            time.Duration
	latencies          []time.Duration
}

// prepared is how many requests are made ahead of a slice, so that signing tokens does not
// compete with what is measured.
const prepared = 4000

func (c *contestant) slice(next func() call, o options) (taken, error) {
	queue := make([]call, prepared)
	for i := range queue {
		queue[i] = next()
	}
	if c.program.name != "gateway" { // they know no API
		for i := range queue {
			queue[i].path = ""
		}
	}
	t := taken{cpu: -c.program.cpu(), allocations: -c.program.metric("go_memstats_mallocs_total"), calls: -c.program.metric("caddy_attest_store_call_duration_seconds_count")}
	began := time.Now()
	var sent atomic.Int64
	var mu sync.Mutex
	var failed error
	var work sync.WaitGroup
	for range o.clients {
		work.Go(func() {
			var own []time.Duration
			for time.Since(began) < o.slice {
				i := int(sent.Add(1)) - 1
				if i >= len(queue) {
					break
				}
				at := time.Now()
				if _, err := c.caller.send(queue[i]); err != nil {
					mu.Lock()
					failed = err
					mu.Unlock()
					break
				}
				own = append(own, time.Since(at))
			}
			mu.Lock()
			t.latencies = append(t.latencies, own...)
			mu.Unlock()
		})
	}
	work.Wait()
	t.elapsed, t.requests = time.Since(began), len(t.latencies)
	t.cpu += c.program.cpu()
	t.allocations += c.program.metric("go_memstats_mallocs_total")
	t.calls += c.program.metric("caddy_attest_store_call_duration_seconds_count")
	slices.Sort(t.latencies)
	return t, failed
}
