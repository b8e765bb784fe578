package session

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/internal/flight"
	"github.com/attestgate/caddy-attest/store"
)

// DefaultMaxDuration is the longest that an ordinary session lasts where the
// configuration names no bound.
const DefaultMaxDuration = 30 * 24 * time.Hour

// CompatMaxDuration is the longest that Stytch's API lets a session last.
const CompatMaxDuration = 366 * 24 * time.Hour

// minIDKey is the least length of Config.IDKey: that of an HMAC-SHA256 key.
const minIDKey = 32

// Config says how a Manager works.
type Config struct {
	// Store keeps the sessions. It must be sealed unless it is this process's own
	// memory: records hold the secrets of session tokens. Required.
	Store store.Store
	// IDKey makes the ids of implicit sessions and the names of listings: at least
	// 32 bytes, the same on every node and for ever (see store.Key). Required.
	IDKey []byte
	// MaxDuration is the longest that an ordinary session lasts from its start.
	// Default: 30 days.
	MaxDuration time.Duration
	// PerMember is how many ordinary sessions a member has at most: see Trim. A
	// negative value sets no limit. Default: 200.
	PerMember int
	// Revocations are those this node knows of. Share one between all Managers of a
	// process, also across reloads. Default: new ones.
	Revocations *Revocations
	// Now tells the time. Default: time.Now.
	Now func() time.Time
	// Rand is where ids and secrets come from. Default: crypto/rand.
	Rand io.Reader
}

// Manager makes, finds, changes and ends sessions. It is safe for concurrent use.
type Manager struct {
	store       store.Store
	idKey       []byte
	maxDuration time.Duration
	perMember   int
	revocations *Revocations
	now         func() time.Time
	random      io.Reader
	flights     flight.Group[string, Session]
	accesses    accesses
	turns       turns
}

// NewManager makes a Manager. It does not touch the store.
func NewManager(c Config) (*Manager, error) {
	switch {
	case c.Store == nil:
		return nil, errors.New("session: no store")
	case len(c.IDKey) < minIDKey:
		return nil, fmt.Errorf("session: id key of %d bytes, want at least %d", len(c.IDKey), minIDKey)
	}
	if err := c.Check(); err != nil {
		return nil, err
	}
	c.setDefaults()
	return &Manager{
		store:       c.Store,
		idKey:       c.IDKey,
		maxDuration: c.MaxDuration,
		perMember:   c.PerMember,
		revocations: c.Revocations,
		now:         c.Now,
		random:      c.Rand,
		flights:     flight.Group[string, Session]{Timeout: flightTimeout},
	}, nil
}

// flightTimeout bounds one shared look at the store. The store's own timeouts are
// far shorter; this is for one that has none.
const flightTimeout = 5 * time.Second

func (c *Config) setDefaults() {
	if c.MaxDuration == 0 {
		c.MaxDuration = DefaultMaxDuration
	}
	if c.PerMember == 0 {
		c.PerMember = DefaultPerMember
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Revocations == nil {
		c.Revocations = NewRevocations(c.Now)
	}
}

// MaxDuration is the longest that an ordinary session lasts from its start.
func (m *Manager) MaxDuration() time.Duration { return m.maxDuration }

// Start is what a new ordinary session begins with.
type Start struct {
	OrganizationID, MemberID string
	// Duration is how long the session lasts, above zero and at most MaxDuration; it
	// is cut to what SignedInAt leaves of that.
	Duration time.Duration
	// SignedInAt is the first sign-in of a session that goes on from another: nobody
	// has proved anything anew. Default: now.
	SignedInAt time.Time
	// Idle is how long it may go unused. Default: as long as it lasts.
	Idle time.Duration
	// Factor is the proof it rests on.
	Factor Factor
	// Copied are further factors that come from another session of the same person.
	// Their times are kept.
	Copied []Factor
	// Overlay is what the caller changed about the claims; it has been checked.
	Overlay claims.Overlay
}

// Start makes an ordinary session with a new id and a new token; nothing that a
// client sent ever becomes either. A Duration out of bounds is ErrDuration.
func (m *Manager) Start(ctx context.Context, start Start) (Session, error) {
	s, err := m.newSession(start, m.now())
	if err != nil {
		return Session{}, err
	}
	if s.ID, err = newID(m.random); err != nil {
		return Session{}, err
	}
	current, err := newSecret(m.random)
	if err != nil {
		return Session{}, err
	}
	s.secrets = &secrets{current: current}
	return m.write(ctx, s)
}

// newSession is the session that start describes, without id and secret.
func (m *Manager) newSession(start Start, now time.Time) (Session, error) {
	if start.OrganizationID == "" || start.MemberID == "" {
		return Session{}, errNoMember
	}
	if err := checkDuration(start.Duration, m.maxDuration); err != nil {
		return Session{}, err
	}
	if start.Idle < 0 {
		return Session{}, fmt.Errorf("%w: idle %s is negative", ErrDuration, start.Idle)
	}
	if len(start.Copied) >= MaxFactors {
		return Session{}, fmt.Errorf("%w: %d", ErrFactors, len(start.Copied)+1)
	}
	signedIn := millis(now)
	if !start.SignedInAt.IsZero() {
		signedIn = millis(earlierOf(start.SignedInAt, now))
	}
	end := earlierOf(now.Add(start.Duration), signedIn.Add(m.maxDuration))
	if !end.After(now) {
		return Session{}, fmt.Errorf("%w: the first sign-in is longer ago than %s", ErrDuration, m.maxDuration)
	}
	return Session{
		OrganizationID: start.OrganizationID,
		MemberID:       start.MemberID,
		SignedInAt:     signedIn,
		StartedAt:      millis(now),
		LastAccessedAt: millis(now),
		ExpiresAt:      millis(end),
		Idle:           start.Idle.Truncate(time.Millisecond),
		Factors:        append([]Factor{start.Factor.receivedAt(now)}, start.Copied...),
		Overlay:        start.Overlay,
	}, nil
}

// ByID finds a live session by its id. An id proves nothing: see ByToken.
func (m *Manager) ByID(ctx context.Context, id string) (Session, error) {
	s, err := m.read(ctx, id)
	if err != nil {
		return Session{}, err
	}
	if err := m.checkStored(ctx, s); err != nil {
		return Session{}, err
	}
	return s, nil
}

// ByToken finds a live session by its token. A wrong secret is ErrNotFound, like
// a session that does not exist.
func (m *Manager) ByToken(ctx context.Context, t Token) (Session, error) {
	s, err := m.ByID(ctx, t.id)
	if err != nil {
		return Session{}, err
	}
	if !s.Holds(t, m.now()) {
		return Session{}, ErrNotFound
	}
	return s, nil
}

// Token is the token of an ordinary session, always the same until it is
// renewed. An implicit session and a revoked one have none.
func (m *Manager) Token(s Session) (Token, bool) {
	if s.secrets == nil {
		return Token{}, false
	}
	return Token{id: s.ID, secret: s.secrets.current}, true
}

// Revocations are those that this node knows of.
func (m *Manager) Revocations() *Revocations { return m.revocations }

// Check is Session.Live now, and knows the revocations of this node too: it is
// what a cached session is asked before it is used.
func (m *Manager) Check(s Session) error {
	if m.revocations.Covers(s) {
		return ErrRevoked
	}
	return s.Live(m.now())
}

// checkStored is Check for a session that was just read from the store. The store
// may have lost a revocation (a replica was promoted that had not received it);
// then it is written again. The answer does not depend on whether that succeeds.
func (m *Manager) checkStored(ctx context.Context, s Session) error {
	err := m.Check(s)
	switch {
	case !errors.Is(err, ErrRevoked):
	case s.RevokedAt.IsZero():
		_ = m.writeRevocation(ctx, s.ID)
	default:
		m.revocations.confirmWritten(s, m.absoluteEnd(s))
	}
	return err
}
