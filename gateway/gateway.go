package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/singleflight"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/rbac"
	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/session/mint"
	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/trust"
)

// Defaults of Config.
const (
	DefaultSessionDuration = 60 * time.Minute
	DefaultJWTLifetime     = 5 * time.Minute
	DefaultInjectedLife    = 60 * time.Second
	DefaultReuseFor        = 30 * time.Second
	DefaultCacheEntries    = 10_000
	DefaultCacheAge        = 5 * time.Second
	DefaultFailureLimit    = 20
)

// Config is what a Gateway is made of. Profiles, Directory, Sessions, Minter and
// Ring are required.
type Config struct {
	Profiles  *trust.Set
	Directory *directory.Directory
	Sessions  *session.Manager
	Minter    *mint.Minter
	// Ring is the minter's; it publishes the keys of the JWKS.
	Ring *mint.Ring
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
	// Compat makes the API answer in Stytch's shape (RS256, aud [project_id]).
	Compat bool
	// ConsumerOrganization is the id of the organization whose members the consumer
	// endpoints (/v1/sessions/…) call users. Default: they are not served. It has
	// no effect without Compat.
	ConsumerOrganization string
	// FailureLimit is how many calls of the session API with a wrong secret a client
	// address may make a second; further ones are 429. Calls with a good secret are
	// never held up. A negative value sets no limit. Default: 20.
	FailureLimit int

	// SessionDuration is how long a session lasts that names no duration. Default:
	// 60 minutes. Implicit sessions end with their token instead.
	SessionDuration time.Duration
	// Idle ends a session after that long without a request. Default: 0, never.
	Idle time.Duration
	// JWTLifetime is how long an API JWT is good. Default: 5 minutes.
	JWTLifetime time.Duration
	// ReuseFor is how long one injected JWT serves further requests of the same
	// session and route; a negative value mints for each. Default: 30 s.
	ReuseFor time.Duration

	Cookie Cookie
	Cache  CacheOptions

	// Routes are all routes that will be asked for. Every header that one of them
	// injects is scrubbed on all of them.
	Routes []*Route

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
	// MaxAge is how old an entry may be when it is served. Default: 5 s.
	MaxAge time.Duration
	// ServeStale is how much older it may be while the store is down. Default: 0.
	ServeStale time.Duration
}

// A Gateway decides about requests. It is safe for concurrent use. Its zero value
// is not usable; see [New].
type Gateway struct {
	Config
	cookie Cookie
	routes map[*Route]*route
	scrub  *Scrubber
	// authorization is what `attest off` leaves in that header.
	authorization authorizationRule
	cache         caches
	secrets       secrets
	// failures counts wrong secrets by client.
	failures *failures
	flights  singleflight.Group
	log      *zap.Logger
	now      func() time.Time
}

// New checks the configuration, resolves what routes name and fills in defaults.
// Every error names the route's option or the profile.
func New(c Config) (*Gateway, error) {
	if c.Profiles == nil || c.Directory == nil || c.Sessions == nil || c.Minter == nil || c.Ring == nil {
		return nil, errors.New("gateway: profiles, directory, sessions, minter and ring are required")
	}
	c = c.withDefaults()
	if err := c.Cookie.check(); err != nil {
		return nil, err
	}
	g := &Gateway{
		Config: c, cookie: c.Cookie, cache: newCaches(c.Cache, c.Now), log: c.Log, now: c.Now,
		secrets: newSecrets(c.Project), failures: newFailures(c.FailureLimit, c.Now), routes: make(map[*Route]*route, len(c.Routes)),
	}
	return g, g.addRoutes(c.Routes)
}

func (c Config) withDefaults() Config {
	c.SessionDuration = orDefault(c.SessionDuration, DefaultSessionDuration)
	c.JWTLifetime = orDefault(c.JWTLifetime, DefaultJWTLifetime)
	c.ReuseFor = orDefault(c.ReuseFor, DefaultReuseFor)
	c.Cache.Entries = orDefault(c.Cache.Entries, DefaultCacheEntries)
	c.Cache.MaxAge = orDefault(c.Cache.MaxAge, DefaultCacheAge)
	c.FailureLimit = orDefault(c.FailureLimit, DefaultFailureLimit)
	c.Cookie = c.Cookie.withDefaults()
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	if c.Now == nil {
		c.Now = time.Now
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

func (g *Gateway) addRoutes(list []*Route) error {
	headers := make([]string, 0, len(list))
	compiledRoutes := make([]*route, 0, len(list))
	for _, r := range list {
		compiled, err := g.compile(*r)
		if err != nil {
			return err
		}
		g.routes[r] = compiled
		headers = append(headers, compiled.Forward.Header)
		compiledRoutes = append(compiledRoutes, compiled)
	}
	g.scrub = NewScrubber(headers)
	g.authorization = newAuthorizationRule(compiledRoutes, g.issues)
	return nil
}

func (g *Gateway) compile(r Route) (*route, error) {
	r.Forward = r.Forward.withDefaults()
	if err := r.Forward.check(); err != nil {
		return nil, err
	}
	c := &route{Route: r, profiles: r.Profiles, audience: r.Audience, lifetime: orDefault(r.JWTLifetime, DefaultInjectedLife)}
	if r.Any {
		c.profiles = g.Profiles.Names()
	}
	if err := g.checkProfiles(c); err != nil {
		return nil, err
	}
	if err := g.checkAudience(c); err != nil {
		return nil, err
	}
	t, err := g.template(r.Template)
	if err != nil {
		return nil, err
	}
	c.template = t
	return c, nil
}

func (g *Gateway) checkProfiles(r *route) error {
	if r.Off {
		return nil
	}
	if len(r.profiles) == 0 {
		return errNoProfile
	}
	return g.Profiles.CheckRoute(r.profiles)
}

// checkAudience keeps injected JWTs and API JWTs apart: only the latter carry the
// project id, which is what makes them a credential. Under compat upstreams
// verify with Stytch's SDKs, which want the project id first.
func (g *Gateway) checkAudience(r *route) error {
	id := g.Project.ID
	switch {
	case g.Compat: // the minter puts it first
	case id != "" && slices.Contains(r.audience, id):
		return fmt.Errorf("gateway: audience: %q is the project id, which would make the injected JWT a credential", id)
	case len(r.audience) == 0:
		r.audience = []string{g.Issuer}
	}
	return nil
}

func (g *Gateway) template(name string) (*claims.Template, error) {
	if name == "" {
		return g.Templates["default"], nil
	}
	t, ok := g.Templates[name]
	if !ok {
		return nil, fmt.Errorf("gateway: template %q is not defined", name)
	}
	return t, nil
}

// Run obeys what the store tells of changes made elsewhere, until ctx ends. It is
// to run beside the gateway; where it does not, changes made by other nodes are
// seen only after Cache.MaxAge.
func (g *Gateway) Run(ctx context.Context, w store.Watcher) error {
	rotated := make(chan struct{}, 1)
	var follower sync.WaitGroup
	follower.Go(func() { g.followRing(ctx, rotated) })
	defer follower.Wait()
	return w.Watch(ctx, func(e store.Event) {
		g.cache.changed(e)
		if e.Flush || g.Ring.Concerns(e) {
			select {
			case rotated <- struct{}{}:
			default: // it is about to look anyway
			}
		}
	})
}

// followRing reads the signing ring when another node has changed it, so that a
// rotation is everywhere at once. A read that fails is made up for by the ring's
// own ticking.
func (g *Gateway) followRing(ctx context.Context, rotated <-chan struct{}) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-rotated:
		}
		if err := g.Ring.Refresh(ctx); err != nil && ctx.Err() == nil {
			g.log.Warn("the signing ring could not be read after a change", zap.Error(err))
		}
	}
}
