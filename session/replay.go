package session

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/record"
)

// RepeatWithin is how long after the first use of a token the same call is taken for the
// same use: a client that got no answer asks again.
const RepeatWithin = 5 * time.Second

// A Use is a use of a trusted token whose profile takes each token id once.
type Use struct {
	// Profile, Issuer and TokenID say which token id.
	Profile, Issuer, TokenID string
	// Digest names the token, as Implicit.Digest.
	Digest [32]byte
	// Call names the call of the session API and its caller, so that the same call can be
	// told from another. Zero: a proxied request, which any with the same token goes on.
	Call [32]byte
	// Once tells that any second use is another one, the same call too.
	Once bool
	// Until is when the token ceases to be a credential in any configuration.
	Until time.Time
}

// useRecord is a use as it is stored, alone in a partition of its own. It is never
// given up before its end.
type useRecord struct {
	Digest  []byte         `json:"digest"`
	Call    []byte         `json:"call,omitempty"`
	At      int64          `json:"at"`
	Session string         `json:"session,omitempty"` // that a call has made
	Unknown map[string]any `json:",embed"`
}

const keyUse = "use"

// usePartition hides the token id: whoever reads the store's names learns none.
func (m *Manager) usePartition(u Use) string {
	mac := hmac.New(sha256.New, m.idKey)
	addParts(mac, "use", u.Profile, u.Issuer, u.TokenID)
	return "u:" + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// Use notes the first use of a token id. Of the same proxied token, and of the same call
// within RepeatWithin, it is no other use: then session is the one that the call has
// made. Any other is ErrReplayed, and store.ErrBusy the same call of which the session
// is not there yet.
func (m *Manager) Use(ctx context.Context, u Use) (session string, err error) {
	err = store.Update(ctx, func(ctx context.Context) error {
		session, err = m.use(ctx, u)
		return err
	})
	return session, err
}

func (m *Manager) use(ctx context.Context, u Use) (session string, err error) {
	found, err := m.readUse(ctx, u)
	if err != nil || found.version == 0 {
		if err == nil {
			err = m.writeUse(ctx, u, 0, "", m.now())
		}
		return "", err
	}
	proxied, again := found.Call == nil && u.Call == [32]byte{}, found.of(u, m.now())
	switch {
	case u.Once, !hmac.Equal(found.Digest, u.Digest[:]), !proxied && !again:
		return "", ErrReplayed
	case again && found.Session == "":
		return "", fmt.Errorf("%w: the same call is under way", store.ErrBusy)
	}
	return found.Session, nil
}

// of tells whether the use is the same call again, a moment later.
func (r storedUse) of(u Use, now time.Time) bool {
	age := now.Sub(store.FromMillis(r.At))
	return hmac.Equal(r.Call, u.Call[:]) && age >= -RepeatWithin && age < RepeatWithin
}

// NoteUse notes the session that a call has made.
func (m *Manager) NoteUse(ctx context.Context, u Use, session string) error {
	found, err := m.readUse(ctx, u)
	if err != nil || found.version == 0 {
		return err
	}
	return m.writeUse(ctx, u, found.version, session, store.FromMillis(found.At))
}

type storedUse struct {
	useRecord
	version uint64 // 0: there is none
}

func (m *Manager) readUse(ctx context.Context, u Use) (found storedUse, err error) {
	records, err := m.store.Get(ctx, m.usePartition(u), keyUse)
	if err != nil {
		return found, fmt.Errorf("session: use: %w", err)
	}
	if !records[0].Exists() {
		return found, nil
	}
	found.version = records[0].Version
	if err := record.Decode(records[0].Value, format, &found.useRecord); err != nil {
		return found, fmt.Errorf("session: use: %w", err)
	}
	return found, nil
}

func (m *Manager) writeUse(ctx context.Context, u Use, version uint64, session string, at time.Time) error {
	r := useRecord{Digest: u.Digest[:], At: store.Millis(at), Session: session}
	if u.Call != ([32]byte{}) {
		r.Call = u.Call[:]
	}
	value, err := record.Encode(format, r)
	if err != nil {
		return fmt.Errorf("session: use: %w", err)
	}
	op := store.Op{Key: keyUse, Expect: version, Value: value, ExpiresAt: u.Until}
	if err := m.store.Apply(ctx, m.usePartition(u), op); err != nil {
		return fmt.Errorf("session: use: %w", err)
	}
	return nil
}
