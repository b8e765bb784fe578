package jose

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

var errPrivateKey = errors.New("jose: PEM holds a private key; give the public one")

// ParsePEM reads the public keys of a PEM text: PUBLIC KEY (PKIX), RSA PUBLIC
// KEY (PKCS #1) and CERTIFICATE, of which the key is taken and nothing else is
// checked, because the operator has configured the file. The keys have no ID. A
// private key, a block of any other kind, one that does not parse, and a text
// without any is an error: a broken file must never disable a check
// (CVE-2026-27586).
func ParsePEM(data []byte) ([]Key, error) {
	blocks, err := pemBlocks(data)
	if err != nil {
		return nil, err
	}
	keys := make([]Key, 0, len(blocks))
	for i, block := range blocks {
		public, err := readPEM(block)
		if err != nil {
			return nil, fmt.Errorf("PEM block %d: %w", i+1, err)
		}
		key, err := NewKey(public)
		if err != nil {
			return nil, fmt.Errorf("PEM block %d: %w", i+1, err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

const pemBegin = "-----BEGIN "

// ecParameters are what openssl ecparam writes before a key: the curve, which the
// key names as well.
const ecParameters = "EC PARAMETERS"

// pemBlocks is all or nothing: pem.Decode alone passes over a block that is
// broken. EC PARAMETERS and a byte order mark are passed over.
func pemBlocks(data []byte) (blocks []*pem.Block, err error) {
	count := 0
	for rest := bytes.TrimPrefix(data, []byte("\ufeff")); ; count++ {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != ecParameters {
			blocks = append(blocks, block)
		}
	}
	if count != bytes.Count(data, []byte(pemBegin)) {
		return nil, errors.New("jose: a PEM block is broken")
	}
	if len(blocks) == 0 {
		return nil, errors.New("jose: no PEM block of a key")
	}
	return blocks, nil
}

func readPEM(block *pem.Block) (crypto.PublicKey, error) {
	switch {
	case strings.HasSuffix(block.Type, "PRIVATE KEY"):
		return nil, errPrivateKey
	case len(block.Headers) != 0:
		return nil, errors.New("jose: PEM headers are not supported")
	}
	public, err := parseDER(block)
	if err != nil {
		return nil, err
	}
	return public, nil
}

func parseDER(block *pem.Block) (crypto.PublicKey, error) {
	switch block.Type {
	case "PUBLIC KEY":
		return wrapParseError(x509.ParsePKIXPublicKey(block.Bytes))
	case "RSA PUBLIC KEY":
		k, err := x509.ParsePKCS1PublicKey(block.Bytes)
		return wrapParseError(k, err)
	case "CERTIFICATE":
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return wrapParseError(nil, err)
		}
		return c.PublicKey, nil
	}
	return nil, errors.New("jose: PEM type is not PUBLIC KEY, RSA PUBLIC KEY or CERTIFICATE")
}

func wrapParseError(public crypto.PublicKey, err error) (crypto.PublicKey, error) {
	if err != nil {
		return nil, fmt.Errorf("jose: %w", err)
	}
	return public, nil
}
