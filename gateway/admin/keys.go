package admin

import (
	"errors"
	"net/http"
	"time"

	"github.com/attestgate/caddy-attest/session/mint"
)

// A Key is one that signs, will sign, or has signed. Only its names are shown.
type Key struct {
	ID        string `json:"kid"`
	Algorithm string `json:"algorithm,omitempty"`
	// State is next, active, retired or denied.
	State       string     `json:"state"`
	PublishedAt *time.Time `json:"published_at,omitempty"`
	ActivatedAt *time.Time `json:"activated_at,omitempty"`
	RetiredAt   *time.Time `json:"retired_at,omitempty"`
}

func (a *Admin) keys(*call) (any, error) { return a.ring(), nil }

func (a *Admin) ring() []Key {
	list := []Key{}
	status := a.Core.Ring.Status()
	for _, k := range status.Keys {
		list = append(list, Key{k.ID, k.Algorithm, k.State, moment(k.PublishedAt), moment(k.ActivatedAt), moment(k.RetiredAt)})
	}
	for _, kid := range status.Denied {
		list = append(list, Key{ID: kid, State: "denied"})
	}
	return list
}

// A Rotation says what kind of rotation it is to be.
type Rotation struct {
	// Emergency takes a key out at once: JWTs that it signed are refused here, and
	// the next key signs.
	Emergency bool `json:"emergency"`
	// KeyID is the kid of that key. Default: the active one.
	KeyID string `json:"kid"`
}

// rotateKeys answers the keys as they stand afterwards.
func (a *Admin) rotateKeys(c *call) (any, error) {
	var r Rotation
	if err := c.body(&r); err != nil {
		return nil, err
	}
	if r.KeyID != "" && !r.Emergency {
		return nil, badRequest("kid names the key that an emergency takes out")
	}
	if err := a.Core.RotateKeys(c.Context(), mint.RotateOptions{Emergency: r.Emergency, KeyID: r.KeyID}); err != nil {
		return nil, rotationError(err)
	}
	return a.ring(), nil
}

// retireKey takes out a key that does not sign: one that was published too early, or
// that signed and may be in wrong hands. The one that signs is replaced by a rotation.
func (a *Admin) retireKey(c *call) (any, error) {
	kid := c.PathValue("kid")
	for _, k := range a.ring() {
		if k.ID == kid && k.State == "active" {
			return nil, &Error{"key_signs", "this key signs now: rotate the keys, or rotate them in an emergency", http.StatusConflict}
		}
	}
	if err := a.Core.RotateKeys(c.Context(), mint.RotateOptions{Emergency: true, KeyID: kid}); err != nil {
		return nil, rotationError(err)
	}
	return a.ring(), nil
}

// rotationError tells what keeps a rotation from happening.
func rotationError(err error) error {
	var early *mint.TooEarlyError
	switch {
	case errors.As(err, &early):
		return &Error{"too_early", "the next key has not been published for long enough; it may sign from " +
			early.ReadyAt.UTC().Format(time.RFC3339) + ", or at once in an emergency", http.StatusConflict}
	case errors.Is(err, mint.ErrFiles):
		return &Error{"keys_in_files", "the keys are files of the configuration: rotate them there", http.StatusConflict}
	case errors.Is(err, mint.ErrUnknownKey):
		return notFound("the ring has no key of this kid")
	}
	return err
}
