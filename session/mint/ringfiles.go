package mint

import (
	"fmt"

	"github.com/attestgate/caddy-attest/internal/jose"
)

// openFiles makes the ring of PEM texts: the first signs, all are published.
func (r *Ring) openFiles(c RingConfig) error {
	k, err := keysOfFiles(c.Files)
	if err != nil {
		return err
	}
	r.store, r.algorithm = nil, k.list[0].public.Algorithm
	r.noteHealth(nil)
	return r.adopt(k)
}

// keysOfFiles reads PEM texts; the error is a *ConfigError that says which of them.
func keysOfFiles(files [][]byte) (keys, error) {
	signer, err := jose.ParseSignerPEM(files[0])
	if err != nil {
		return keys{}, &ConfigError{"keys", fmt.Sprintf("key file 1: %v", err)}
	}
	k := keys{}.with(key{signer: signer, public: signer.Key(), state: active})
	for i, text := range files[1:] {
		published, err := parsePublished(text)
		if err != nil {
			return keys{}, &ConfigError{"keys", fmt.Sprintf("key file %d: %v", i+2, err)}
		}
		for _, public := range published {
			if _, twice := k.find(public.ID); !twice {
				k = k.with(key{public: public, state: retired})
			}
		}
	}
	return k, nil
}

// parsePublished reads the public halves of a file's keys, which may be private:
// a former signing key is usually published by leaving its file where it is.
func parsePublished(text []byte) ([]jose.Key, error) {
	if signer, err := jose.ParseSignerPEM(text); err == nil {
		return []jose.Key{signer.Key()}, nil
	}
	published, err := jose.ParsePEM(text)
	if err != nil {
		return nil, err
	}
	for i := range published {
		if err := name(&published[i]); err != nil {
			return nil, err
		}
	}
	return published, nil
}

// name gives a public key the kid and the one algorithm that it had as a signer.
func name(k *jose.Key) error {
	for _, alg := range [...]string{jose.ES256, jose.RS256, jose.EdDSA} {
		if k.Fits(alg) {
			k.ID, k.Algorithm, k.Use = k.Thumbprint, alg, "sig"
			return nil
		}
	}
	return fmt.Errorf("key is for none of ES256, RS256 and EdDSA")
}
