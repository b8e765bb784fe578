package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A program is a process that answers requests.
type program struct {
	name   string
	pid    int
	url    string
	admin  string // of its metrics; empty where it has none
	cmd    *exec.Cmd
	output bytes.Buffer
}

// parseFurther reads name=pid=url.
type further = program

func parseFurther(text string) (f further, err error) {
	parts := strings.SplitN(text, "=", 3)
	if len(parts) != 3 {
		return f, fmt.Errorf("expected name=pid=url")
	}
	f.name, f.url = parts[0], parts[2]
	f.pid, err = strconv.Atoi(parts[1])
	return f, err
}

// freeAddress is a loopback address that nobody listens at.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// start runs a command, and waits until something listens at the address.
func start(name, address, dir string, command ...string) (*program, error) {
	p := &program{name: name, url: "http://" + address}
	p.cmd = exec.Command(command[0], command[1:]...)
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = dir, &p.output, &p.output
	p.cmd.Env = append(os.Environ(), "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir, "HOME="+dir)
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	p.pid = p.cmd.Process.Pid
	for range 600 {
		if c, err := net.Dial("tcp", address); err == nil {
			return p, c.Close()
		}
		time.Sleep(50 * time.Millisecond)
	}
	p.stop()
	return nil, fmt.Errorf("%s does not listen: %s", name, p.output.String())
}

func (p *program) stop() {
	if p == nil || p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// cpu is the time that the process has run for, all its threads together, in nanoseconds:
// the first number of each schedstat (Linux).
func (p *program) cpu() (total int64) {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.pid))
	for _, path := range threads {
		data, err := os.ReadFile(path)
		if err != nil {
			continue // the thread has ended
		}
		first, _, _ := strings.Cut(string(data), " ")
		n, _ := strconv.ParseInt(first, 10, 64)
		total += n
	}
	return total
}

// memory is what it has resident, in bytes.
func (p *program) memory() int64 {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.pid))
	fields := strings.Fields(string(data))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize())
}

// metric is the sum of a metric's series; 0 where there is none.
func (p *program) metric(name string) (sum float64) {
	if p.admin == "" {
		return 0
	}
	res, err := http.Get(p.admin + "/metrics")
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		series, value, _ := strings.Cut(strings.Replace(lines.Text(), "} ", "}\x00", 1), "\x00")
		if value == "" {
			series, value, _ = strings.Cut(lines.Text(), " ")
		}
		if series == name || strings.HasPrefix(series, name+"{") {
			v, _ := strconv.ParseFloat(strings.TrimSpace(value), 64)
			sum += v
		}
	}
	return sum
}
