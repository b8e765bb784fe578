package mint

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/attestgate/caddy-attest/internal/jose"
	"github.com/attestgate/caddy-attest/store"
)

const (
	// DefaultRotateEvery is how long a key signs where the configuration does not
	// say.
	DefaultRotateEvery = 90 * 24 * time.Hour
	// DefaultMaxLifetime is the longest that a JWT may live where the configuration
	// does not say.
	DefaultMaxLifetime = time.Hour
	// PublishAhead is how long a key is published before it signs: twice the max-age
	// inState the JWKS.
	PublishAhead = 10 * time.Minute
	// retainExtra is how long a key is published after the last JWT it signed died.
	retainExtra = time.Hour
)

// RingConfig says where signing keys come from.
type RingConfig struct {
	// Store keeps the ring. It must be sealed unless it is this process's own memory:
	// the record holds private keys. Required unless there are Files.
	Store store.Store
	// Algorithm is what this node signs with: ES256, RS256 or EdDSA. The ring has one
	// active key per algorithm that a node of the fleet wishes for; the first of an
	// algorithm signs at once, and one that no node wished for in 24 hours is retired.
	// Default: ES256.
	Algorithm string
	// RotateEvery is how long a key signs. Default: 90 days.
	RotateEvery time.Duration
	// MaxLifetime is the longest that any JWT signed with the ring may live, the same
	// on all nodes: for so long are retired keys needed. Default: 1 hour.
	MaxLifetime time.Duration
	// Files are PEM texts to use instead of the store: the first holds the private
	// key that signs, the others hold private or public keys that are published too.
	Files [][]byte
	// Now tells the time. Default: time.Now.
	Now func() time.Time
	// Rand is where keys come from. Default: crypto/rand.
	Rand io.Reader
}

// Ring holds the keys that session JWTs are signed and verified with. It is safe
// for concurrent use; signing and JWKS never wait for the store.
type Ring struct {
	store       store.Store // nil: keys from files
	algorithm   string
	rotateEvery time.Duration
	maxLifetime time.Duration
	now         func() time.Time
	random      io.Reader

	turn    chan struct{} // held while the ring is read from the store or changed
	current atomic.Pointer[snapshot]
	health  atomic.Pointer[health]
	unknown lookups
}

// OpenRing loads the ring of the store, or makes it. Nodes that open it first at
// the same moment end with the same one. With Files it is made of these and the
// store is not touched.
func OpenRing(ctx context.Context, c RingConfig) (*Ring, error) {
	r, err := newRing(c)
	if err != nil {
		return nil, err
	}
	if len(c.Files) > 0 {
		return r, r.openFiles(c)
	}
	if err := r.change(ctx, r.maintained); err != nil {
		return nil, err
	}
	return r, nil
}

func newRing(c RingConfig) (*Ring, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	c.setDefaults()
	if c.Store == nil && len(c.Files) == 0 {
		return nil, errors.New("mint: no store")
	}
	return &Ring{
		store:       c.Store,
		algorithm:   c.Algorithm,
		rotateEvery: c.RotateEvery,
		maxLifetime: c.MaxLifetime,
		now:         c.Now,
		random:      c.Rand,
		turn:        make(chan struct{}, 1),
	}, nil
}

func (c *RingConfig) setDefaults() {
	if c.Algorithm == "" {
		c.Algorithm = jose.ES256
	}
	if c.RotateEvery == 0 {
		c.RotateEvery = DefaultRotateEvery
	}
	if c.MaxLifetime == 0 {
		c.MaxLifetime = DefaultMaxLifetime
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
}

// JWKS is the public key set as upstreams fetch it: ready bytes, not to be
// changed. They may be cached for half of PublishAhead.
func (r *Ring) JWKS() []byte { return r.current.Load().jwks }

// ActiveID is the kid of the key that this node signs with now. It changes with every rotation,
// so that whatever was concluded under another one can be told to be older.
func (r *Ring) ActiveID() string { return r.current.Load().active.Key().ID }

// Published is the digest of JWKS. It changes with every key that comes or goes, so
// that what was concluded with other keys can be told to be older.
func (r *Ring) Published() [sha256.Size]byte { return r.current.Load().digest }

// MaxLifetime is the longest that a JWT signed with the ring may live.
func (r *Ring) MaxLifetime() time.Duration { return r.maxLifetime }

// sign makes a JWT with the active key.
func (r *Ring) sign(kind string, payload []byte) (text, keyID string, err error) {
	signer := r.current.Load().active
	text, err = signer.SignAs(kind, payload)
	return text, signer.Key().ID, err
}

// snapshot is the ring as one node knows it at one moment. It never changes.
type snapshot struct {
	keys   keys
	active *jose.Signer        // of this node's algorithm
	public map[string]jose.Key // by kid: what Verify takes
	jwks   []byte
	digest [sha256.Size]byte // of jwks
}

func newSnapshot(k keys, alg string) (*snapshot, error) {
	s := &snapshot{keys: k, public: make(map[string]jose.Key, len(k.list))}
	published := make([]jose.Key, 0, len(k.list))
	for _, each := range k.list {
		published = append(published, each.public)
		s.public[each.public.ID] = each.public
		if each.state == active && each.public.Algorithm == alg {
			s.active = each.signer
		}
	}
	if s.active == nil {
		return nil, errNoActive
	}
	var err error
	if s.jwks, err = jose.MarshalKeySet(published); err != nil {
		return nil, fmt.Errorf("mint: %w", err)
	}
	s.digest = sha256.Sum256(s.jwks)
	return s, nil
}
