package redistest

import (
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// A Cluster is servers that share the slots among them.
type Cluster struct {
	Servers []*Server

	t testing.TB
}

// StartCluster makes a Cluster of so many masters with so many replicas each.
func StartCluster(t testing.TB, masters, replicas int, args ...string) *Cluster {
	t.Helper()
	c := &Cluster{t: t}
	for range masters * (1 + replicas) {
		c.Servers = append(c.Servers, Start(t, append([]string{
			"--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-require-full-coverage", "no",
		}, args...)...))
	}
	create := []string{"--cluster", "create"}
	create = append(create, c.Addresses()...)
	create = append(create, "--cluster-replicas", strconv.Itoa(replicas), "--cluster-yes")
	if out, err := exec.Command("redis-cli", create...).CombinedOutput(); err != nil {
		t.Fatalf("redistest: redis-cli --cluster create: %v: %s", err, out)
	}
	for _, s := range c.Servers {
		await(t, "cluster_state of "+s.Addr, func() bool { return c.whole(s) })
	}
	return c
}

// whole reports whether a server sees all slots served and all others.
func (c *Cluster) whole(s *Server) bool {
	info := s.CLI("cluster", "info")
	known := fmt.Sprintf("cluster_known_nodes:%d", len(c.Servers))
	return strings.Contains(info, "cluster_state:ok") && strings.Contains(info, known) &&
		strings.Contains(info, "cluster_slots_assigned:16384")
}

// Addresses are those of all servers.
func (c *Cluster) Addresses() []string {
	addresses := make([]string, len(c.Servers))
	for i, s := range c.Servers {
		addresses[i] = s.Addr
	}
	return addresses
}

// Owner is the master that serves the slot of a key.
func (c *Cluster) Owner(key string) *Server {
	c.t.Helper()
	slot, err := strconv.Atoi(c.Servers[0].CLI("cluster", "keyslot", key))
	if err != nil {
		c.t.Fatal(err)
	}
	for _, s := range c.Servers {
		if s.serves(slot) {
			return s
		}
	}
	c.t.Fatalf("redistest: slot %d has no owner", slot)
	return nil
}

// serves reads the line of CLUSTER NODES that a server has of itself.
func (s *Server) serves(slot int) bool {
	nodes, err := s.TryCLI("cluster", "nodes")
	if err != nil {
		return false
	}
	for line := range strings.Lines(nodes) {
		fields := strings.Fields(line)
		if len(fields) < 8 || !strings.Contains(fields[2], "myself,master") {
			continue
		}
		for _, span := range fields[8:] {
			first, last, ok := strings.Cut(span, "-")
			if !ok {
				last = first
			}
			from, err1 := strconv.Atoi(first)
			to, err2 := strconv.Atoi(last)
			if err1 == nil && err2 == nil && from <= slot && slot <= to {
				return true
			}
		}
	}
	return false
}

// ID is the name that the server has in its Cluster.
func (s *Server) ID() string {
	s.t.Helper()
	return s.CLI("cluster", "myid")
}

// Migrate moves the slot of a key, and all keys in it, from the server that owns
// it to another, step by step: the pauses are called between the steps, while
// the slot stands with one foot in each.
func (c *Cluster) Migrate(key string, to *Server, pause func()) {
	c.t.Helper()
	from := c.Owner(key)
	slot := from.CLI("cluster", "keyslot", key)
	to.CLI("cluster", "setslot", slot, "importing", from.ID())
	from.CLI("cluster", "setslot", slot, "migrating", to.ID())
	pause()
	for {
		keys := strings.Fields(from.CLI("cluster", "getkeysinslot", slot, "1"))
		if len(keys) == 0 {
			break
		}
		from.CLI("migrate", "127.0.0.1", strconv.Itoa(to.port), keys[0], "0", "5000")
		pause()
	}
	for _, s := range append([]*Server{to, from}, c.others(to, from)...) {
		s.CLI("cluster", "setslot", slot, "node", to.ID())
	}
}

// others are the masters besides these two.
func (c *Cluster) others(a, b *Server) (list []*Server) {
	for _, s := range c.Servers {
		if s != a && s != b && strings.Contains(s.CLI("role"), "master") {
			list = append(list, s)
		}
	}
	return list
}
