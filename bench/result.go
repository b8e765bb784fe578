package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A result is what one scenario showed. Ratios are of CPU time for each request.
type result struct {
	Scenario string  `json:"scenario"`
	Clients  int     `json:"clients"`
	Plain    float64 `json:"plain_us"` // CPU of plain Caddy for a request, in microseconds
	Limit    spread  `json:"limit"`
	Gateway  spread  `json:"gateway"`
	// OfLimit is gateway to limit.
	OfLimit spread `json:"gateway_to_limit"`
	// Others are further programs.
	Others map[string]spread `json:"others,omitempty"`
	// Of the gateway.
	PerSecond   float64       `json:"requests_per_second"`
	P50         time.Duration `json:"p50_ns"`
	P99         time.Duration `json:"p99_ns"`
	Refused     float64       `json:"refused"`     // of the requests
	Allocations float64       `json:"allocations"` // for a request, beyond those of plain
	StoreCalls  float64       `json:"store_calls"` // for a request
	Resident    int64         `json:"resident_bytes"`
	Start       time.Duration `json:"start_ns"` // until it listens
	// CPU of Redis for a request of limit and of the gateway, and what it keeps.
	RedisLimit float64 `json:"redis_limit_us"`
	Redis      float64 `json:"redis_us"`
	RedisKeeps int64   `json:"redis_bytes"`
}

// A spread is a median with its quartiles.
type spread struct {
	Low    float64 `json:"q1"`
	Median float64 `json:"median"`
	High   float64 `json:"q3"`
}

func spreadOf(values []float64) spread {
	slices.Sort(values)
	at := func(q float64) float64 { return values[int(q*float64(len(values)-1)+0.5)] }
	return spread{at(0.25), at(0.5), at(0.75)}
}

func (s spread) String() string { return fmt.Sprintf("%.2f [%.2f–%.2f]", s.Median, s.Low, s.High) }

// ratios pair each slice with that of another in the same round.
func (c *contestant) ratios(to *contestant) spread {
	var list []float64
	for i, t := range c.slices {
		list = append(list, t.cpuEach()/to.slices[i].cpuEach())
	}
	return spreadOf(list)
}

func (c *contestant) median(of func(taken) float64) float64 {
	var values []float64
	for _, t := range c.slices {
		values = append(values, of(t))
	}
	return spreadOf(values).Median
}

// quantile is the median of the slices' own.
func (c *contestant) quantile(q float64) time.Duration {
	return time.Duration(c.median(func(t taken) float64 { return t.latency(q) }))
}

func (c *contestant) refused() float64 {
	refused, all := 0, 0
	for _, t := range c.slices {
		refused, all = refused+t.refused, all+t.requests
	}
	return float64(refused) / float64(max(all, 1))
}

func (r *run) result() result {
	plain, limit, gateway := r.contestants[0], r.contestants[1], r.contestants[2]
	out := result{
		Scenario: r.scenario.name, Clients: r.options.clients, Plain: plain.median(taken.cpuEach) / 1000,
		Limit: limit.ratios(plain), Gateway: gateway.ratios(plain), OfLimit: gateway.ratios(limit),
		PerSecond: gateway.median(taken.perSecond), P50: gateway.quantile(0.5), P99: gateway.quantile(0.99), Refused: gateway.refused(),
		Allocations: gateway.counted.allocations - plain.counted.allocations, StoreCalls: gateway.counted.calls,
		Resident: gateway.program.memory(), Start: gateway.program.start,
		RedisLimit: limit.median(taken.storeEach) / 1000, Redis: gateway.median(taken.storeEach) / 1000, RedisKeeps: r.stores.used(),
	}
	for _, other := range r.contestants[3:] {
		if out.Others == nil {
			out.Others = map[string]spread{}
		}
		out.Others[other.program.name] = other.ratios(plain)
	}
	return out
}

// head is that of the table, for a page in Markdown.
const head = "| scenario | plain µs | limit × plain | gateway × plain | gateway × limit | objects | store calls | Redis µs (limit) | requests/s | p50 | p99 | MB |\n|---|---|---|---|---|---|---|---|---|---|---|---|"

func (r result) row() string {
	text := fmt.Sprintf("| %s | %.0f | %s | %s | %.2f | %.0f | %.1f | %.0f (%.0f) | %.0f | %s | %s | %d |", r.Scenario, r.Plain, r.Limit, r.Gateway, r.OfLimit.Median,
		r.Allocations, r.StoreCalls, r.Redis, r.RedisLimit, r.PerSecond, r.P50.Round(10*time.Microsecond), r.P99.Round(10*time.Microsecond), r.Resident>>20)
	if r.Refused > 0 {
		text += fmt.Sprintf(" %.1f %% refused |", 100*r.Refused)
	}
	var others []string
	for name, s := range r.Others {
		others = append(others, fmt.Sprintf(" %s: %s |", name, s))
	}
	slices.Sort(others)
	return text + strings.Join(others, "")
}
