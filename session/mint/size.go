package mint

import (
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/internal/jose"
	"github.com/attestgate/caddy-attest/internal/strictjson"
)

// ErrTooLarge reports a JWT above 16 KiB, the most that the gateway reads itself.
var ErrTooLarge = errors.New("mint: the JWT is too large")

// aroundPayload is what of a JWT is left for its header and signature, an RSA
// signature of 4,096 bits included.
const aroundPayload = 1 << 10

// CheckSize tells whether a JWT for the request would be an ErrTooLarge, so that
// what makes it so can be refused before it is stored. It signs nothing, and the
// session need not have started.
func (m *Minter) CheckSize(r Request) error {
	payload, err := m.payload(r, time.Time{}, time.Time{})
	if err != nil {
		return fmt.Errorf("mint: claims: %w", err)
	}
	return checkSize(payload)
}

// Preview answers the claims of a JWT for the request if it were minted at a moment. It
// signs nothing, and the session need not have started.
func (m *Minter) Preview(r Request, at time.Time) (claims.Object, error) {
	payload, err := m.payload(r, at.Truncate(time.Second), at.Truncate(time.Second).Add(r.Lifetime))
	if err != nil {
		return nil, fmt.Errorf("mint: claims: %w", err)
	}
	if err := checkSize(payload); err != nil {
		return nil, err
	}
	return strictjson.Object(payload)
}

func checkSize(payload []byte) error {
	if n := base64.RawURLEncoding.EncodedLen(len(payload)); n+aroundPayload > jose.MaxTokenBytes {
		return fmt.Errorf("%w: claims of %d bytes", ErrTooLarge, len(payload))
	}
	return nil
}
