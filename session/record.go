package session

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/record"
)

// format is the newest format of both records. Format 1 is all there is.
const format = 1

// errRecord reports a record that decodes but cannot be a session.
var errRecord = errors.New("session: record makes no sense")

// sessionRecord is a session as it is stored. Times are milliseconds since 1970,
// 0 for none; the id is the partition's name.
type sessionRecord struct {
	Organization string         `json:"org"`
	Member       string         `json:"member"`
	Implicit     bool           `json:"implicit,omitzero"`
	SignedIn     int64          `json:"signed_in,omitzero"` // absent: Started
	Started      int64          `json:"started"`
	Accessed     int64          `json:"accessed"` // when it was written; uses since are in the side record
	Expires      int64          `json:"expires"`
	Idle         int64          `json:"idle,omitzero"` // milliseconds, like Life
	Revoked      int64          `json:"revoked,omitzero"`
	TokenUntil   int64          `json:"until,omitzero"`
	TokenEnd     int64          `json:"token_end,omitzero"` // absent: TokenUntil
	Keyed        bool           `json:"keyed,omitzero"`
	Life         int64          `json:"life,omitzero"`
	Cut          int64          `json:"cut,omitzero"`
	Secret       []byte         `json:"secret,omitempty"`
	Former       []byte         `json:"former,omitempty"`
	FormerUntil  int64          `json:"former_until,omitzero"`
	Factors      []factorRecord `json:"factors,omitempty"`
	Overlay      claims.Overlay `json:"overlay,omitzero"`
	Unknown      map[string]any `json:",embed"`
}

type factorRecord struct {
	Profile  string         `json:"profile"`
	Type     string         `json:"type,omitzero"`
	TokenID  string         `json:"token,omitzero"`
	Issuer   string         `json:"iss,omitzero"`
	Proved   int64          `json:"proved,omitzero"`
	Issued   int64          `json:"issued,omitzero"` // absent: Created
	Email    string         `json:"email,omitzero"`
	Verified bool           `json:"email_verified,omitzero"`
	Claims   map[string]any `json:"claims,omitempty"`
	Created  int64          `json:"created"`
	Updated  int64          `json:"updated"`
	Unknown  map[string]any `json:",embed"`
}

// accessRecord is the side record: it changes with use and without a version.
type accessRecord struct {
	Accessed int64          `json:"accessed"`
	Unknown  map[string]any `json:",embed"`
}

func (s Session) encode() ([]byte, error) {
	var signedIn int64
	if !s.SignedInAt.Equal(s.StartedAt) {
		signedIn = store.Millis(s.SignedInAt)
	}
	r := sessionRecord{
		Organization: s.OrganizationID,
		Member:       s.MemberID,
		Implicit:     s.Implicit,
		SignedIn:     signedIn,
		Started:      store.Millis(s.StartedAt),
		Accessed:     store.Millis(s.LastAccessedAt),
		Expires:      store.Millis(s.ExpiresAt),
		Idle:         s.Idle.Milliseconds(),
		Revoked:      store.Millis(s.RevokedAt),
		TokenUntil:   store.Millis(s.TokenUntil),
		TokenEnd:     store.Millis(s.tokenEnd),
		Keyed:        s.keyed,
		Life:         s.life.Milliseconds(),
		Cut:          store.Millis(s.notBefore),
		Factors:      encodeFactors(s.Factors),
		Overlay:      s.Overlay,
		Unknown:      s.unknown,
	}
	s.secrets.encode(&r)
	data, err := record.Encode(format, r)
	if err != nil {
		return nil, fmt.Errorf("session: %w", err)
	}
	return data, nil
}

func (s *secrets) encode(r *sessionRecord) {
	if s == nil {
		return
	}
	r.Secret = s.current.bytes[:]
	if s.former != nil {
		r.Former, r.FormerUntil = s.former.bytes[:], store.Millis(s.formerUntil)
	}
}

func encodeFactors(factors []Factor) []factorRecord {
	out := make([]factorRecord, len(factors))
	for i, f := range factors {
		out[i] = factorRecord{
			Profile: f.Profile, Type: f.Type, TokenID: f.TokenID, Issuer: f.Issuer,
			Proved: store.Millis(f.ProvedAt), Issued: store.Millis(f.IssuedAt), Created: store.Millis(f.CreatedAt), Updated: store.Millis(f.UpdatedAt),
			Email: f.Email, Verified: f.EmailVerified, Claims: f.Claims, Unknown: f.unknown,
		}
	}
	return out
}

// decodeSession reads a session from its record and its side record.
func decodeSession(id string, main, access store.Record) (Session, error) {
	var r sessionRecord
	if err := record.Decode(main.Value, format, &r); err != nil {
		return Session{}, fmt.Errorf("session: %w", err)
	}
	s := r.session(id, main.Version)
	if err := r.check(); err != nil {
		return Session{}, err
	}
	var err error
	if s.secrets, err = r.secrets(); err != nil {
		return Session{}, err
	}
	// A side record that is lost, or not written yet, counts as the moment the
	// session was last written: to lose it must log nobody out.
	if !access.Exists() {
		return s, nil
	}
	var a accessRecord
	if err := record.Decode(access.Value, format, &a); err != nil {
		return Session{}, fmt.Errorf("session: access record: %w", err)
	}
	s.LastAccessedAt = laterOf(s.LastAccessedAt, store.FromMillis(a.Accessed))
	return s, nil
}

func (r *sessionRecord) session(id string, version uint64) Session {
	return Session{
		ID:             id,
		OrganizationID: r.Organization,
		MemberID:       r.Member,
		Implicit:       r.Implicit,
		SignedInAt:     store.FromMillis(cmp.Or(r.SignedIn, r.Started)),
		StartedAt:      store.FromMillis(r.Started),
		LastAccessedAt: store.FromMillis(r.Accessed),
		ExpiresAt:      store.FromMillis(r.Expires),
		Idle:           time.Duration(r.Idle) * time.Millisecond,
		Factors:        decodeFactors(r.Factors),
		Overlay:        r.Overlay,
		RevokedAt:      store.FromMillis(r.Revoked),
		TokenUntil:     store.FromMillis(r.TokenUntil),
		tokenEnd:       store.FromMillis(r.TokenEnd),
		Version:        version,
		keyed:          r.Keyed,
		life:           time.Duration(r.Life) * time.Millisecond,
		notBefore:      store.FromMillis(r.Cut),
		unknown:        r.Unknown,
	}
}

// check refuses what no release writes: a session without a member or without a
// beginning or end must not be one that lasts for ever.
func (r *sessionRecord) check() error {
	if r.Organization == "" || r.Member == "" || r.Started <= 0 || r.Expires <= 0 || r.Idle < 0 {
		return errRecord
	}
	return nil
}

func (r *sessionRecord) secrets() (*secrets, error) {
	if r.Implicit || r.Revoked != 0 {
		return nil, nil
	}
	current, err := secretOf(r.Secret)
	if err != nil || r.Former == nil {
		return &secrets{current: current}, err
	}
	former, err := secretOf(r.Former)
	return &secrets{current, former, store.FromMillis(r.FormerUntil)}, err
}

func decodeFactors(records []factorRecord) []Factor {
	out := make([]Factor, len(records))
	for i, r := range records {
		out[i] = Factor{
			Profile: r.Profile, Type: r.Type, TokenID: r.TokenID, Issuer: r.Issuer,
			Email: r.Email, EmailVerified: r.Verified, Claims: r.Claims,
			ProvedAt:  store.FromMillis(r.Proved),
			IssuedAt:  store.FromMillis(cmp.Or(r.Issued, r.Created)),
			CreatedAt: store.FromMillis(r.Created),
			UpdatedAt: store.FromMillis(r.Updated),
			unknown:   r.Unknown,
		}
	}
	return out
}

// IsLive tells of a stored record whether it is, or belongs to, a session that was not
// revoked. What remains of a revoked one is not live: it keeps credentials from
// bringing the session back. Records of others, and what does not decode, are not.
func IsLive(ref store.Ref, value []byte) bool {
	if _, ok := idOf(ref.Partition); !ok {
		return false
	}
	if ref.Key == keyAccess {
		return true // alone it is nothing
	}
	var r sessionRecord
	return record.Decode(value, format, &r) == nil && r.Revoked == 0
}
