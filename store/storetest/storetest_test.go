package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/memory"
	"github.com/attestgate/caddy-attest/store/storetest"
)

// flawVariable makes this test binary run the suite on a store with that flaw.
const flawVariable = "STORETEST_FLAW"

// flawed is a good store with one flaw.
type flawed struct {
	*memory.Store
	away  *atomic.Bool
	fault error // of a call while the backend is away
	get   func(ctx context.Context, partition string, keys ...string) ([]store.Record, error)
	list  func(ctx context.Context, tag string) ([]store.Ref, error)
	apply func(ctx context.Context, partition string, ops ...store.Op) error
	touch func(ctx context.Context, partition, key string, until time.Time) error
	watch func(ctx context.Context, fn func(store.Event)) error
	close func() error

	scan    func(ctx context.Context, fn func(store.Ref) error) error
	rewrite func(ctx context.Context, ref store.Ref, old, new []byte) error
}

func sound(s *memory.Store) *flawed {
	return &flawed{
		Store: s, away: new(atomic.Bool), fault: fmt.Errorf("flawed: %w", store.ErrUnavailable),
		get: s.Get, list: s.List, apply: s.Apply, touch: s.Touch,
		watch: s.Watch, close: s.Close, scan: s.Scan, rewrite: s.Rewrite,
	}
}

// served is what a call answers unless the backend is away.
func (f *flawed) served(err error) error {
	if f.away.Load() {
		return f.fault
	}
	return err
}

func (f *flawed) Get(ctx context.Context, partition string, keys ...string) ([]store.Record, error) {
	records, err := f.get(ctx, partition, keys...)
	return records, f.served(err)
}

func (f *flawed) List(ctx context.Context, tag string) ([]store.Ref, error) {
	refs, err := f.list(ctx, tag)
	return refs, f.served(err)
}

func (f *flawed) Apply(ctx context.Context, partition string, ops ...store.Op) error {
	return f.served(f.apply(ctx, partition, ops...))
}

func (f *flawed) Touch(ctx context.Context, partition, key string, until time.Time) error {
	return f.served(f.touch(ctx, partition, key, until))
}

func (f *flawed) Watch(ctx context.Context, fn func(store.Event)) error { return f.watch(ctx, fn) }
func (f *flawed) Close() error                                          { return f.close() }

func (f *flawed) Scan(ctx context.Context, fn func(store.Ref) error) error {
	return f.served(f.scan(ctx, fn))
}

func (f *flawed) Rewrite(ctx context.Context, ref store.Ref, old, new []byte) error {
	return f.served(f.rewrite(ctx, ref, old, new))
}

// flaws are the mistakes a backend can make, each with a case that must find it.
var flaws = map[string]struct {
	found string
	spoil func(f *flawed, clock *storetest.Clock)
}{
	"none": {"", func(*flawed, *storetest.Clock) {}},
	"versions are not looked at": {"apply/creates_once", func(f *flawed, _ *storetest.Clock) {
		f.apply = func(ctx context.Context, partition string, ops ...store.Op) error {
			for i := range ops {
				r, err := f.Store.Get(ctx, partition, ops[i].Key)
				if err == nil && !ops[i].Blind {
					ops[i].Expect = r[0].Version
				}
			}
			return f.Store.Apply(ctx, partition, ops...)
		}
	}},
	"deletes do not look at versions": {"apply/deletes", func(f *flawed, _ *storetest.Clock) {
		f.apply = func(ctx context.Context, partition string, ops ...store.Op) error {
			for i := range ops {
				if ops[i].Value == nil {
					ops[i].Blind, ops[i].Expect = true, 0
				}
			}
			return f.Store.Apply(ctx, partition, ops...)
		}
	}},
	"ops are done one by one": {"apply/none_also_of_what_came_before", func(f *flawed, _ *storetest.Clock) {
		f.apply = func(ctx context.Context, partition string, ops ...store.Op) error {
			if err := store.CheckApply(partition, ops); err != nil {
				return err
			}
			for _, op := range ops {
				if err := f.Store.Apply(ctx, partition, op); err != nil {
					return err
				}
			}
			return ctx.Err()
		}
	}},
	"keys are read one by one": {"concurrent/reads_see_one_state", func(f *flawed, _ *storetest.Clock) {
		f.get = func(ctx context.Context, partition string, keys ...string) (all []store.Record, err error) {
			for _, key := range keys {
				r, err := f.Store.Get(ctx, partition, key)
				if err != nil {
					return nil, err
				}
				all = append(all, r...)
				time.Sleep(100 * time.Microsecond)
			}
			return all, errors.Join(ctx.Err(), store.CheckKeys(partition))
		}
	}},
	"the store's time-to-live is forgotten": {"expiry/until_comes_first", func(f *flawed, _ *storetest.Clock) {
		f.apply = func(ctx context.Context, partition string, ops ...store.Op) error {
			for i := range ops {
				ops[i].Until = time.Time{}
			}
			return f.Store.Apply(ctx, partition, ops...)
		}
	}},
	"ends are kept in seconds": {"expiry/is_told_to_the_millisecond", func(f *flawed, _ *storetest.Clock) {
		f.apply = func(ctx context.Context, partition string, ops ...store.Op) error {
			for i := range ops {
				if !ops[i].ExpiresAt.IsZero() {
					ops[i].ExpiresAt = ops[i].ExpiresAt.Truncate(time.Minute).Add(time.Minute)
				}
			}
			return f.Store.Apply(ctx, partition, ops...)
		}
	}},
	"what expired is still read": {"expiry/at_the_end", func(f *flawed, clock *storetest.Clock) {
		still := clock.Now()
		late := memory.New(func() time.Time { return still })
		*f = *sound(late)
	}},
	"touch does nothing": {"touch/later", func(f *flawed, _ *storetest.Clock) {
		f.touch = func(ctx context.Context, partition, key string, _ time.Time) error {
			return errors.Join(ctx.Err(), store.CheckKeys(partition, key))
		}
	}},
	"touch is an event": {"watch/does_not_tell_of_the_rest", func(f *flawed, _ *storetest.Clock) {
		var heard func(store.Event)
		f.watch = func(ctx context.Context, fn func(store.Event)) error {
			heard = fn
			return f.Store.Watch(ctx, fn)
		}
		f.touch = func(ctx context.Context, partition, key string, until time.Time) error {
			if heard != nil {
				heard(store.Event{Ref: store.Ref{Partition: partition, Key: key}})
			}
			return f.Store.Touch(ctx, partition, key, until)
		}
	}},
	"a tag forgets": {"tags/of_many", func(f *flawed, _ *storetest.Clock) {
		f.list = func(ctx context.Context, tag string) ([]store.Ref, error) {
			refs, err := f.Store.List(ctx, tag)
			return refs[:min(len(refs), 100)], err
		}
	}},
	"a tag names twice": {"tags/across_partitions", func(f *flawed, _ *storetest.Clock) {
		f.list = func(ctx context.Context, tag string) ([]store.Ref, error) {
			refs, err := f.Store.List(ctx, tag)
			return append(refs, refs...), err
		}
	}},
	"watching begins without a flush": {"watch/begins_with_a_flush", func(f *flawed, _ *storetest.Clock) {
		f.watch = func(ctx context.Context, fn func(store.Event)) error {
			return f.Store.Watch(ctx, func(e store.Event) {
				fn(store.Event{Ref: e.Ref})
			})
		}
	}},
	"changes are told too late": {"watch/tells_before_Apply_returns", func(f *flawed, _ *storetest.Clock) {
		f.watch = func(ctx context.Context, fn func(store.Event)) error {
			return f.Store.Watch(ctx, func(e store.Event) {
				if e.Flush {
					fn(e)
					return
				}
				time.AfterFunc(time.Millisecond, func() { fn(e) })
			})
		}
	}},
	"names are not checked": {"limits/names_refused", func(f *flawed, _ *storetest.Clock) {
		f.list = func(ctx context.Context, tag string) ([]store.Ref, error) {
			if store.CheckName(tag) != nil {
				return nil, nil
			}
			return f.Store.List(ctx, tag)
		}
	}},
	"an empty value deletes": {"limits/senseless_ops", func(f *flawed, _ *storetest.Clock) {
		f.apply = func(ctx context.Context, partition string, ops ...store.Op) error {
			for i := range ops {
				if len(ops[i].Value) == 0 {
					ops[i].Value = nil
				}
			}
			return f.Store.Apply(ctx, partition, ops...)
		}
	}},
	"contexts are not looked at": {"context/cancelled", func(f *flawed, _ *storetest.Clock) {
		f.apply = func(ctx context.Context, partition string, ops ...store.Op) error {
			return f.Store.Apply(context.WithoutCancel(ctx), partition, ops...)
		}
	}},
	"closing does nothing": {"closed", func(f *flawed, _ *storetest.Clock) {
		f.close = func() error { return nil }
	}},
	"a rewrite does not look at what is there": {"rewrite/refuses_other_bytes", func(f *flawed, _ *storetest.Clock) {
		f.rewrite = func(ctx context.Context, ref store.Ref, _, new []byte) error {
			r, err := f.Store.Get(ctx, ref.Partition, ref.Key)
			if err != nil {
				return err
			}
			return f.Store.Rewrite(ctx, ref, r[0].Value, new)
		}
	}},
	"a rewrite is a change": {"rewrite/is_not_told", func(f *flawed, _ *storetest.Clock) {
		f.rewrite = func(ctx context.Context, ref store.Ref, _, new []byte) error {
			r, err := f.Store.Get(ctx, ref.Partition, ref.Key)
			if err != nil {
				return err
			}
			return f.Store.Apply(ctx, ref.Partition, store.Op{Key: ref.Key, Value: new, Expect: r[0].Version})
		}
	}},
	"a rewrite forgets what Touch set": {"rewrite/keeps_what_Touch_set", func(f *flawed, _ *storetest.Clock) {
		f.rewrite = func(ctx context.Context, ref store.Ref, old, new []byte) error {
			return errors.Join(f.Store.Rewrite(ctx, ref, old, new), f.Store.Touch(ctx, ref.Partition, ref.Key, time.Time{}))
		}
	}},
	"a scan forgets": {"scan/names_every_record", func(f *flawed, _ *storetest.Clock) {
		f.scan = func(ctx context.Context, fn func(store.Ref) error) error {
			n := 0
			return f.Store.Scan(ctx, func(ref store.Ref) error {
				if n++; n == 1000 {
					return nil
				}
				return fn(ref)
			})
		}
	}},
	"a scan goes on after an error": {"scan/ends_with_the_error_of_fn", func(f *flawed, _ *storetest.Clock) {
		f.scan = func(ctx context.Context, fn func(store.Ref) error) error {
			var first error
			err := f.Store.Scan(ctx, func(ref store.Ref) error {
				if err := fn(ref); first == nil {
					first = err
				}
				return nil
			})
			return errors.Join(err, first)
		}
	}},
	"an outage has no name": {"outage/is_no_answer", func(f *flawed, _ *storetest.Clock) {
		f.fault = errors.New("connection refused")
	}},
	"an outage is an answer": {"outage/is_no_answer", func(f *flawed, _ *storetest.Clock) {
		f.fault = nil
	}},
	"values are shared": {"get/values_are_the_caller's", func(f *flawed, _ *storetest.Clock) {
		shared := map[store.Ref][]byte{}
		f.apply = func(ctx context.Context, partition string, ops ...store.Op) error {
			err := f.Store.Apply(ctx, partition, ops...)
			for _, op := range ops {
				if err == nil && partition == "s:one" && op.Key == "a" {
					shared[store.Ref{Partition: partition, Key: op.Key}] = op.Value
				}
			}
			return err
		}
		f.get = func(ctx context.Context, partition string, keys ...string) ([]store.Record, error) {
			records, err := f.Store.Get(ctx, partition, keys...)
			for i := range records {
				if v := shared[store.Ref{Partition: partition, Key: records[i].Key}]; records[i].Exists() && v != nil {
					records[i].Value = v
				}
			}
			return records, err
		}
	}},
}

// TestSuite runs the suite on a good store or, as a child of the test below, on a
// flawed one.
func TestSuite(t *testing.T) {
	name := os.Getenv(flawVariable)
	if name == "" {
		name = "none"
	}
	open := func(clock *storetest.Clock) *flawed {
		f := sound(memory.New(clock.Now))
		flaws[name].spoil(f, clock)
		return f
	}
	storetest.Run(t, func(t *testing.T, clock *storetest.Clock) store.Store { return open(clock) })
	storetest.RunOutage(t, func(t *testing.T, clock *storetest.Clock) storetest.Outage {
		f := open(clock)
		return storetest.Outage{Store: f, Away: func() { f.away.Store(true) }, Back: func() { f.away.Store(false) }}
	})
}

// A suite that finds nothing proves nothing: each flaw is found, by the case that
// is meant for it.
func TestSuiteFindsEveryFlaw(t *testing.T) {
	if os.Getenv(flawVariable) != "" {
		t.Skip("this is the child")
	}
	for name, flaw := range flaws {
		if name == "none" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			run := "^TestSuite$/^" + strings.ReplaceAll(flaw.found, "/", "$/^") + "$"
			child := exec.Command(os.Args[0], "-test.run", run)
			child.Env = append(os.Environ(), flawVariable+"="+name)
			child.Dir = t.TempDir()
			out, err := child.CombinedOutput()
			if err == nil {
				t.Fatalf("the suite passes: %s", out)
			}
			if want := "--- FAIL: TestSuite/" + flaw.found; !strings.Contains(string(out), want) {
				t.Errorf("%s does not find it: %s", flaw.found, out)
			}
		})
	}
}
