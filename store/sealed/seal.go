package sealed

import (
	"encoding/binary"
	"io"

	"github.com/attestgate/caddy-attest/store"
)

const (
	format     = 1
	nonceBytes = 12
	tagBytes   = 16
	endBytes   = 8
	headBytes  = 1 + keyIDBytes + nonceBytes

	// Overhead is how many bytes sealing adds to a value.
	Overhead = headBytes + endBytes + tagBytes
	// MaxValue is the largest value that can be sealed.
	MaxValue = store.MaxValue - Overhead
)

// seal makes the value that the inner store keeps for an op.
func (b *box) seal(random io.Reader, op *store.Op) ([]byte, error) {
	aead, err := b.cipher(0)
	if err != nil {
		return nil, err
	}
	sealed := make([]byte, headBytes, Overhead+len(op.Value))
	sealed[0] = format
	copy(sealed[1:], b.keys.masters[0].id[:])
	nonce := sealed[1+keyIDBytes:]
	if _, err := io.ReadFull(random, nonce); err != nil {
		return nil, err
	}
	plain := make([]byte, endBytes, endBytes+len(op.Value))
	binary.BigEndian.PutUint64(plain, uint64(store.Millis(op.ExpiresAt)))
	plain = append(plain, op.Value...)
	return aead.Seal(sealed, nonce, plain, associatedData(sealed, b.partition, op.Key, versionOf(op))), nil
}

// versionOf is the version that the record will have.
func versionOf(op *store.Op) uint64 {
	if op.Blind {
		return 0
	}
	return op.Expect + 1
}

// open is the way back. The record must be just what seal made, under the same
// name and version, and the inner store must not hold another end.
func (b *box) open(r store.Record) (store.Record, error) {
	plain, reason := b.decrypt(r)
	if reason != "" {
		return store.Record{}, &Error{Partition: b.partition, Key: r.Key, Reason: reason}
	}
	r.ExpiresAt = store.FromMillis(int64(binary.BigEndian.Uint64(plain)))
	r.Value = plain[endBytes:]
	return r, nil
}

// decrypt decrypts and checks; the reason says why not.
func (b *box) decrypt(r store.Record) (plain []byte, reason string) {
	if len(r.Value) <= Overhead || r.Value[0] == 0 {
		return nil, malformed
	}
	if r.Value[0] > format {
		return nil, newerFormat
	}
	head, sealed := r.Value[:headBytes], r.Value[headBytes:]
	i := b.keys.indexOf(head[1 : 1+keyIDBytes])
	if i < 0 {
		return nil, unknownSecret
	}
	aead, err := b.cipher(i)
	if err != nil {
		return nil, malformed
	}
	plain, err = aead.Open(nil, head[1+keyIDBytes:], sealed, associatedData(head, b.partition, r.Key, r.Version))
	if err != nil {
		return nil, forged
	}
	if int64(binary.BigEndian.Uint64(plain)) != store.Millis(r.ExpiresAt) {
		return nil, endMoved
	}
	return plain, ""
}

// associatedData is what a sealed value is bound to: its own format and key id, and
// the record's name and version.
func associatedData(head []byte, partition, key string, version uint64) []byte {
	b := make([]byte, 0, 1+keyIDBytes+8+len(partition)+len(key)+8)
	b = append(b, head[:1+keyIDBytes]...)
	b = lengthPrefixed(b, partition, key)
	return binary.BigEndian.AppendUint64(b, version)
}

// lengthPrefixed appends parts, each after its length, so that no two lists of parts
// give the same bytes.
func lengthPrefixed(b []byte, parts ...string) []byte {
	for _, part := range parts {
		b = binary.BigEndian.AppendUint32(b, uint32(len(part)))
		b = append(b, part...)
	}
	return b
}
