package trust_test

import (
	"sync"
	"testing"

	"github.com/attestgate/caddy-attest/internal/jose"
	"github.com/attestgate/caddy-attest/trust/trusttest"
)

var rsaOnce = sync.OnceValue(func() trusttest.Key {
	return trusttest.NewKey(nilTB{}, jose.RS256).WithoutAlgorithm()
})

// sharedRSA is one RSA key for all tests: they are slow to make. It has no alg.
func sharedRSA(testing.TB) trusttest.Key { return rsaOnce() }
