package trust_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/attestgate/caddy-attest/internal/jose"
	"github.com/attestgate/caddy-attest/trust"
	"github.com/attestgate/caddy-attest/trust/trusttest"
)

// sourceFunc is a key source of somebody else.
type sourceFunc func(context.Context, trust.KeyHint) ([]trust.Key, error)

func (f sourceFunc) Keys(ctx context.Context, hint trust.KeyHint) ([]trust.Key, error) {
	return f(ctx, hint)
}

func foreign(f sourceFunc) func(*trust.Config) {
	return func(c *trust.Config) { c.Keys = f }
}

func foreignKey(t testing.TB, k trusttest.Key) trust.Key {
	t.Helper()
	key, err := trust.NewKey(k.Public.ID, k.Private.Public(), k.Public.Algorithm)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestForeignSourceIsAskedForTheKeyOfTheToken(t *testing.T) {
	w := newWorld(t)
	var asked trust.KeyHint
	p := w.profile(foreign(func(_ context.Context, hint trust.KeyHint) ([]trust.Key, error) {
		asked = hint
		return []trust.Key{foreignKey(t, w.Key())}, nil
	}))
	accept(t, p, w.Sign(nil))
	if want := (trust.KeyHint{ID: w.Key().Public.ID, Algorithm: jose.ES256}); asked != want {
		t.Errorf("asked for %+v, want %+v", asked, want)
	}
}

func TestForeignSourceWithoutTheKeyIsARefusal(t *testing.T) {
	w := newWorld(t)
	p := w.profile(foreign(func(context.Context, trust.KeyHint) ([]trust.Key, error) { return nil, nil }))
	refuse(t, p, w.Sign(nil), trust.CodeKeyUnknown)
}

func TestForeignSourceWithAKeyOfAnotherAlgorithmIsARefusal(t *testing.T) {
	w := newWorld(t)
	for name, answer := range map[string]trust.Key{
		"RSA": foreignKey(t, sharedRSA(t)), "P-384": foreignKey(t, trusttest.NewKey(t, jose.ES384)), "the zero key": {},
	} {
		t.Run(name, func(t *testing.T) {
			p := w.profile(foreign(func(context.Context, trust.KeyHint) ([]trust.Key, error) {
				return []trust.Key{answer}, nil
			}))
			refuse(t, p, w.Sign(nil), trust.CodeKeyUnfit)
		})
	}
}

func TestForeignSourceThatFailsIsAnOutage(t *testing.T) {
	w := newWorld(t)
	down := errors.New("the key service is away")
	p := w.profile(foreign(func(context.Context, trust.KeyHint) ([]trust.Key, error) { return nil, down }))
	_, err := p.Verify(t.Context(), w.Sign(nil))
	unavailable(t, err)
	if !errors.Is(err, down) {
		t.Errorf("%v hides the source's own error", err)
	}
}

func TestForeignSourceThatHangsIsAnOutage(t *testing.T) {
	w := newWorld(t)
	p := w.profile(foreign(func(ctx context.Context, _ trust.KeyHint) ([]trust.Key, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}))
	token := w.Sign(nil)
	synctest.Test(t, func(t *testing.T) {
		_, err := p.Verify(context.Background(), token)
		unavailable(t, err)
	})
}

func TestForeignSourceThatDropsAKeyEndsWhatItVerified(t *testing.T) {
	w := newWorld(t)
	var gone atomic.Bool
	key := foreignKey(t, w.Key())
	s := set(t, w.profile(foreign(func(context.Context, trust.KeyHint) ([]trust.Key, error) {
		if gone.Load() {
			return nil, nil
		}
		return []trust.Key{key}, nil
	})))
	token := w.Sign(nil)
	if _, err := s.Verify(t.Context(), token, []string{"acme"}); err != nil {
		t.Fatal(err)
	}
	gone.Store(true)
	id, err := s.Verify(t.Context(), token, []string{"acme"})
	refused(t, id, err, trust.CodeKeyUnknown)
}

func TestNewKeyRefusesWhatAKeySetWould(t *testing.T) {
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := trusttest.NewKey(t, jose.ES256).Private
	for name, c := range map[string]struct {
		id        string
		public    crypto.PublicKey
		algorithm string
	}{
		"K-05 RSA of 1024 bits":       {public: weak.Public()},
		"K-05 a curve without an alg": {public: p224.Public()},
		"a private key":               {public: good},
		"a shared secret":             {public: []byte("secret"), algorithm: "HS256"},
		"no key":                      {},
		"K-03 a kid without bound":    {id: strings.Repeat("k", 257), public: good.Public()},
		"J-03 alg of another curve":   {public: good.Public(), algorithm: jose.ES384},
		"J-02 HS256 of a public key":  {public: good.Public(), algorithm: "HS256"},
	} {
		if _, err := trust.NewKey(c.id, c.public, c.algorithm); err == nil || !strings.HasPrefix(err.Error(), "trust: key: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
