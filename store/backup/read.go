package backup

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/sealed"
)

var (
	// ErrNotEmpty reports a store that holds records. What is newer there, such as a
	// revocation, would be undone, or what is older brought back.
	ErrNotEmpty = errors.New("backup: the store is not empty")
	// ErrFile reports a file that is none of this package's, or not whole.
	ErrFile = errors.New("backup: no whole file of this package's")
)

// Options are what Read needs.
type Options struct {
	// Secrets open the records of the file, and the first seals them anew.
	Secrets [][]byte
	// Skip tells of a record, opened, that it is to be left out. Default: none.
	Skip func(ref store.Ref, value []byte) bool
	// DryRun checks all that Read checks, counts, and writes nothing.
	DryRun bool
	// Now is the clock by which records have ended. Default: time.Now.
	Now func() time.Time
}

// Done is what a Read did, in records.
type Done struct {
	// MadeAt is when the file was made: nothing newer is in it.
	MadeAt  time.Time
	Written int
	// Skipped is how many Options.Skip has left out, Ended how many had ended since
	// the file was made.
	Skipped, Ended int
}

// Read brings the records of a file into a store that has none. All of the file is read
// and opened before anything is written. The error is ErrNotEmpty, ErrFile, a
// *sealed.Error for a record that opens under none of the secrets, or a fault of the
// store: then some records are written, and the store must be emptied before another
// Read.
func Read(ctx context.Context, file io.ReadSeeker, into store.Store, opts Options) (Done, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if err := checkEmpty(ctx, into); err != nil {
		return Done{}, err
	}
	target, err := sealed.New(into, opts.Secrets, sealed.Options{Now: opts.Now})
	if err != nil {
		return Done{}, err
	}
	check := &pass{opts: opts, write: func(context.Context, *record, store.Record) error { return nil }}
	if err := check.run(ctx, file); err != nil {
		return Done{}, err
	}
	if opts.DryRun {
		return check.done(), nil
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return Done{}, fmt.Errorf("backup: read again: %w", err)
	}
	p := &pass{opts: opts, write: func(ctx context.Context, r *record, opened store.Record) error {
		return target.Apply(ctx, r.Partition, opOf(r, opened))
	}}
	err = p.run(ctx, file)
	return p.done(), err
}

// checkEmpty refuses a store in which a record exists.
func checkEmpty(ctx context.Context, s store.Store) error {
	rewriter, ok := s.(store.Rewriter)
	if !ok {
		return fmt.Errorf("backup: this store cannot say whether it is empty: %w", errors.ErrUnsupported)
	}
	return rewriter.Scan(ctx, func(ref store.Ref) error {
		records, err := s.Get(ctx, ref.Partition, ref.Key)
		if err == nil && records[0].Exists() {
			err = ErrNotEmpty
		}
		return err
	})
}

// A pass goes through a file once.
type pass struct {
	opts  Options
	write func(context.Context, *record, store.Record) error

	madeAt                  time.Time
	written, skipped, ended atomic.Int64
}

// writers is how many records are written at once: a store that syncs a disk writes
// many in one transaction.
const writers = 64

// maxLine is above the largest record, in base64, with its names and tags.
const maxLine = 2 << 20

func (p *pass) run(ctx context.Context, file io.Reader) error {
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(writers)
	var err error
	p.madeAt, err = eachRecord(file, func(r *record) error {
		group.Go(func() error { return p.bring(within, r) })
		return within.Err()
	})
	if failed := group.Wait(); failed != nil {
		return failed
	}
	return err
}

// bring opens one record and writes it, unless it has ended or is to be skipped.
func (p *pass) bring(ctx context.Context, r *record) error {
	opener, err := sealed.New(only{r}, p.opts.Secrets, sealed.Options{Now: p.opts.Now})
	if err != nil {
		return err
	}
	records, err := opener.Get(ctx, r.Partition, r.Key)
	switch {
	case err != nil:
		return err
	case !records[0].Exists(), r.Until != 0 && r.Until <= store.Millis(p.opts.Now()):
		p.ended.Add(1)
		return nil
	case p.opts.Skip != nil && p.opts.Skip(store.Ref{Partition: r.Partition, Key: r.Key}, records[0].Value):
		p.skipped.Add(1)
		return nil
	}
	if err := p.write(ctx, r, records[0]); err != nil {
		return fmt.Errorf("backup: write: %w", err)
	}
	p.written.Add(1)
	return nil
}

func (p *pass) done() Done {
	return Done{MadeAt: p.madeAt, Written: int(p.written.Load()), Skipped: int(p.skipped.Load()), Ended: int(p.ended.Load())}
}

// opOf makes the record anew: its version begins at 1 again.
func opOf(r *record, opened store.Record) store.Op {
	return store.Op{
		Key: r.Key, Blind: r.Version == 0, Value: opened.Value, ExpiresAt: opened.ExpiresAt,
		Until: store.FromMillis(r.Until), Tags: r.Tags,
	}
}

// Count answers how many records a file has, or an ErrFile where it is not whole.
func Count(file io.Reader) (records int, err error) {
	_, err = eachRecord(file, func(*record) error {
		records++
		return nil
	})
	return records, err
}

// eachRecord calls fn with the records of a file, and answers when it was made; or an
// ErrFile where it is not whole.
func eachRecord(file io.Reader, fn func(*record) error) (madeAt time.Time, err error) {
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, maxLine)
	for n := -1; lines.Scan(); {
		var l line
		err := json.Unmarshal(lines.Bytes(), &l)
		switch {
		case err == nil && n < 0 && l.Head != nil && l.Head.Format == format:
			n, madeAt = 0, l.Head.MadeAt
		case err == nil && n < 0 && l.Head != nil && l.Head.Format > format:
			return madeAt, fmt.Errorf("%w: a newer release has written it", ErrFile)
		case err == nil && n >= 0 && l.Record != nil:
			n++
			if err := fn(l.Record); err != nil {
				return madeAt, err
			}
		case err == nil && n >= 0 && l.End != nil && l.End.Records == n:
			return madeAt, nil
		default:
			return madeAt, fmt.Errorf("%w: after %d records", ErrFile, max(n, 0))
		}
	}
	if err := lines.Err(); err != nil {
		return madeAt, fmt.Errorf("%w: %w", ErrFile, err)
	}
	return madeAt, fmt.Errorf("%w: it is cut off", ErrFile)
}
