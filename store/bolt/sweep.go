package bolt

import (
	"bytes"
	"encoding/binary"
	"time"
)

const (
	// sweepPerCommit is how many expired records are removed beside the work of one
	// transaction: more than most add, so that they go as fast as they came.
	sweepPerCommit = 1024
	// sweepPause is how long the writer rests where more have expired: 300,000 are
	// gone within a minute or two, and writes go between.
	sweepPause = 20 * time.Millisecond
)

// removeExpired removes what has expired, the longest dead first, at most so many, and
// reports how many it removed.
func (t table) removeExpired(most int) (int, error) {
	c := t.ends.Cursor()
	var ended [][]byte
	for end, _ := c.First(); len(ended) < most && t.hasPassed(end); end, _ = c.Next() {
		ended = append(ended, bytes.Clone(end))
	}
	for _, end := range ended {
		if err := t.removeEnded(end); err != nil {
			return 0, err
		}
	}
	return len(ended), nil
}

// hasPassed reads the time at the beginning of an entry of the index of ends.
func (t table) hasPassed(end []byte) bool {
	return len(end) >= 8 && int64(binary.BigEndian.Uint64(end)) <= t.now
}

// removeEnded removes the record that an entry of the index of ends names, and the
// entry itself even where there is no such record or it lives.
func (t table) removeEnded(end []byte) error {
	record := end[8:]
	r, err := t.readRow(record)
	if err != nil || r != nil && !r.live(t.now) {
		if err := t.removeRecord(record); err != nil {
			return err
		}
	}
	return t.ends.Delete(end)
}
