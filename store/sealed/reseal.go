package sealed

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/attestgate/caddy-attest/store"
)

// Resealed is what a Reseal did.
type Resealed struct {
	// Seen is how many records there were (one that the store named twice is two),
	// Rewritten how many of them were sealed with a secret that is not the first,
	// and are now sealed with it.
	Seen, Rewritten int
	// Broken is how many do not open under any secret. They stay as they are.
	Broken int
}

const (
	// resealers is how many records are worked on at once: enough for a store that
	// syncs a disk to write many at a time, too few to be in the way of requests.
	resealers = 16
	// resealTries is how often a record is read again that another writer has just
	// changed: who has the same secrets has sealed it with the first.
	resealTries = 8
	// resealFaults is after how many records that cannot be read or written a pass
	// gives up.
	resealFaults = 64
)

// Reseal seals every record of the inner store with the first secret that is
// sealed with another, so that the others can be taken away. Nothing else of a
// record changes, and no watcher is reported. It goes on beside requests, and beside
// other Reseals; ctx ends it, and what it has done by then is done.
//
// A record that does not open is reported to Options.Fault and counted; it is never
// touched, and is no error. The error is errors.ErrUnsupported where the inner store
// is no store.Rewriter, and else what kept some records from being read or written:
// the counts are then of the others, and another Reseal does the rest. Nodes that
// still seal with another secret make more work meanwhile: only a Reseal that finds
// nothing to rewrite, after every node has the new secret first, is the last.
func (s *Store) Reseal(ctx context.Context) (Resealed, error) {
	rewriter, ok := s.inner.(store.Rewriter)
	if !ok {
		return Resealed{}, fmt.Errorf("sealed: the inner store cannot rewrite: %w", errors.ErrUnsupported)
	}
	p := &pass{Store: s, rewriter: rewriter}
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(resealers)
	scanned := rewriter.Scan(within, func(ref store.Ref) error {
		group.Go(func() error { return p.resealCounted(within, ref) })
		return within.Err()
	})
	err := group.Wait()
	if err == nil {
		err = scanned
	}
	return p.done, p.passError(ctx, err)
}

// A pass is one Reseal.
type pass struct {
	*Store
	rewriter store.Rewriter

	mu     sync.Mutex
	done   Resealed
	faults int
	fault  error // the first
}

// resealCounted brings one record under the first secret. The error ends the pass.
func (p *pass) resealCounted(ctx context.Context, ref store.Ref) error {
	did, err := p.reseal(ctx, ref)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var broken *Error
	if errors.As(err, &broken) {
		p.opts.Fault(ref)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case broken != nil:
		p.done.Seen++
		p.done.Broken++
	case err != nil:
		return p.countFault(err)
	default:
		p.done.Seen += did.Seen
		p.done.Rewritten += did.Rewritten
	}
	return nil
}

// countFault notes a fault of one record. One that is of the store as a whole, or one
// too many, is answered, and ends the pass.
func (p *pass) countFault(err error) error {
	if p.faults++; p.fault == nil {
		p.fault = err
	}
	if p.faults >= resealFaults || errors.Is(err, store.ErrFull) || errors.Is(err, store.ErrClosed) {
		return err
	}
	return nil
}

// passError is the error of the pass.
func (p *pass) passError(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case p.fault != nil:
		return fmt.Errorf("sealed: %d records could not be resealed, the first: %w", p.faults, p.fault)
	case err != nil:
		return fmt.Errorf("sealed: reseal: %w", err)
	}
	return nil
}

// reseal reads a record and writes it anew, again where it changes between the two.
func (p *pass) reseal(ctx context.Context, ref store.Ref) (did Resealed, err error) {
	err = store.Updater{Tries: resealTries}.Update(ctx, func(ctx context.Context) error {
		did, err = p.resealOnce(ctx, ref)
		return err
	})
	return did, err
}

func (p *pass) resealOnce(ctx context.Context, ref store.Ref) (Resealed, error) {
	records, err := p.inner.Get(ctx, ref.Partition, ref.Key)
	if err != nil || !records[0].Exists() {
		return Resealed{}, err
	}
	box, stored := p.keys.box(ref.Partition), records[0]
	opened, err := box.open(stored)
	if err != nil {
		return Resealed{}, err
	}
	if p.keys.indexOf(stored.Value[1:1+keyIDBytes]) == 0 {
		return Resealed{Seen: 1}, nil
	}
	value, err := box.seal(p.opts.Rand, rewritingOp(opened))
	if err != nil {
		return Resealed{}, err
	}
	if err := p.rewriter.Rewrite(ctx, ref, stored.Value, value); err != nil {
		return Resealed{}, err
	}
	return Resealed{Seen: 1, Rewritten: 1}, nil
}

// rewritingOp is an op that would write the record as it is.
func rewritingOp(r store.Record) *store.Op {
	op := &store.Op{Key: r.Key, Value: r.Value, ExpiresAt: r.ExpiresAt, Blind: r.Version == 0}
	if !op.Blind {
		op.Expect = r.Version - 1
	}
	return op
}
