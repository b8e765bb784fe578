package directory

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/attestgate/caddy-attest/internal/flight"
	"github.com/attestgate/caddy-attest/store"
)

// minIndexKey is the least number of bytes of Config.IndexKey.
const minIndexKey = 32

// Config is what a Directory stands on.
type Config struct {
	// Store keeps the records. Required. Give it a sealed one: records hold names
	// and addresses.
	Store store.Store
	// IndexKey is the key under which external ids and addresses become names of
	// records: at least 32 bytes, and the same for as long as the store lives
	// (see [store.Key]). Required.
	IndexKey []byte
	// Organizations are the operator's. ID is required, Configured is set by New,
	// Name and Slug default to ID; Name, Slug, ExternalID, Profiles and
	// TrustedMetadata are used, the rest is not.
	Organizations []Organization
	// Rates is what profiles have created of late, to be kept across a reload.
	// Default: NewRates().
	Rates *Rates
	// Now is the clock. Default: time.Now.
	Now func() time.Time
	// Rand makes ids. Default: crypto/rand.Reader.
	Rand io.Reader
}

// Directory knows organizations and members. All methods are safe for concurrent
// use.
type Directory struct {
	store      store.Store
	configured configured
	names      namer
	now        func() time.Time
	random     io.Reader
	rates      *Rates
	flights    flight.Group[string, struct{}]
}

// New makes a Directory. A mistake in a configured organization is a *ConfigError.
func New(c Config) (*Directory, error) {
	if c.Store == nil {
		return nil, errors.New("directory: no store")
	}
	if len(c.IndexKey) < minIndexKey {
		return nil, fmt.Errorf("directory: index key of %d bytes, at least %d are needed", len(c.IndexKey), minIndexKey)
	}
	operators, err := newConfigured(c.Organizations)
	if err != nil {
		return nil, err
	}
	d := &Directory{
		store:      c.Store,
		configured: operators,
		names:      newNamer(c.IndexKey),
		now:        c.Now,
		random:     c.Rand,
		rates:      c.Rates,
	}
	if d.rates == nil {
		d.rates = NewRates()
	}
	if d.now == nil {
		d.now = time.Now
	}
	if d.random == nil {
		d.random = rand.Reader
	}
	return d, nil
}

// time is now, as it is stored.
func (d *Directory) time() time.Time { return d.now().UTC().Round(0) }
