package jose

import (
	"crypto"
	"errors"
	"fmt"
	"slices"

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

var errNoKeys = errors.New("jose: key set: no array of keys")

// ParseKeySet reads a JWKS (RFC 7517 §5) of at most max keys. Keys are looked at
// one by one: those of a kind we do not have, too weak, not for signatures, or
// broken are dropped with the reason, and so is every key of a kid that stands
// there twice. Symmetric keys and private members are never taken. uses are the
// values of the member use that are accepted beside its absence; by default
// "sig". An error is only for a document that is no key set, or too long a one.
func ParseKeySet(data []byte, max int, uses ...string) (KeySet, error) {
	document, err := strictjson.Object(data)
	if err != nil {
		return KeySet{}, fmt.Errorf("jose: key set: %w", err)
	}
	list, ok := document["keys"].([]any)
	if !ok {
		return KeySet{}, errNoKeys
	}
	if len(list) > max {
		return KeySet{}, fmt.Errorf("jose: key set: %d keys, more than %d", len(list), max)
	}
	if len(uses) == 0 {
		uses = []string{"sig"}
	}
	return collect(list, uses), nil
}

func collect(list []any, uses []string) (set KeySet) {
	for _, entry := range list {
		members, _ := entry.(map[string]any)
		key, err := readJWK(members, uses)
		if err != nil {
			set.Dropped = append(set.Dropped, Dropped{boundedID(members), err.Reason})
			continue
		}
		set.Keys = append(set.Keys, key)
	}
	return set.withoutDuplicates()
}

// withoutDuplicates drops every key of a kid that several keys carry: the token
// cannot say which of them it means (RFC 8725 §3.10).
func (s KeySet) withoutDuplicates() KeySet {
	count := map[string]int{}
	for _, k := range s.Keys {
		if k.ID != "" {
			count[k.ID]++
		}
	}
	s.Keys = slices.DeleteFunc(s.Keys, func(k Key) bool {
		if count[k.ID] < 2 {
			return false
		}
		s.Dropped = append(s.Dropped, Dropped{k.ID, "kid stands more than once in the set"})
		return true
	})
	return s
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
		if _, found := members[name]; found {
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
	if k.ID, _, ok = optionalText(members, "kid"); !ok || len(k.ID) > MaxKeyID {
		return Key{}, keyErrorf("kid is not a string of at most %d bytes", MaxKeyID)
	}
	var has bool
	if k.Use, has, ok = optionalText(members, "use"); !ok || has && !slices.Contains(uses, k.Use) {
		return Key{}, keyErrorf("use is not for signatures")
	}
	if ops, has := members["key_ops"]; has && !verifies(ops) {
		return Key{}, keyErrorf("key_ops does not hold verify")
	}
	if k.Algorithm, has, ok = optionalText(members, "alg"); !ok || has && !k.Fits(k.Algorithm) {
		return Key{}, keyErrorf("alg is not a signature algorithm of its type")
	}
	return k, nil
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
