package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

var notOfNames = regexp.MustCompile(`[^a-z0-9]+`)

// profile has the gateway profiled while it is driven once more, if that is wanted: CPU and
// allocations, as files of pprof and their first twenty lines as text.
func (r *run) profile() error {
	if r.options.pprof == "" || r.scenario.control {
		return nil
	}
	if err := os.MkdirAll(r.options.pprof, 0o755); err != nil {
		return err
	}
	for kind, index := range map[string]string{"profile": "cpu", "allocs": "alloc_objects"} {
		if err := r.profiled(kind, index, 4*time.Second); err != nil {
			return err
		}
	}
	return nil
}

// profiled drives the gateway a little longer than it is profiled.
func (r *run) profiled(kind, index string, long time.Duration) error {
	gateway, fetched := r.contestants[2], make(chan error, 1)
	gateway.prepare(long + time.Second)
	go func() { fetched <- r.fetch(gateway.program, kind, index, long) }()
	_, err := gateway.slice(r.options, long+time.Second, r.stores)
	return errors.Join(err, <-fetched)
}

func (r *run) fetch(p *program, kind, index string, long time.Duration) error {
	res, err := http.Get(fmt.Sprintf("%s/debug/pprof/%s?seconds=%.0f", p.admin, kind, long.Seconds()))
	if err != nil {
		return err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	name := filepath.Join(r.options.pprof, strings.Trim(notOfNames.ReplaceAllString(strings.ToLower(r.scenario.name), "-"), "-")+"."+kind)
	if err := os.WriteFile(name+".pb.gz", data, 0o644); err != nil {
		return err
	}
	text, err := exec.Command("go", "tool", "pprof", "-top", "-nodecount=20", "-sample_index="+index, r.machine.binary, name+".pb.gz").Output()
	if err != nil {
		return err
	}
	return os.WriteFile(name+".txt", text, 0o644)
}
