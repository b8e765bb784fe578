package caddymodule

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/gateway"
	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/web"
	"github.com/attestgate/caddy-attest/rbac"
	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/session/mint"
	"github.com/attestgate/caddy-attest/store/fleet"
)

// assemble joins the packages over an open, sealed store.
func (a *App) assemble(ctx context.Context, b fleet.Backend, t trusted) (*gateway.Gateway, *mint.Ring, error) {
	s := fleet.New(&authn.ObservedStore{Store: b, Watcher: b, Observers: a.observers(), Log: a.logger})
	if !isLocal(a.backend) {
		s.Founding = fleet.DefaultFounding
	}
	people, err := a.directory(ctx, s, a.lease.memory.rates)
	if err != nil {
		return nil, nil, err
	}
	sessions, err := a.sessions(ctx, s)
	if err != nil {
		return nil, nil, err
	}
	keys := a.ring
	keys.Store, keys.MaxLifetime = s, a.longestJWT()
	ring, err := mint.OpenRing(ctx, keys)
	if err != nil {
		return nil, nil, err
	}
	minter, err := mint.New(mint.Config{Ring: ring, Issuer: a.issuer(), ProjectID: a.projectID(), Compat: a.Compat != nil})
	if err != nil {
		return nil, nil, err
	}
	c := a.gatewayConfig()
	core := &c.Core
	if core.Policy, err = a.policy(); err != nil {
		return nil, nil, err
	}
	core.Profiles, core.Directory, core.Sessions, core.Minter, core.Ring = t.set, people, sessions, minter, ring
	core.Fleet, core.Levers, core.Refusals = s, a.lease.memory.levers, a.lease.memory.refusals
	core.Streams = a.lease.memory.streams
	core.Traffic = a.lease.memory.traffic
	core.Node = fleet.Node{ID: nodeID(), Version: moduleVersion(), Config: a.digest, StartedAt: a.loadedAt}
	if !isLocal(a.backend) {
		core.Nodes = fleet.NewNodes(s)
	}
	core.Observers, c.ClientIP = a.observers(), clientIP
	core.Templates, core.Log, c.Routes = a.templates, a.logger, a.routes
	c.ConsumerOrganization = people.ConfiguredID(c.ConsumerOrganization)
	g, err := gateway.New(c)
	return g, ring, err
}

func (a *App) directory(ctx context.Context, s *fleet.Store, rates *directory.Rates) (*directory.Directory, error) {
	key, err := s.Key(ctx, "index", rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("attest: index key: %w", err)
	}
	organizations, err := a.organizations()
	if err != nil {
		return nil, err
	}
	people, err := directory.New(directory.Config{Store: s, IndexKey: key, Organizations: organizations, Rates: rates})
	if err != nil {
		return nil, err
	}
	return people, a.adopt(ctx, people)
}

// adopt lets configured organizations be those that tokens have already created,
// and says what became of it.
func (a *App) adopt(ctx context.Context, people *directory.Directory) error {
	adoptions, err := people.Adopt(ctx)
	for _, o := range adoptions {
		fields := []zap.Field{
			zap.String("configured", o.ConfiguredID), zap.String("organization_id", o.OrganizationID), zap.String("created_by", o.Profile),
		}
		switch o.Refused {
		case "":
			a.logger.Info("a configured organization has adopted the one that a profile had created under its external id", fields...)
		case directory.AdoptionBothHaveMembers:
			a.logger.Error("two organizations have one external id and members each: delete the members of one, or change the external_id of the configured one",
				fields...)
		default:
			a.logger.Warn("a configured organization does not adopt the one that bears its external id",
				append(fields, zap.String("reason", o.Refused))...)
		}
	}
	return err
}

// policy is what the configured roles allow.
func (a *App) policy() (*rbac.Policy, error) {
	var resources []rbac.Resource
	for id, r := range sorted(a.Resources) {
		resources = append(resources, rbac.Resource{ID: id, Actions: r.Actions})
	}
	var roles []rbac.Role
	for id, r := range sorted(a.Roles) {
		role := rbac.Role{ID: id}
		for _, p := range r.Permissions {
			role.Permissions = append(role.Permissions, rbac.Permission{Resource: p.Resource, Actions: p.Actions})
		}
		roles = append(roles, role)
	}
	return rbac.NewPolicy(resources, roles)
}

func (a *App) organizations() ([]directory.Organization, error) {
	list := make([]directory.Organization, 0, len(a.Organizations))
	for id, o := range sorted(a.Organizations) {
		known, err := o.known(id)
		if err != nil {
			return nil, fmt.Errorf("attest: organization %s: metadata: %w", id, err)
		}
		list = append(list, known)
	}
	return list, nil
}

func (a *App) sessions(ctx context.Context, s *fleet.Store) (*session.Manager, error) {
	key, err := s.Key(ctx, "id", rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("attest: id key: %w", err)
	}
	c := a.sessionConfig()
	c.Store, c.IDKey, c.Revocations = s, key, a.lease.memory.revocations
	return session.NewManager(c)
}

// sessionConfig is what the configuration says of how many sessions there are and
// how long they last. Stytch has no cap, and lets a session last for 366 days.
func (a *App) sessionConfig() (c session.Config) {
	if a.Compat != nil {
		c.MaxDuration, c.PerMember = session.CompatMaxDuration, -1
	}
	if s := a.Session; s != nil {
		c.MaxDuration, c.PerMember = or(time.Duration(s.MaxDuration), c.MaxDuration), or(s.PerMember, c.PerMember)
	}
	return c
}

// longestJWT is the longest that any JWT of this configuration lives: for so long
// are retired keys needed. It is never less than the ring's own default.
func (a *App) longestJWT() time.Duration {
	longest := mint.DefaultMaxLifetime
	if a.Session != nil {
		longest = max(longest, time.Duration(a.Session.JWTLifetime))
	}
	for _, r := range a.routes {
		longest = max(longest, r.JWTLifetime)
	}
	return longest
}

// readRing is ringConfig with the key files, checked.
func (a *App) readRing() (c mint.RingConfig, err error) {
	c = a.ringConfig()
	if a.Keys != nil {
		if c.Files, err = readFiles(a.Keys.Files); err != nil {
			return c, fmt.Errorf("attest: keys: %w", err)
		}
	}
	return c, c.Check()
}

// ringConfig is what the configuration says of the signing keys, but for their files.
func (a *App) ringConfig() (c mint.RingConfig) {
	if a.Compat != nil {
		c.Algorithm = "RS256"
	}
	if k := a.Keys; k != nil {
		c.RotateEvery, c.Algorithm = time.Duration(k.RotateEvery), or(k.Algorithm, c.Algorithm)
	}
	return c
}

// gatewayConfig is what the configuration says of the gateway itself.
func (a *App) gatewayConfig() gateway.Config {
	c := gateway.Config{Core: authn.Config{Issuer: a.issuer(), Project: a.project(), Cache: a.cacheOptions()}}
	core := &c.Core
	if a.Compat != nil {
		core.Compat, c.ConsumerOrganization = true, a.Compat.ConsumerOrganization
	}
	if s := a.Session; s != nil {
		core.SessionDuration, core.Idle, core.JWTLifetime = time.Duration(s.Duration), time.Duration(s.Idle), time.Duration(s.JWTLifetime)
		core.ReuseFor = orNone(s.ReuseFor)
		if k := s.Cookie; k != nil {
			c.Cookie = web.Cookie{Name: k.Name, Domain: k.Domain, SameSite: k.SameSite, TrustedOrigins: k.TrustedOrigins}
			c.Logout = k.logout()
		}
	}
	return c
}

func (a *App) cacheOptions() authn.CacheOptions {
	var c authn.CacheOptions
	if l := a.LocalCache; l != nil {
		c.Entries, c.MaxAge = l.Entries, time.Duration(l.MaxAge)
		if l.Off {
			c.Entries = -1
		}
	}
	if o := a.OnStoreOutage; o != nil {
		c.ServeStale = time.Duration(o.ServeCached)
	}
	return c
}

func (a *App) projectID() string {
	if a.Project == nil {
		return ""
	}
	return a.Project.ID
}

func (a *App) project() authn.Project {
	p := authn.Project{ID: a.projectID()}
	if a.Project != nil {
		for _, s := range a.Project.Secrets {
			p.Secrets = append(p.Secrets, authn.Secret{Value: s.Secret, Scopes: s.Scopes})
		}
	}
	return p
}

// claimPolicy says which claims callers and templates may not use.
func (a *App) claimPolicy() claims.Policy { return claims.Policy{Compat: a.Compat != nil} }
