package mint

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/attestgate/caddy-attest/internal/jose"
	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/record"
)

const (
	ringPartition = "ring"
	ringKey       = "signing"
	ringFormat    = 1
)

// Concerns tells whether an event of the store is about the ring, so that Refresh
// should be called.
func (r *Ring) Concerns(e store.Event) bool {
	return r.store != nil && (e.Flush || e.Ref == store.Ref{Partition: ringPartition, Key: ringKey})
}

// ringRecord is the ring as it is stored. Times are milliseconds since 1970, 0
// for none.
type ringRecord struct {
	Keys    []keyRecord      `json:"keys"`
	Denied  []string         `json:"denied,omitempty"`
	Wishes  map[string]int64 `json:"wishes,omitempty"`
	Unknown map[string]any   `json:",embed"`
}

type keyRecord struct {
	Algorithm string         `json:"alg"`
	Private   []byte         `json:"pkcs8"`
	State     state          `json:"state"`
	Published int64          `json:"published"`
	Activated int64          `json:"activated,omitzero"`
	Retired   int64          `json:"retired,omitzero"`
	Unknown   map[string]any `json:",embed"`
}

// load reads the ring from the store; where there is none it answers version 0.
func (r *Ring) load(ctx context.Context) (keys, error) {
	records, err := r.store.Get(ctx, ringPartition, ringKey)
	if err != nil {
		return keys{}, fmt.Errorf("mint: read ring: %w", err)
	}
	if !records[0].Exists() {
		return keys{}, nil
	}
	k, err := r.decode(records[0].Value)
	k.version = records[0].Version
	return k, err
}

// decode reads a record, or knows it already: to parse an RSA key takes
// milliseconds, and the ring is read twice a minute.
func (r *Ring) decode(value []byte) (keys, error) {
	sum := sha256.Sum256(value)
	if known := r.current.Load(); known != nil && known.keys.sum == sum {
		return known.keys, nil
	}
	var rec ringRecord
	if err := record.Decode(value, ringFormat, &rec); err != nil {
		return keys{}, fmt.Errorf("mint: ring: %w", err)
	}
	k, err := rec.keys()
	k.sum = sum
	return k, err
}

func (rec ringRecord) keys() (keys, error) {
	k := keys{denied: rec.Denied, unknown: rec.Unknown}
	for alg, at := range rec.Wishes {
		k = k.wishedAt(alg, store.FromMillis(at))
	}
	for _, each := range rec.Keys {
		decoded, err := each.key()
		if err != nil {
			return keys{}, err
		}
		k.list = append(k.list, decoded)
	}
	return k, k.check()
}

// check refuses what no release writes: a ring in which no key signs, or an
// algorithm has two keys where it may have one.
func (k keys) check() error {
	signs := false
	for i, each := range k.list {
		switch each.state {
		case active, next:
			if _, twice := (keys{list: k.list[:i]}).inState(each.public.Algorithm, each.state); twice {
				return errNoActive
			}
		case retired:
		default:
			return errNoActive
		}
		signs = signs || each.state == active
	}
	if !signs {
		return errNoActive
	}
	return nil
}

func (rec keyRecord) key() (key, error) {
	signer, err := jose.LoadSigner(rec.Algorithm, rec.Private)
	if err != nil {
		return key{}, fmt.Errorf("mint: ring: %w", err)
	}
	return key{
		signer:      signer,
		public:      signer.Key(),
		state:       rec.State,
		publishedAt: store.FromMillis(rec.Published),
		activatedAt: store.FromMillis(rec.Activated),
		retiredAt:   store.FromMillis(rec.Retired),
		unknown:     rec.Unknown,
	}, nil
}

// save writes the ring over the version it was read at, and answers it as it now
// stands.
func (r *Ring) save(ctx context.Context, k keys) (keys, error) {
	rec := ringRecord{Denied: k.denied, Unknown: k.unknown, Wishes: map[string]int64{}}
	for alg, at := range k.wishes {
		rec.Wishes[alg] = store.Millis(at)
	}
	for _, each := range k.list {
		encoded, err := each.record()
		if err != nil {
			return keys{}, err
		}
		rec.Keys = append(rec.Keys, encoded)
	}
	value, err := record.Encode(ringFormat, rec)
	if err != nil {
		return keys{}, fmt.Errorf("mint: ring: %w", err)
	}
	op := store.Op{Key: ringKey, Expect: k.version, Value: value}
	if err := r.store.Apply(ctx, ringPartition, op); err != nil {
		return keys{}, fmt.Errorf("mint: write ring: %w", err)
	}
	k.version++
	k.sum = sha256.Sum256(value)
	return k, nil
}

func (k key) record() (keyRecord, error) {
	private, err := k.signer.PKCS8()
	if err != nil {
		return keyRecord{}, fmt.Errorf("mint: ring: %w", err)
	}
	return keyRecord{
		Algorithm: k.public.Algorithm,
		Private:   private,
		State:     k.state,
		Published: store.Millis(k.publishedAt),
		Activated: store.Millis(k.activatedAt),
		Retired:   store.Millis(k.retiredAt),
		Unknown:   k.unknown,
	}, nil
}
