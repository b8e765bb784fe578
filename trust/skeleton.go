package trust

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

var errNotYet = errors.New("trust: not built yet")

type KeySource interface{ digest() [32]byte }
type Profile struct{ config Config }

func NewProfile(c Config) (*Profile, error)                                    { return nil, errNotYet }
func (p *Profile) Name() string                                                { return p.config.Name }
func (p *Profile) Config() Config                                              { return p.config }
func (p *Profile) Digest() [32]byte                                            { return [32]byte{} }
func (p *Profile) Verify(ctx context.Context, token string) (*Identity, error) { return nil, errNotYet }
func (p *Profile) Explain(ctx context.Context, token string) []Finding         { return nil }

type Set struct{}

func NewSet(profiles ...*Profile) (*Set, error)                      { return nil, errNotYet }
func (s *Set) Names() []string                                       { return nil }
func (s *Set) Profile(name string) (*Profile, bool)                  { return nil, false }
func (s *Set) CheckRoute(names []string) error                       { return errNotYet }
func (s *Set) CheckIssuer(own string) error                          { return errNotYet }
func (s *Set) Select(token string, names []string) (*Profile, error) { return nil, errNotYet }
func (s *Set) Verify(ctx context.Context, token string, names []string) (*Identity, error) {
	return nil, errNotYet
}

func PEMKeys(pems ...[]byte) (KeySource, error) { return nil, errNotYet }
func FileKeys(jwks []byte) (KeySource, error)   { return nil, errNotYet }

// Archive keeps the last good key set across a restart.
type Archive interface {
	Load(ctx context.Context, url string) (data []byte, fetchedAt time.Time, err error)
	Save(ctx context.Context, url string, data []byte, fetchedAt time.Time) error
}
type RemoteConfig struct {
	URL          string
	Client       *http.Client
	CA           []byte                 // PEM, instead of the system's
	Bearer       func() (string, error) // read anew for every fetch
	AllowPrivate bool
	StaleFor     time.Duration
	Archive      Archive
	Now          func() time.Time
	Rand         io.Reader
}
type RemoteKeys struct{}

func NewRemoteKeys(c RemoteConfig) (*RemoteKeys, error) { return nil, errNotYet }
func (k *RemoteKeys) digest() [32]byte                  { return [32]byte{} }
func (k *RemoteKeys) Run(ctx context.Context) error     { return errNotYet }
func (k *RemoteKeys) Refresh(ctx context.Context) error { return errNotYet }
func (k *RemoteKeys) Status() KeyStatus                 { return KeyStatus{} }

type KeyStatus struct {
	FetchedAt time.Time
	Err       error
	Keys      int
}
