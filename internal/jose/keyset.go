package jose

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lestrrat-go/jwx/v2/jwk"

	"github.com/attestgate/caddy-attest/internal/strictjson"
)

// KeySet is what is usable of a JWKS.
type KeySet struct {
	Keys    []Key
	Dropped []Dropped
}

// Dropped tells why a key of a set is not used.
type Dropped struct {
	// ID is the kid, as far as there is one; at most MaxKeyID bytes of it.
	ID     string
	Reason string
}

var errNoKeys = errors.New("jose: key set: neither a JWKS, a JWK, PEM nor an object of certificates")

// ParseKeySet reads the public keys that an issuer publishes, at most max: a JWKS (RFC
// 7517 §5), a JWK alone, PEM, or an object of certificates by kid ({kid: PEM}, as
// Firebase has). The form is read tolerantly: a byte order mark, base64 with padding or
// in the standard alphabet, zeros before EC coordinates stripped or one too many, null for
// a member that may be absent, an empty kid. What a key is, is judged strictly: those of a kind we do not
// have, too weak, not for signatures, or broken are dropped one by one, with the
// reason. Symmetric keys and private members are never taken. uses are the values of
// the member use that are accepted beside its absence; by default "sig" and "jwt-svid"
// (SPIFFE). An error is only for a document of another form, or too long a one.
func ParseKeySet(data []byte, max int, uses ...string) (KeySet, error) {
	if len(uses) == 0 {
		uses = []string{"sig", "jwt-svid"}
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte(pemBegin)) {
		keys, err := ParsePEM(data)
		return KeySet{Keys: keys}.atMost(max, err)
	}
	document, err := strictjson.Object(data)
	if err != nil {
		return KeySet{}, fmt.Errorf("jose: key set: %w", err)
	}
	list, isSet := document["keys"].([]any)
	_, isKey := document["kty"].(string)
	switch {
	case isSet && len(list) > max:
		return KeySet{}, fmt.Errorf("jose: key set: %d keys, more than %d", len(list), max)
	case isSet:
		return collect(list, uses), nil
	case isKey:
		return collect([]any{document}, uses), nil
	case len(document) <= max && ofCertificates(document):
		return collectCertificates(document), nil
	}
	return KeySet{}, errNoKeys
}

func (s KeySet) atMost(max int, err error) (KeySet, error) {
	switch {
	case err != nil:
		return KeySet{}, fmt.Errorf("jose: key set: %w", err)
	case len(s.Keys) > max:
		return KeySet{}, fmt.Errorf("jose: key set: %d keys, more than %d", len(s.Keys), max)
	}
	return s, nil
}

func collect(list []any, uses []string) (set KeySet) {
	for _, entry := range list {
		members, _ := entry.(map[string]any)
		key, err := readJWK(members, uses)
		if err != nil {
			set.Dropped = append(set.Dropped, Dropped{boundedID(members), err.Reason})
			continue
		}
		set.add(key)
	}
	return set
}

// add leaves out what stands there already.
func (s *KeySet) add(key Key) {
	if !slices.ContainsFunc(s.Keys, func(k Key) bool {
		return k.Thumbprint == key.Thumbprint && k.ID == key.ID && k.Algorithm == key.Algorithm
	}) {
		s.Keys = append(s.Keys, key)
	}
}

func ofCertificates(document map[string]any) bool {
	for _, value := range document {
		text, ok := value.(string)
		if !ok || !strings.HasPrefix(strings.TrimSpace(text), pemBegin) {
			return false
		}
	}
	return len(document) > 0
}

func collectCertificates(document map[string]any) (set KeySet) {
	for _, id := range slices.Sorted(maps.Keys(document)) {
		text, _ := document[id].(string)
		keys, err := ParsePEM([]byte(text))
		switch {
		case err != nil:
			set.Dropped = append(set.Dropped, Dropped{id[:min(len(id), MaxKeyID)], strings.TrimPrefix(err.Error(), "jose: ")})
		case len(keys) != 1 || len(id) > MaxKeyID:
			set.Dropped = append(set.Dropped, Dropped{id[:min(len(id), MaxKeyID)], "not one key under a kid"})
		default:
			keys[0].ID = id
			set.add(keys[0])
		}
	}
	return set
}

func boundedID(members map[string]any) string {
	id, _ := members["kid"].(string)
	return id[:min(len(id), MaxKeyID)]
}

// secretMembers are those of private and symmetric keys (RFC 7518 §6.2.2,
// §6.3.2, §6.4.1). A published set that holds one has disclosed it.
var secretMembers = [...]string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"}

func readJWK(members map[string]any, uses []string) (Key, *KeyError) {
	if members == nil {
		return Key{}, keyErrorf("not an object")
	}
	for _, name := range secretMembers {
		if value, found := members[name]; found && value != nil {
			return Key{}, keyErrorf("holds the secret member %s", name)
		}
	}
	public, err := readPublic(members)
	if err != nil {
		return Key{}, err
	}
	key, cause := NewKey(public)
	if cause != nil {
		return Key{}, asKeyError(cause)
	}
	return key.describedBy(members, uses)
}

func asKeyError(err error) *KeyError {
	var k *KeyError
	if errors.As(err, &k) {
		return k
	}
	return keyErrorf("unusable")
}

// describedBy applies what the set says about the key, or refuses it: it must
// be for verifying signatures (RFC 7517 §4.2, §4.3) with an algorithm of its
// type.
func (k Key) describedBy(members map[string]any, uses []string) (Key, *KeyError) {
	var ok bool
	if k.ID, _, ok = memberText(members, "kid"); !ok || len(k.ID) > MaxKeyID {
		return Key{}, keyErrorf("kid is not a string of at most %d bytes", MaxKeyID)
	}
	var has bool
	if k.Use, has, ok = memberText(members, "use"); !ok || has && !slices.Contains(uses, k.Use) {
		return Key{}, keyErrorf("use is not for signatures")
	}
	if ops := members["key_ops"]; ops != nil && !verifies(ops) {
		return Key{}, keyErrorf("key_ops does not hold verify")
	}
	if k.Algorithm, has, ok = memberText(members, "alg"); !ok || has && !k.Fits(k.Algorithm) {
		return Key{}, keyErrorf("alg is not a signature algorithm of its type")
	}
	return k, nil
}

// memberText is optionalText of a key, where null is as good as absent, and Ed25519
// (RFC 9864 §2.2) is the same as EdDSA, since we have no other curve of its kind.
func memberText(members map[string]any, name string) (text string, found, ok bool) {
	if members[name] == nil {
		return "", false, true
	}
	text, found, ok = optionalText(members, name)
	if name == "alg" {
		text = canonical(text)
	}
	return text, found, ok
}

func verifies(ops any) bool {
	list, _ := ops.([]any)
	return slices.Contains(list, any("verify"))
}

// readPublic builds the key from the members that make it and no others, so that
// certificates in x5c or URLs in x5u are not even parsed.
func readPublic(members map[string]any) (crypto.PublicKey, *KeyError) {
	kty, _ := members["kty"].(string)
	kind, ok := kinds[kty]
	if !ok {
		return nil, keyErrorf("kty is not RSA, EC or OKP")
	}
	only := map[string]any{"kty": kty}
	for _, p := range kind.parameters {
		value, err := p.read(members)
		if err != nil {
			return nil, err
		}
		only[p.name] = value
	}
	return materialize(only)
}

func materialize(members map[string]any) (crypto.PublicKey, *KeyError) {
	data, err := strictjson.Marshal(members)
	if err != nil {
		return nil, keyErrorf("unusable")
	}
	k, err := jwk.ParseKey(data)
	if err != nil {
		return nil, keyErrorf("parameters do not make a key")
	}
	var public any
	if err := k.Raw(&public); err != nil {
		return nil, keyErrorf("parameters do not make a key")
	}
	return public, nil
}
