package bolt

import (
	"bytes"
	"encoding/binary"
)

// sweepPerCommit is how many expired records are removed beside the work of one
// transaction: about as many as it can have added.
const sweepPerCommit = 256

// sweep removes what has expired, the longest dead first, at most so many, and
// tells how many it removed.
func (t table) sweep(most int) (int, error) {
	for n := range most {
		end, _ := t.ends.Cursor().First()
		if len(end) < 8 || int64(binary.BigEndian.Uint64(end)) > t.now {
			return n, nil
		}
		if err := t.bury(bytes.Clone(end)); err != nil {
			return n, err
		}
	}
	return most, nil
}

// bury removes the record that an entry of the index of ends names, and the entry
// itself even where there is no such record or it lives.
func (t table) bury(end []byte) error {
	record := end[8:]
	r, err := t.row(record)
	if err != nil {
		return err
	}
	if r != nil && !r.live(t.now) {
		if err := t.remove(record); err != nil {
			return err
		}
	}
	return t.ends.Delete(end)
}
