package store_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/attestgate/caddy-attest/store"
)

// counted counts how often it was closed.
type counted struct {
	closed atomic.Int32
	err    error
}

func (c *counted) Close() error {
	c.closed.Add(1)
	return c.err
}

func TestLeaseIsClosedAfterItsLastUse(t *testing.T) {
	c := &counted{err: errors.New("fault")}
	l := store.NewLease(c)
	one, _ := l.Use()
	two, _ := l.Use()
	l.Close()
	l.Close()
	one()
	one() // a release counts once
	if c.closed.Load() != 0 {
		t.Fatal("closed while it is used")
	}
	if _, ok := l.Use(); ok {
		t.Error("a use began after Close")
	}
	two()
	<-l.Closed()
	if n := c.closed.Load(); n != 1 || l.Err() != c.err {
		t.Errorf("closed %d times, %v", n, l.Err())
	}
}

func TestLeaseThatNobodyUsesIsClosedAtOnce(t *testing.T) {
	c := &counted{}
	store.NewLease(c).Close()
	if c.closed.Load() != 1 {
		t.Error("not closed")
	}
	empty := store.NewLease(nil)
	empty.Close()
	<-empty.Closed()
}

// Nothing that has begun is closed under its user, and all is closed in the end.
func TestLeaseUnderLoad(t *testing.T) {
	c := &counted{}
	l := store.NewLease(c)
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			for {
				release, ok := l.Use()
				if !ok {
					return
				}
				if c.closed.Load() > 0 {
					t.Error("closed while it is used")
				}
				release()
			}
		})
	}
	all.Go(l.Close)
	all.Wait()
	<-l.Closed()
	if n := c.closed.Load(); n != 1 {
		t.Errorf("closed %d times", n)
	}
}
