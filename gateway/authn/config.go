package authn

import (
	"errors"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/internal/flight"
	"github.com/attestgate/caddy-attest/rbac"
	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/session/mint"
	"github.com/attestgate/caddy-attest/store/fleet"
	"github.com/attestgate/caddy-attest/trust"
)

// Defaults of Config.
const (
	DefaultSessionDuration  = 60 * time.Minute
	DefaultJWTLifetime      = 5 * time.Minute
	DefaultInjectedLifetime = 60 * time.Second
	DefaultReuseFor         = 30 * time.Second
	DefaultCacheEntries     = 10_000
	DefaultCacheAge         = 5 * time.Second
	DefaultFailureLimit     = 20
)

// Config is what an Authenticator is made of. Profiles, Directory, Sessions, Minter
// and Ring are required.
type Config struct {
	Profiles  *trust.Set
	Directory *directory.Directory
	Sessions  *session.Manager
	Minter    *mint.Minter
	// Ring is the minter's; it publishes the keys of the JWKS.
	Ring *mint.Ring
	// Fleet is what the gateways of a fleet share besides the ring; Run has it compared
	// with the store when that may have lost it. Default: nothing.
	Fleet SharedState
	// Policy is what roles allow. Default: nothing.
	Policy *rbac.Policy

	// Templates are the claim templates by name; "default" applies where a route or
	// an API JWT names none.
	Templates map[string]*claims.Template

	// Issuer is the iss of our JWTs, and the aud of an injected one whose route
	// names no audience.
	Issuer string
	// Project is who may call the session API. Without one it serves keys only.
	Project Project
	// Compat makes JWTs and answers follow Stytch's shape (RS256, aud [project_id]).
	Compat bool
	// FailureLimit is how many calls of the session API with a wrong secret a client
	// address may make a second; further ones are 429. Calls with a good secret are
	// never held up. A negative value sets no limit. Default: 20.
	FailureLimit int

	// SessionDuration is how long a session lasts that names no duration. Default:
	// 60 minutes, or the longest that a session may last if that is less. Implicit
	// sessions end with their token instead.
	SessionDuration time.Duration
	// Idle ends a session after that long without a request. Default: 0, never.
	Idle time.Duration
	// JWTLifetime is how long an API JWT is good. Default: 5 minutes.
	JWTLifetime time.Duration
	// ReuseFor is how long one injected JWT serves further requests of the same
	// session and route; a negative value mints for each. Default: 30 s.
	ReuseFor time.Duration

	Cache CacheOptions

	// Levers are what this process knows of what operators have frozen, disabled and
	// revoked; shared by configurations that follow one another. Default: a new one.
	Levers *Levers

	// Streams are the open connections; shared likewise. Default: a new one.
	Streams *Streams

	// Observers are told what is decided and changed. Default: none.
	Observers Observers
	// Refusals remember refused requests; shared by configurations that follow one
	// another. Default: a new one.
	Refusals *Refusals
	// Traffic counts the requests of the last hour; shared likewise. Default: a new one.
	Traffic *Traffic
	// Node says which gateway of its fleet this is: ID, with which the ids
	// of refused proxied requests begin, Version, Config and StartedAt. The rest is filled in. Default: no name.
	Node fleet.Node
	// Nodes is where the gateways on one store tell of themselves. Default: this one is
	// alone.
	Nodes *fleet.Nodes

	// Log receives refusals at Info with their precise reason, and faults at Error.
	// Default: nothing is logged.
	Log *zap.Logger
	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// CacheOptions bound the local cache of decoded sessions, members and JWTs.
type CacheOptions struct {
	// Entries per kind; a negative value turns the cache off. Default: 10,000.
	Entries int
	// MaxAge is for how long an entry is served after its last good moment: when it was
	// read, or the last moment at which the watch of the store was connected. Default:
	// 5 s.
	MaxAge time.Duration
	// ServeStale is for how long after its last good moment an entry is served while
	// the store fails. Default: 0.
	ServeStale time.Duration
}

// An Authenticator decides on what was presented. It is safe for concurrent use.
// Its zero value is not usable; see [New].
type Authenticator struct {
	Config
	cache    caches
	watch    connection
	skew     atomic.Pointer[time.Duration] // how far the store's clock is ahead
	secrets  secrets
	failures *failures
	starts   flight.Group[startKey, LiveSession]
	ping     ping
	calls    calls
}

// New checks the configuration and fills in defaults.
func New(c Config) (*Authenticator, error) {
	if c.Profiles == nil || c.Directory == nil || c.Sessions == nil || c.Minter == nil || c.Ring == nil {
		return nil, errors.New("authn: profiles, directory, sessions, minter and ring are required")
	}
	if err := c.Check(c.Sessions.MaxDuration()); err != nil {
		return nil, err
	}
	c = c.withDefaults()
	a := &Authenticator{Config: c, secrets: newSecrets(c.Project), failures: newFailures(c.FailureLimit, c.Now)}
	a.ping.flights.Timeout = pingTimeout
	a.cache = newCaches(c.Cache, a.watch.last, c.Now)
	return a, nil
}

func (c Config) withDefaults() Config {
	c.SessionDuration = orDefault(c.SessionDuration, min(DefaultSessionDuration, c.Sessions.MaxDuration()))
	c.JWTLifetime = orDefault(c.JWTLifetime, DefaultJWTLifetime)
	c.ReuseFor = orDefault(c.ReuseFor, DefaultReuseFor)
	c.Cache.Entries = orDefault(c.Cache.Entries, DefaultCacheEntries)
	c.Cache.MaxAge = orDefault(c.Cache.MaxAge, DefaultCacheAge)
	c.FailureLimit = orDefault(c.FailureLimit, DefaultFailureLimit)
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Traffic == nil {
		c.Traffic = NewTraffic(c.Now)
	}
	if c.Refusals == nil {
		c.Refusals = NewRefusals(c.Now)
	}
	if c.Levers == nil {
		c.Levers = NewLevers()
	}
	if c.Streams == nil {
		c.Streams = NewStreams()
	}
	return c
}

func orDefault[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}
