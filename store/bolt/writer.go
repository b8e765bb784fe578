package bolt

import (
	"context"
	"errors"
	"runtime"
	"time"

	"go.etcd.io/bbolt"

	"github.com/attestgate/caddy-attest/store"
)

// maxGroup bounds how many writes share a transaction, so that the first of them
// does not wait for an endless one.
const maxGroup = 256

// write is one change that a caller asks for.
type write struct {
	// check refuses the write alone, before anything is changed; nil allows it.
	check func(table) error
	// change does it. Its error is the fault of everything in the transaction.
	change func(table) error
	// announce is called when it is, or may be, done.
	announce func()
	// refusal is what check answered.
	refusal error
	// done gets the answer; its buffer holds one.
	done chan error
}

// errNothing is the refusal of a write that finds nothing to do. Its caller is
// answered nil.
var errNothing = errors.New("nothing to do")

// submitWrite hands a write to the writer and waits for the answer, or for the end of
// ctx: what the writer has begun by then is still done.
func (s *Store) submitWrite(ctx context.Context, w *write) error {
	if err := s.checkUsable(ctx); err != nil {
		return err
	}
	w.done = make(chan error, 1)
	select {
	case s.writes <- w:
	case <-s.closing:
		return store.ErrClosed
	case <-s.broken:
		return s.wrapFault(s.err())
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-w.done:
		return err
	case <-s.broken:
		return s.wrapFault(s.err())
	case <-ctx.Done():
		return ctx.Err()
	}
}

// writer is the one goroutine that changes the file. While it waits for the disk,
// the next group gathers.
func (s *Store) writer() {
	defer close(s.stopped)
	sweep := time.NewTimer(s.opts.SweepEvery)
	defer sweep.Stop()
	for {
		var group []*write
		select {
		case <-s.closing:
			return
		case <-s.broken:
			return
		case w := <-s.writes:
			group = s.gatherWrites(w)
		case <-sweep.C:
		}
		sweep.Reset(s.untilSweep(s.commit(group)))
	}
}

// untilSweep is when to sweep next: soon where more has expired than the last
// transaction removed.
func (s *Store) untilSweep(swept int) time.Duration {
	if swept == sweepPerCommit {
		return min(sweepPause, s.opts.SweepEvery)
	}
	return s.opts.SweepEvery
}

// gatherWrites adds to the first write those that are waiting too. Yielding once lets
// the callers of the group before, just answered, come along again.
func (s *Store) gatherWrites(first *write) []*write {
	group := []*write{first}
	runtime.Gosched()
	for len(group) < maxGroup {
		select {
		case w := <-s.writes:
			group = append(group, w)
		default:
			return group
		}
	}
	return group
}

// commit does the group in one transaction, answers each, and reports how many
// expired records went with it. It answers no refusal before the transaction has
// ended, so that a caller that lost a race and reads again finds the winner's
// record.
func (s *Store) commit(group []*write) (swept int) {
	err := s.guarded(func() (err error) {
		swept, err = s.update(group)
		return err
	})
	err = s.wrapFault(err)
	for _, w := range group {
		switch {
		case w.refusal == nil:
			if w.announce != nil {
				w.announce()
			}
			w.done <- err
		case w.refusal == errNothing:
			w.done <- nil
		case errors.Is(w.refusal, store.ErrConflict):
			w.done <- store.ErrConflict
		default:
			w.done <- s.wrapFault(w.refusal)
		}
	}
	return swept
}

// update is the transaction. Where nothing changes it is rolled back, which costs
// no sync of the disk.
func (s *Store) update(group []*write) (swept int, err error) {
	if err := s.file.checkPath(); err != nil {
		return 0, err
	}
	err = s.file.db.Update(func(tx *bbolt.Tx) error {
		t := tableOf(tx, s.now())
		done, err := t.applyWrites(group)
		if err != nil {
			return err
		}
		swept, err = t.removeExpired(sweepPerCommit)
		if err == nil && done+swept == 0 {
			return errNothing
		}
		return err
	})
	if err == errNothing {
		return 0, nil
	}
	s.commits++
	return swept, err
}

// applyWrites does every write that is not refused and reports how many those were.
func (t table) applyWrites(group []*write) (int, error) {
	done := 0
	for _, w := range group {
		if w.check != nil {
			w.refusal = w.check(t)
		}
		if w.refusal != nil {
			continue
		}
		if err := w.change(t); err != nil {
			return done, err
		}
		done++
	}
	return done, nil
}
