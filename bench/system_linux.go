package main

import (
	"os"
	"syscall"
	"time"
	"unsafe"
)

// cpuTime is what a process has run for, all its threads together, also those that have
// ended: its CPU clock (clock_getcpuclockid(3)), in nanoseconds. Those of /proc are counted
// in ticks, or are brought up to date at ticks.
func cpuTime(pid int) time.Duration {
	const scheduled = 2
	clock := uintptr(^pid<<3 | scheduled)
	var t syscall.Timespec
	if _, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, clock, uintptr(unsafe.Pointer(&t)), 0); errno != 0 {
		return 0
	}
	return time.Duration(t.Nano())
}

func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func endGroup(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGKILL) }
