package session

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"strings"

	"github.com/attestgate/caddy-attest/store"
)

const (
	idPrefix = "session-"
	idBytes  = 16
	// idLength counts the prefix, 32 hexadecimal digits and 4 hyphens.
	idLength = len(idPrefix) + 2*idBytes + 4

	partitionPrefix = "s:"
	keySession      = "s" // the session itself
	keyAccess       = "a" // when it was last used
)

// newID draws an id. It looks like a UUID of version 4 but spends no bit on
// saying so: all 128 are random.
func newID(random io.Reader) (string, error) {
	var b [idBytes]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("session: random bytes: %w", err)
	}
	return formatID(b), nil
}

func formatID(b [idBytes]byte) string {
	var text [idLength]byte
	out := append(text[:0], idPrefix...)
	for i, part := range [][]byte{b[:4], b[4:6], b[6:8], b[8:10], b[10:]} {
		if i > 0 {
			out = append(out, '-')
		}
		out = hex.AppendEncode(out, part)
	}
	return string(out)
}

// ValidID tells whether text has the form of a session id, byte for byte. Nothing
// else is worth looking up, and what a stranger names must not become the name
// of any other record.
func ValidID(text string) bool {
	if len(text) != idLength || !strings.HasPrefix(text, idPrefix) {
		return false
	}
	for i := len(idPrefix); i < len(text); i++ {
		if c := text[i]; isHyphen(i-len(idPrefix)) != (c == '-') || c != '-' && !isHex(c) {
			return false
		}
	}
	return true
}

func isHyphen(i int) bool { return i == 8 || i == 13 || i == 18 || i == 23 }

func isHex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' }

// ImplicitID is the id of the implicit session that r stands for: an HMAC over
// its parts, each with its length before it so that no two lists of parts have
// one text. The token's digest and its session key are told apart by a label,
// so that no profile can aim at the sessions of another rule.
func (m *Manager) ImplicitID(r Implicit) string {
	mac := hmac.New(sha256.New, m.idKey)
	addParts(mac, "implicit", r.Profile, r.Issuer, r.OrganizationID, r.MemberID)
	if len(r.Key) > 0 {
		addParts(mac, append([]string{"key"}, r.Key...)...)
	} else {
		addParts(mac, "digest", string(r.Digest[:]))
	}
	return formatID([idBytes]byte(mac.Sum(nil)))
}

// memberTag is the tag under which a member's sessions are listed. It is an HMAC
// too: whoever reads the store's names learns no member from them.
func (m *Manager) memberTag(organizationID, memberID string) string {
	mac := hmac.New(sha256.New, m.idKey)
	addParts(mac, "member", organizationID, memberID)
	return "member:" + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func addParts(mac hash.Hash, parts ...string) {
	var length [8]byte
	for _, part := range parts {
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		mac.Write(length[:])
		io.WriteString(mac, part) //nolint:errcheck // a hash never fails
	}
}

func partition(id string) string { return partitionPrefix + id }

// Changed names the session that a store's event tells of; ok is false for
// events of other records and for a Flush.
func Changed(e store.Event) (id string, ok bool) {
	if e.Flush {
		return "", false
	}
	return idOf(e.Partition)
}

// idOf is the id of the session that a partition belongs to.
func idOf(partition string) (id string, ok bool) {
	id, ok = strings.CutPrefix(partition, partitionPrefix)
	if !ok || !ValidID(id) {
		return "", false
	}
	return id, true
}
