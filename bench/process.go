package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// A program is a process that answers requests.
type program struct {
	name   string
	url    string
	admin  string // of its metrics and profiles; empty where it has none
	cmd    *exec.Cmd
	output bytes.Buffer
	start  time.Duration // until it listened
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

// start runs a command, and waits until something listens at the address. The command is the
// head of a process group, so that what it starts ends with it.
func start(name, address, dir string, environment []string, command ...string) (*program, error) {
	p := &program{name: name, url: "http://" + address}
	p.cmd = exec.Command(command[0], command[1:]...)
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = dir, &p.output, &p.output
	p.cmd.Env = append(append(os.Environ(), "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir, "HOME="+dir), environment...)
	p.cmd.SysProcAttr = ownGroup()
	began := time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	for time.Since(began) < 30*time.Second {
		if c, err := net.Dial("tcp", address); err == nil {
			p.start = time.Since(began)
			return p, c.Close()
		}
		time.Sleep(2 * time.Millisecond)
	}
	p.stop()
	return nil, fmt.Errorf("%s does not listen: %s", name, p.output.String())
}

func (p *program) stop() {
	if p == nil || p.cmd == nil {
		return
	}
	endGroup(p.cmd.Process)
	_ = p.cmd.Wait()
}

func (p *program) address() string { return strings.TrimPrefix(p.url, "http://") }

func (p *program) cpu() time.Duration {
	if p == nil {
		return 0
	}
	return cpuTime(p.cmd.Process.Pid)
}

// memory is what it has resident, in bytes.
func (p *program) memory() int64 {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.cmd.Process.Pid))
	fields := strings.Fields(string(data))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize())
}
