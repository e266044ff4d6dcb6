package lock

import (
	"bytes"
	"fmt"
	"os"
	"strings"
)

// ThisProcess identifies this process for others on the same machine: the boot of its kernel, its namespace of process ids, its id
// there, and when it began, for ids are used again. "" where the system does not tell.
func ThisProcess() string {
	place := processPlace()
	began := processBegan(os.Getpid())
	if place == "" || began == "" {
		return ""
	}
	return fmt.Sprintf("%s %d %s", place, os.Getpid(), began)
}

// ProcessGone reports whether a process is known to have ended: it ran here, where it would be seen, and is not there. What ran elsewhere
// is never known to have ended.
func ProcessGone(process string) bool {
	return ended(process, processPlace(), processBegan)
}

func ended(process, here string, began func(pid int) string) bool {
	rest, ok := strings.CutPrefix(process, here+" ")
	if !ok || here == "" {
		return false
	}
	var pid int
	var since string
	if n, err := fmt.Sscanf(rest, "%d %s", &pid, &since); n != 2 || err != nil {
		return false
	}
	return began(pid) != since
}

// processPlace is the kernel's boot and the namespace that process ids count in.
func processPlace() string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	space, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(boot)) + " " + space
}

// processBegan is when the process began, in the kernel's ticks since boot; "" when there is none, or it is dead and not yet buried.
func processBegan(pid int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	// The second field is the program's name in parentheses, which may hold anything; state is the third and starttime the 22nd
	// (proc_pid_stat(5)).
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 20 || fields[0] == "Z" || fields[0] == "X" {
		return ""
	}
	return fields[19]
}
