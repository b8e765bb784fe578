package mint

import "github.com/attestgate/caddy-attest/internal/jose"

// Format is the newest format of the ring's record, for the fixtures.
const Format = ringFormat

// Sign makes a JWT of any payload with the key that signs now.
func Sign(r *Ring, payload []byte) (string, error) {
	text, _, err := r.sign(jose.TypeJWT, payload)
	return text, err
}
