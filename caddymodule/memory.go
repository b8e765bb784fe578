package caddymodule

import (
	"slices"
	"sync"
	"time"

	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/metrics"
	"github.com/attestgate/caddy-attest/session"
)

// A nodeMemory is what this process knows of a store and must not forget in a reload:
// the revocations that it has made, which hold here also if the store loses them, and
// what tokens have created, which a reload does not allow again.
type nodeMemory struct {
	names       []string // of the store, under any of which it is the same
	users       int
	revocations *session.Revocations
	rates       *directory.Rates // of what tokens have created of late
	levers      *authn.Levers    // that operators have pulled
	streams     *authn.Streams   // that are open
	refusals    *authn.Refusals  // of late
	traffic     *authn.Traffic   // of the last hour
	metrics     *metrics.Metrics // counted since the process began
}

// memories holds one memory for each store that a configuration uses. A store is
// the same if any of its names is: a change of timeout, password or TLS file, or of
// some of a cluster's addresses, makes another client of the same store.
type memories struct {
	mu   sync.Mutex
	list []*nodeMemory
}

// take is the memory of the store with these names.
func (m *memories) take(names []string) *nodeMemory {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := slices.IndexFunc(m.list, func(known *nodeMemory) bool { return known.is(names) })
	if i < 0 {
		i = len(m.list)
		m.list = append(m.list, &nodeMemory{
			revocations: session.NewRevocations(time.Now), rates: directory.NewRates(), levers: authn.NewLevers(), streams: authn.NewStreams(),
			refusals: authn.NewRefusals(time.Now), traffic: authn.NewTraffic(time.Now), metrics: metrics.New(),
		})
	}
	known := m.list[i]
	known.users++
	known.names = append(known.names, names...)
	return known
}

func (m *nodeMemory) is(names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return slices.Contains(m.names, name) })
}

// release gives a memory back. The last user's names and knowledge go with it.
func (m *memories) release(known *nodeMemory) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if known.users--; known.users == 0 {
		m.list = slices.DeleteFunc(m.list, func(other *nodeMemory) bool { return other == known })
	}
}
