package main

import (
	"bufio"
	"net/http"
	"strconv"
	"strings"
)

const (
	allocationsMetric = "go_memstats_mallocs_total"
	callsMetric       = "caddy_attest_store_call_duration_seconds_count"
)

// counters are the sums of two metrics.
type counters struct{ allocations, calls float64 }

func (c counters) less(d counters) counters {
	return counters{c.allocations - d.allocations, c.calls - d.calls}
}

func (c counters) per(requests int) counters {
	n := float64(max(requests, 1))
	return counters{c.allocations / n, c.calls / n}
}

// counters reads them; zero where the program has none.
func (p *program) counters() (c counters, err error) {
	if p.admin == "" {
		return c, nil
	}
	res, err := http.Get(p.admin + "/metrics")
	if err != nil {
		return c, err
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		switch name, value := sample(lines.Text()); name {
		case allocationsMetric:
			c.allocations += value
		case callsMetric:
			c.calls += value
		}
	}
	return c, lines.Err()
}

// sample reads a line of Prometheus' text format without its labels.
func sample(line string) (name string, value float64) {
	end := strings.LastIndexByte(line, ' ')
	if end < 0 || line[0] == '#' {
		return "", 0
	}
	name, _, _ = strings.Cut(line[:end], "{")
	value, _ = strconv.ParseFloat(line[end+1:], 64)
	return name, value
}
