package jose

import (
	"encoding/json"
	"fmt"

	"github.com/lestrrat-go/jwx/v2/jwk"
)

// MarshalKeySet writes a public JWKS (RFC 7517 §5): for each key what it is, kid,
// alg where it has one, use "sig" and key_ops ["verify"]. What is not a public
// key is refused, so that no private member can come out.
func MarshalKeySet(keys []Key) ([]byte, error) {
	set := struct {
		Keys []jwk.Key `json:"keys"`
	}{Keys: make([]jwk.Key, 0, len(keys))}
	for _, k := range keys {
		public, err := k.publish()
		if err != nil {
			return nil, err
		}
		set.Keys = append(set.Keys, public)
	}
	data, err := json.Marshal(set)
	if err != nil {
		return nil, fmt.Errorf("jose: key set: %w", err)
	}
	return data, nil
}

func (k Key) publish() (jwk.Key, error) {
	if err := checkStrength(k.Public); err != nil {
		return nil, err
	}
	public, err := jwk.FromRaw(k.Public)
	if err != nil {
		return nil, keyErrorf("not representable")
	}
	members := map[string]any{
		jwk.KeyUsageKey: jwk.ForSignature,
		jwk.KeyOpsKey:   jwk.KeyOperationList{jwk.KeyOpVerify},
	}
	if k.ID != "" {
		members[jwk.KeyIDKey] = k.ID
	}
	if k.Algorithm != "" {
		members[jwk.AlgorithmKey] = k.Algorithm
	}
	for name, value := range members {
		if err := public.Set(name, value); err != nil {
			return nil, fmt.Errorf("jose: key set: %s: %w", name, err)
		}
	}
	return public, nil
}
