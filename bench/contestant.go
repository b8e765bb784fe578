package main

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A contestant is a program with the requests that are made to it, and what was measured.
type contestant struct {
	program *program
	visitor *visitor
	next    func() call
	queue   []call
	slices  []taken
	rate    float64  // requests a second, of the last slice
	counted counters // for a request
}

// taken is one slice.
type taken struct {
	requests, refused int
	cpu, store        time.Duration
	elapsed           time.Duration
	latencies         []time.Duration
}

func (t taken) cpuEach() float64   { return float64(t.cpu) / float64(max(t.requests, 1)) }
func (t taken) storeEach() float64 { return float64(t.store) / float64(max(t.requests, 1)) }
func (t taken) perSecond() float64 { return float64(t.requests) / t.elapsed.Seconds() }

func (t taken) latency(q float64) float64 {
	return float64(t.latencies[int(q*float64(len(t.latencies)-1))])
}

// prepare makes requests ahead of a slice, so that signing tokens does not compete with what
// is measured: twice of what it is likely to take. What it leaves is for the next.
func (c *contestant) prepare(length time.Duration) {
	for want := int(2 * c.rate * length.Seconds()); len(c.queue) < max(want, 1000); {
		c.queue = append(c.queue, c.next())
	}
}

// slice drives the program for a while. Only requests happen between the readings of the
// clocks.
func (c *contestant) slice(o options, length time.Duration, stores fleet) (taken, error) {
	c.prepare(length)
	d := &drive{contestant: c, until: time.Now().Add(length)}
	began, cpu, store := time.Now(), c.program.cpu(), stores.cpu()
	var work sync.WaitGroup
	for range o.clients {
		work.Go(d.client)
	}
	work.Wait()
	d.cpu, d.store, d.elapsed = c.program.cpu()-cpu, stores.cpu()-store, time.Since(began)
	c.queue = c.queue[min(int(d.sent.Load()), len(c.queue)):]
	d.requests = len(d.latencies)
	slices.Sort(d.latencies)
	c.rate = d.perSecond()
	return d.taken, d.verdict()
}

// A drive is a slice that goes on.
type drive struct {
	taken
	contestant *contestant
	until      time.Time
	sent       atomic.Int64
	mu         sync.Mutex
	failed     error
}

func (d *drive) client() {
	var own []time.Duration
	refusals := 0
	var failed error
	for time.Now().Before(d.until) {
		i := int(d.sent.Add(1)) - 1
		if i >= len(d.contestant.queue) {
			break
		}
		at := time.Now()
		_, err := d.contestant.visitor.send(d.contestant.queue[i])
		if err != nil {
			failed = err
			if !errors.As(err, new(*refused)) {
				break
			}
			refusals++
		}
		own = append(own, time.Since(at))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.latencies, d.refused = append(d.latencies, own...), d.refused+refusals
	if failed != nil {
		d.failed = failed
	}
}

// verdict is an error where nothing was answered as it should be, or not at all: such a slice
// measures something else.
func (d *drive) verdict() error {
	if d.failed != nil && (d.refused == 0 || d.refused == d.requests) {
		return fmt.Errorf("%s: %w", d.contestant.program.name, d.failed)
	}
	if d.requests == 0 {
		return fmt.Errorf("%s answered nothing", d.contestant.program.name)
	}
	return nil
}

// count has a slice counted. What reading the counters costs is counted first.
func (c *contestant) count(o options, stores fleet) error {
	first, err := c.program.counters()
	if err != nil {
		return err
	}
	before, err := c.program.counters()
	if err != nil {
		return err
	}
	t, err := c.slice(o, 3*o.slice, stores)
	if err != nil {
		return err
	}
	after, err := c.program.counters()
	c.counted = after.less(before).less(before.less(first)).per(t.requests)
	return err
}
