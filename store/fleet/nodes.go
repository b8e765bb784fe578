package fleet

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/record"
)

const (
	nodePartition = "fleet"
	nodePrefix    = "node:"
	nodeTag       = "nodes"
	nodeFormat    = 1

	// NodeLife is for how long a node is listed after it was last heard of. It is to
	// tell of itself every NodeEvery.
	NodeLife  = 30 * time.Second
	NodeEvery = 10 * time.Second

	// maxNodes bounds a list.
	maxNodes = 1000
)

// A Node is one gateway on a store, as it told of itself.
type Node struct {
	// ID is short, of the alphabet of a store's names, and the same as long as the
	// process runs.
	ID string
	// Version is that of this module, Config a digest of the configuration that runs
	// since StartedAt.
	Version, Config string
	StartedAt       time.Time
	// SeenAt is when it told this, by its own clock.
	SeenAt time.Time
	// Key is the kid that it signs with.
	Key string
	// ConnectedAt is the last moment at which it heard of every change that others
	// made; zero is never.
	ConnectedAt time.Time
	// ClockSkew is how far the store's clock is ahead of its own; nil: not known.
	ClockSkew *time.Duration
	// Frozen, NotBefore and Disabled are the levers that it obeys: sign-ins are frozen,
	// what is older is revoked, profiles are disabled.
	Frozen    bool
	NotBefore time.Time
	Disabled  []string
}

// Nodes is the list of the gateways on one store. Each keeps a record that ends by
// itself. It is bookkeeping for people: nothing is decided on it.
type Nodes struct{ store store.Store }

// NewNodes makes the list of a store.
func NewNodes(s store.Store) *Nodes { return &Nodes{s} }

// nodeRecord is a Node as it is stored. Times are milliseconds since 1970, 0 for none.
type nodeRecord struct {
	Version     string         `json:"version"`
	Config      string         `json:"config"`
	StartedAt   int64          `json:"started_at"`
	SeenAt      int64          `json:"seen_at"`
	Key         string         `json:"kid"`
	ConnectedAt int64          `json:"connected_at,omitzero"`
	ClockSkew   *int64         `json:"clock_skew,omitempty"` // milliseconds
	Frozen      bool           `json:"frozen,omitempty"`
	NotBefore   int64          `json:"not_before,omitzero"`
	Disabled    []string       `json:"disabled,omitempty"`
	Unknown     map[string]any `json:",embed"`
}

// Tell writes what a node tells of itself. What its own next configuration has told
// already stays.
func (l *Nodes) Tell(ctx context.Context, n Node) error {
	value, err := record.Encode(nodeFormat, n.record())
	if err != nil {
		return fmt.Errorf("fleet: node: %w", err)
	}
	// The record ends by the store's clock.
	ends := n.SeenAt.Add(NodeLife)
	if n.ClockSkew != nil {
		ends = ends.Add(*n.ClockSkew)
	}
	return l.change(ctx, n, func(found store.Record) store.Op {
		return store.Op{Key: found.Key, Expect: found.Version, Value: value, ExpiresAt: ends, Tags: []string{nodeTag}}
	})
}

// Leave takes back what a node told of itself, unless its next configuration has told
// of itself since.
func (l *Nodes) Leave(ctx context.Context, n Node) error {
	return l.change(ctx, n, func(found store.Record) store.Op {
		return store.Op{Key: found.Key, Expect: found.Version}
	})
}

func (l *Nodes) change(ctx context.Context, n Node, op func(store.Record) store.Op) error {
	err := store.Update(ctx, func(ctx context.Context) error {
		records, err := l.store.Get(ctx, nodePartition, nodePrefix+n.ID)
		if err != nil {
			return err
		}
		if told, err := readNode(records[0]); err == nil && told.StartedAt.After(n.StartedAt) {
			return nil
		}
		o := op(records[0])
		if o.Value == nil && !records[0].Exists() {
			return nil
		}
		return l.store.Apply(ctx, nodePartition, o)
	})
	if err != nil {
		return fmt.Errorf("fleet: node: %w", err)
	}
	return nil
}

// List answers the nodes that were heard of within NodeLife, by id; at most 1,000. One
// whose record a newer release wrote is left out.
func (l *Nodes) List(ctx context.Context) ([]Node, error) {
	refs, err := l.store.List(ctx, nodeTag)
	if err != nil {
		return nil, fmt.Errorf("fleet: nodes: %w", err)
	}
	keys := keysOf(refs)
	if len(keys) == 0 {
		return nil, nil
	}
	records, err := l.store.Get(ctx, nodePartition, keys...)
	if err != nil {
		return nil, fmt.Errorf("fleet: nodes: %w", err)
	}
	var list []Node
	for _, r := range records {
		n, err := readNode(r)
		var newer *record.FormatError
		switch {
		case errors.As(err, &newer) || err == nil && n.ID == "":
		case err != nil:
			return nil, fmt.Errorf("fleet: nodes: %w", err)
		default:
			list = append(list, n)
		}
	}
	return list, nil
}

func keysOf(refs []store.Ref) []string {
	var keys []string
	for _, r := range refs {
		if r.Partition == nodePartition && strings.HasPrefix(r.Key, nodePrefix) {
			keys = append(keys, r.Key)
		}
	}
	slices.Sort(keys)
	return keys[:min(len(keys), maxNodes)]
}

func (n Node) record() nodeRecord {
	r := nodeRecord{
		Version: n.Version, Config: n.Config, StartedAt: store.Millis(n.StartedAt), SeenAt: store.Millis(n.SeenAt), Key: n.Key,
		ConnectedAt: store.Millis(n.ConnectedAt), Frozen: n.Frozen, NotBefore: store.Millis(n.NotBefore), Disabled: n.Disabled,
	}
	if n.ClockSkew != nil {
		ms := n.ClockSkew.Milliseconds()
		r.ClockSkew = &ms
	}
	return r
}

// readNode answers a Node without an ID where there is none.
func readNode(found store.Record) (Node, error) {
	if !found.Exists() {
		return Node{}, nil
	}
	var r nodeRecord
	if err := record.Decode(found.Value, nodeFormat, &r); err != nil {
		return Node{}, err
	}
	n := Node{
		ID: strings.TrimPrefix(found.Key, nodePrefix), Version: r.Version, Config: r.Config, StartedAt: store.FromMillis(r.StartedAt),
		SeenAt: store.FromMillis(r.SeenAt), Key: r.Key, ConnectedAt: store.FromMillis(r.ConnectedAt), Frozen: r.Frozen,
		NotBefore: store.FromMillis(r.NotBefore), Disabled: r.Disabled,
	}
	if r.ClockSkew != nil {
		skew := time.Duration(*r.ClockSkew) * time.Millisecond
		n.ClockSkew = &skew
	}
	return n, nil
}
