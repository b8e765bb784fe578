package caddymodule

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"

	"github.com/caddyserver/certmagic"

	"github.com/attestgate/caddy-attest/internal/jose"
	"github.com/attestgate/caddy-attest/internal/strictjson"
	"github.com/attestgate/caddy-attest/trust"
)

// A devKey is the key pair of a dev profile, with what a token of it must say, so
// that `caddy attest mint` needs nothing but Caddy's storage.
type devKey struct {
	Issuer    string `json:"issuer"`
	Audience  string `json:"audience"`
	Algorithm string `json:"algorithm"`
	Private   string `json:"private_key"` // PKCS #8, base64
}

func devKeyName(profile string) string { return storedDev + profile + ".json" }

// openDevKey reads the key pair of a dev profile, and makes it the first time.
func openDevKey(ctx context.Context, storage certmagic.Storage, profile, issuer, audience string) (*devKey, error) {
	data, err := madeOnce(ctx, storage, devKeyName(profile), func() ([]byte, error) {
		return newDevKey(issuer, audience)
	})
	if err != nil {
		return nil, fmt.Errorf("attest: profile %s: dev key: %w", profile, err)
	}
	k, err := readDevKey(data)
	if err != nil {
		return nil, fmt.Errorf("attest: profile %s: dev key: %w", profile, err)
	}
	if k.Issuer == issuer && k.Audience == audience {
		return k, nil
	}
	k.Issuer, k.Audience = issuer, audience
	return k, k.store(ctx, storage, profile)
}

func newDevKey(issuer, audience string) ([]byte, error) {
	const algorithm = "ES256"
	signer, err := jose.NewSigner(algorithm, rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := signer.PKCS8()
	if err != nil {
		return nil, err
	}
	return strictjson.Marshal(devKey{issuer, audience, algorithm, base64.StdEncoding.EncodeToString(der)})
}

func readDevKey(data []byte) (*devKey, error) {
	k := new(devKey)
	if err := strictjson.UnmarshalExact(data, k); err != nil {
		return nil, err
	}
	return k, nil
}

func (k *devKey) store(ctx context.Context, storage certmagic.Storage, profile string) error {
	data, err := strictjson.Marshal(k)
	if err != nil {
		return err
	}
	return storage.Store(ctx, devKeyName(profile), data)
}

func (k *devKey) signer() (*jose.Signer, error) {
	der, err := base64.StdEncoding.DecodeString(k.Private)
	if err != nil {
		return nil, err
	}
	return jose.LoadSigner(k.Algorithm, der)
}

// keys are the public half, as a profile's keys.
func (k *devKey) keys() (trust.KeySource, error) {
	signer, err := k.signer()
	if err != nil {
		return nil, err
	}
	set, err := jose.MarshalKeySet([]jose.Key{signer.Key()})
	if err != nil {
		return nil, err
	}
	return trust.FileKeys(set)
}
