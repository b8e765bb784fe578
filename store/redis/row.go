package redis

import (
	"encoding/binary"

	"github.com/attestgate/caddy-attest/store"
)

// A record's string begins with a format byte, the version and the end of the
// record; the value follows. The scripts know the places.
const (
	rowFormat  = 1
	rowVersion = 1 // the first of eight bytes
	rowEnd     = 9 // likewise
	rowHead    = 17
)

// encodeRow is the string that an op writes; nil deletes.
func encodeRow(op *store.Op) []byte {
	if op.Value == nil {
		return nil
	}
	b := make([]byte, 0, rowHead+len(op.Value))
	b = append(b, rowFormat)
	b = binary.BigEndian.AppendUint64(b, versionOf(op))
	b = binary.BigEndian.AppendUint64(b, uint64(store.Millis(op.ExpiresAt)))
	return append(b, op.Value...)
}

func versionOf(op *store.Op) uint64 {
	if op.Blind {
		return 0
	}
	return op.Expect + 1
}

// expected is how a record begins that an op may change; nothing where there must
// be none.
func expected(op *store.Op) []byte {
	if op.Expect == 0 {
		return nil
	}
	return binary.BigEndian.AppendUint64([]byte{rowFormat}, op.Expect)
}

func decodeRow(key, row string) (store.Record, error) {
	if len(row) <= rowHead || row[0] != rowFormat {
		return store.Record{}, errMalformed
	}
	return store.Record{
		Key:       key,
		Value:     []byte(row[rowHead:]),
		Version:   binary.BigEndian.Uint64([]byte(row[rowVersion:rowEnd])),
		ExpiresAt: store.FromMillis(int64(binary.BigEndian.Uint64([]byte(row[rowEnd:rowHead])))),
	}, nil
}
