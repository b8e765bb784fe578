package jose_test

import (
	"crypto/ed25519"
	"encoding/binary"
	"encoding/hex"
	"testing"

	"github.com/attestgate/caddy-attest/internal/jose"
)

// Under a key of small order signatures can be made without any secret. Each row
// proves it, with R the neutral point and S zero, before asking that the key is
// refused.
func TestNewKeyRefusesSmallOrder(t *testing.T) {
	for _, text := range []string{
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0000000000000000000000000000000000000000000000000000000000000080",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	} {
		public := ed25519.PublicKey(must(hex.DecodeString(text)))
		if !forgeable(public) {
			t.Errorf("%s: no forgery found; is it of small order?", text)
		}
		if _, err := jose.NewKey(public); err == nil {
			t.Errorf("%s is accepted", text)
		}
	}
}

func forgeable(public ed25519.PublicKey) bool {
	signature := make([]byte, 64)
	signature[0] = 1
	for n := range uint64(200) {
		if ed25519.Verify(public, binary.BigEndian.AppendUint64(nil, n), signature) {
			return true
		}
	}
	return false
}
