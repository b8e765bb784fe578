package bolt

import (
	"fmt"
	"os"
	"strings"
	"syscall"
)

// holder names the process that has locked the file, as the kernel lists it (proc(5),
// /proc/locks); empty where it does not, as across containers.
func holder(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	locks, err := os.ReadFile("/proc/locks")
	if err != nil {
		return ""
	}
	dev := uint64(stat.Dev)                                             //nolint:unconvert // narrower on some machines
	major, minor := dev>>8&0xfff|dev>>32&^0xfff, dev&0xff|dev>>12&^0xff // makedev(3)
	file := fmt.Sprintf("%02x:%02x:%d", major, minor, stat.Ino)
	for _, line := range strings.Split(string(locks), "\n") {
		// 1: FLOCK ADVISORY WRITE 1234 08:01:5678 0 EOF
		if f := strings.Fields(line); len(f) > 5 && f[1] == "FLOCK" && f[5] == file && f[4] != "0" {
			return "process " + f[4]
		}
	}
	return ""
}
