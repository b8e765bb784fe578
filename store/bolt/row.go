package bolt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"

	"github.com/attestgate/caddy-attest/store"
)

// errRow reports bytes in the file that this package has not written.
var errRow = errors.New("the file holds a malformed record")

// readRow is a record as it stands in the file: version, expires and until as eight
// bytes each, the number of tags, each tag after its length, the value.
type row struct {
	version uint64
	expires int64 // milliseconds, 0: never
	until   int64 // likewise; never later than expires
	tags    []string
	value   []byte
}

const rowHead = 8 + 8 + 8 + 1

func newRow(op *store.Op) row {
	r := row{
		expires: store.Millis(op.ExpiresAt),
		until:   store.Millis(op.End()),
		tags:    slices.Compact(slices.Sorted(slices.Values(op.Tags))),
		value:   op.Value,
	}
	if !op.Blind {
		r.version = op.Expect + 1
	}
	return r
}

func (r *row) encode() []byte {
	size := rowHead + len(r.value)
	for _, tag := range r.tags {
		size += 1 + len(tag)
	}
	b := make([]byte, 0, size)
	b = binary.BigEndian.AppendUint64(b, r.version)
	b = binary.BigEndian.AppendUint64(b, uint64(r.expires))
	b = binary.BigEndian.AppendUint64(b, uint64(r.until))
	b = append(b, byte(len(r.tags)))
	for _, tag := range r.tags {
		b = append(b, byte(len(tag)))
		b = append(b, tag...)
	}
	return append(b, r.value...)
}

// decodeRow reads a row. Its value is a part of b, which is the file's own and
// only valid within the transaction.
func decodeRow(b []byte) (row, error) {
	if len(b) < rowHead {
		return row{}, errRow
	}
	r := row{
		version: binary.BigEndian.Uint64(b),
		expires: int64(binary.BigEndian.Uint64(b[8:])),
		until:   int64(binary.BigEndian.Uint64(b[16:])),
	}
	tags, b := int(b[rowHead-1]), b[rowHead:]
	for range tags {
		if len(b) == 0 || len(b) <= int(b[0]) {
			return row{}, errRow
		}
		n := int(b[0])
		r.tags = append(r.tags, string(b[1:1+n]))
		b = b[1+n:]
	}
	if len(b) == 0 {
		return row{}, errRow
	}
	r.value = b
	return r, nil
}

func (r *row) live(now int64) bool { return r.until == 0 || r.until > now }

// record is the row as callers see it, with a value of its own.
func (r *row) record(key string) store.Record {
	return store.Record{
		Key:       key,
		Value:     bytes.Clone(r.value),
		Version:   r.version,
		ExpiresAt: store.FromMillis(r.expires),
	}
}

// joinName joins parts to a key of a bucket.
func joinName(parts ...string) []byte { return []byte(strings.Join(parts, "\x00")) }

// endName is the key of the index of ends; it sorts by time.
func endName(until int64, record []byte) []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(until)), record...)
}

// parseRecordName is the way back from joinName(partition, key).
func parseRecordName(record []byte) (store.Ref, bool) {
	partition, key, ok := strings.Cut(string(record), "\x00")
	return store.Ref{Partition: partition, Key: key}, ok
}
