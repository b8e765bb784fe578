package authn

import (
	"context"
	"time"
)

// An Action is a kind of change.
type Action string

// The actions that an Observer is told of.
const (
	SessionStarted      Action = "session_started"
	SessionChanged      Action = "session_changed"
	SessionExchanged    Action = "session_exchanged"
	SessionRevoked      Action = "session_revoked"
	FactorAdded         Action = "factor_added"
	MemberCreated       Action = "member_created"
	MemberChanged       Action = "member_changed"
	MemberDeleted       Action = "member_deleted"
	MemberRevoked       Action = "member_revoked"
	OrganizationCreated Action = "organization_created"
	OrganizationChanged Action = "organization_changed"
	OrganizationDeleted Action = "organization_deleted"
	OrganizationRevoked Action = "organization_revoked"
	ProfileRevoked      Action = "profile_revoked"
	ProfileDisabled     Action = "profile_disabled"
	ProfileEnabled      Action = "profile_enabled"
	KeysRotated         Action = "keys_rotated"
	UpstreamProbed      Action = "upstream_probed"
)

// Actions are all of them.
func Actions() []Action {
	return []Action{
		SessionStarted, SessionChanged, SessionExchanged, SessionRevoked, FactorAdded,
		MemberCreated, MemberChanged, MemberDeleted, MemberRevoked,
		OrganizationCreated, OrganizationChanged, OrganizationDeleted, OrganizationRevoked,
		ProfileRevoked, ProfileDisabled, ProfileEnabled, KeysRotated, UpstreamProbed,
	}
}

// An Event is a change that has been made. It holds ids and names, never a credential.
type Event struct {
	Action Action
	// Profile is whose token led to it, or whom it is about. AllProfiles of package
	// directory are all of them.
	Profile                             string
	OrganizationID, MemberID, SessionID string
	// Implicit tells that the session is that of a proxied token.
	Implicit bool
	// KeyID is the kid that signs now.
	KeyID string
	// Failed tells that the store did not take it: it holds on this gateway.
	Failed bool
	Actor  Actor
}

// An Actor is who asked for a change, as the door knows it.
type Actor struct {
	// Door is proxy, api or admin; empty: the gateway itself.
	Door string
	// Address is the client's, RequestID the id of the answer where it has one.
	Address, RequestID string
}

type actorKey struct{}

// WithActor makes what is changed under the context be told with its actor.
func WithActor(ctx context.Context, actor Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, actor)
}

// A Decided request is one that was admitted or refused at a door.
type Decided struct {
	// Door is proxy or api.
	Door string
	// Profile by which it was admitted, or that refused it; may be empty.
	Profile string
	// Code and Reason are those of the refusal; empty: it was admitted, or served.
	Code, Reason string
	// Anonymous tells that it was let through without identity.
	Anonymous bool
	// Observed tells that nothing of it took effect: the route only observes.
	Observed bool
}

// An Observer is told what the gateway decides and changes. It must be quick, and safe
// for concurrent use.
type Observer interface {
	// Decided is called for every request.
	Decided(Decided)
	// Changed is called after each change.
	Changed(context.Context, Event)
	// Minted is called for every JWT: for an upstream, or for an API caller; reused
	// tells that it was minted before.
	Minted(api, reused bool)
	// Stored is called for every call of the store.
	Stored(operation string, took time.Duration, err error)
}

// Observers tell several.
type Observers []Observer

// Decided implements Observer.
func (o Observers) Decided(d Decided) {
	for _, each := range o {
		each.Decided(d)
	}
}

// Changed implements Observer.
func (o Observers) Changed(ctx context.Context, e Event) {
	for _, each := range o {
		each.Changed(ctx, e)
	}
}

// Minted implements Observer.
func (o Observers) Minted(api, reused bool) {
	for _, each := range o {
		each.Minted(api, reused)
	}
}

// Stored implements Observer.
func (o Observers) Stored(operation string, took time.Duration, err error) {
	for _, each := range o {
		each.Stored(operation, took, err)
	}
}

// Tell tells the observers of a change.
func (a *Authenticator) Tell(ctx context.Context, e Event) {
	e.Actor, _ = ctx.Value(actorKey{}).(Actor)
	a.Observers.Changed(ctx, e)
	a.Streams.told(e)
}

// tellOf is Tell about a session.
func (a *Authenticator) tellOf(ctx context.Context, action Action, profile string, live LiveSession) {
	s := live.Session
	a.Tell(ctx, Event{
		Action: action, Profile: profile, OrganizationID: s.OrganizationID, MemberID: s.MemberID, SessionID: s.ID, Implicit: s.Implicit,
	})
}
