package main

import (
	"bytes"
	"fmt"
	"html"
	"slices"
	"time"
)

// A result is what one scenario showed. Ratios are of CPU time for each request.
type result struct {
	Scenario string  `json:"scenario"`
	Plain    float64 `json:"plain_us"` // CPU of plain Caddy for a request, in microseconds
	Limit    spread  `json:"limit"`
	Gateway  spread  `json:"gateway"`
	// Others are further programs.
	Others map[string]spread `json:"others,omitempty"`
	// Of the gateway.
	PerSecond   float64       `json:"requests_per_second"`
	P50         time.Duration `json:"p50_ns"`
	P99         time.Duration `json:"p99_ns"`
	Allocations float64       `json:"allocations"` // for a request, beyond those of plain
	StoreCalls  float64       `json:"store_calls"` // for a request
	Redis       float64       `json:"redis_us"`    // CPU of Redis for a request of gateway or limit
	Resident    int64         `json:"resident_bytes"`
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

func (s spread) String() string { return fmt.Sprintf("%5.2f [%.2f–%.2f]", s.Median, s.Low, s.High) }

func perRequest(t taken) float64 { return float64(t.cpu) / float64(max(t.requests, 1)) }

// ratios pair each slice with that of plain in the same round.
func ratios(c, plain *contestant) spread {
	var list []float64
	for i, t := range c.slices {
		list = append(list, perRequest(t)/perRequest(plain.slices[i]))
	}
	return spreadOf(list)
}

func medianOf(list []taken, of func(taken) float64) float64 {
	var values []float64
	for _, t := range list {
		values = append(values, of(t))
	}
	return spreadOf(values).Median
}

func resultOf(name string, list []*contestant, redis int64) result {
	plain, limit, gateway := list[0], list[1], list[2]
	r := result{Scenario: name, Limit: ratios(limit, plain), Gateway: ratios(gateway, plain), Resident: gateway.program.memory()}
	r.Plain = medianOf(plain.slices, perRequest) / 1000
	each := func(of func(taken) float64) func(taken) float64 {
		return func(t taken) float64 { return of(t) / float64(max(t.requests, 1)) }
	}
	allocations, calls := each(func(t taken) float64 { return t.allocations }), each(func(t taken) float64 { return t.calls })
	r.Allocations = medianOf(gateway.slices, allocations) - medianOf(plain.slices, allocations)
	r.StoreCalls = medianOf(gateway.slices, calls)
	r.PerSecond = medianOf(gateway.slices, func(t taken) float64 { return float64(t.requests) / t.elapsed.Seconds() })
	quantile := func(q float64) time.Duration {
		return time.Duration(medianOf(gateway.slices, func(t taken) float64 { return float64(t.latencies[int(q*float64(len(t.latencies)-1))]) }))
	}
	r.P50, r.P99 = quantile(0.5), quantile(0.99)
	requests := 0
	for _, t := range append(slices.Clone(gateway.slices), limit.slices...) {
		requests += t.requests
	}
	r.Redis = float64(redis) / 1000 / float64(max(requests, 1))
	for _, other := range list[3:] {
		if r.Others == nil {
			r.Others = map[string]spread{}
		}
		r.Others[other.program.name] = ratios(other, plain)
	}
	return r
}

const head = "| scenario | plain µs | limit × plain | gateway × plain | objects | store calls | Redis µs | requests/s | p50 | p99 | MB |\n|---|---|---|---|---|---|---|---|---|---|---|"

func (r result) row() string {
	text := fmt.Sprintf("| %s | %.0f | %s | %s | %.0f | %.1f | %.0f | %.0f | %s | %s | %d |", r.Scenario, r.Plain, r.Limit, r.Gateway, r.Allocations, r.StoreCalls, r.Redis,
		r.PerSecond, r.P50.Round(10*time.Microsecond), r.P99.Round(10*time.Microsecond), r.Resident>>20)
	for name, s := range r.Others {
		text += fmt.Sprintf(" %s: %s |", name, s)
	}
	return text
}

// drawn is a bar for each scenario: the limit dark, what the gateway takes beyond it light.
func drawn(results []result) []byte {
	const row, left, unit = 22, 260, 90.0
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="900" height="%d" font-family="sans-serif" font-size="12">`+"\n", row*(len(results)+1))
	for i, r := range results {
		y := row * i
		fmt.Fprintf(&b, `<text x="0" y="%d">%s</text><rect x="%d" y="%d" width="%.0f" height="14" fill="#9bd"/><rect x="%d" y="%d" width="%.0f" height="14" fill="#357"/><text x="%.0f" y="%d">%.2f</text>`+"\n",
			y+14, html.EscapeString(r.Scenario), left, y+3, unit*r.Gateway.Median, left, y+3, unit*r.Limit.Median, left+unit*r.Gateway.Median+6, y+14, r.Gateway.Median)
	}
	fmt.Fprintf(&b, `<text x="%d" y="%d">CPU × plain Caddy; dark: the least work</text></svg>`+"\n", left, row*len(results)+14)
	return b.Bytes()
}
