package lock

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// ThisProcess identifies this process for others on the same machine: the boot of its kernel, its namespace of process ids, its id
// there, when it began, for ids are used again, and a token. The token names a file that is put into dir, where whoever runs on the same
// machine finds it. Only that proves that it is the same: machines that were cloned from one snapshot have all the rest in common.
//
// remove takes the file away when the process holds no lock any more. The identity is "" where the system does not tell enough for one.
func ThisProcess(dir string) (process string, remove func()) {
	none := func() {}
	place, began := processPlace(), processBegan(os.Getpid())
	if place == "" || began == "" {
		return "", none
	}
	token := rand.Text()
	if os.WriteFile(signOf(dir, token), nil, 0o644) != nil {
		return "", none
	}
	return fmt.Sprintf("%s %d %s %s", place, os.Getpid(), began, token), func() {
		_ = os.Remove(signOf(dir, token)) // one that stays says no more than one of a process that was killed
	}
}

// ProcessGone reports whether a process is known for certain to have ended: its sign is in dir, so it ran on this very machine, since its
// boot and among the processes that are seen from here; and its id is nobody's, or another's. What can't be seen may live.
func ProcessGone(dir, process string) bool {
	return ended(process, here{
		place:  processPlace(),
		signed: func(token string) bool { _, err := os.Lstat(signOf(dir, token)); return err == nil },
		absent: processAbsent,
		began:  processBegan,
	})
}

// here is the machine of whoever asks.
type here struct {
	place  string
	signed func(token string) bool
	absent func(pid int) bool   // no process has the id, whoever may see it
	began  func(pid int) string // "" when it can't be seen
}

func ended(process string, here here) bool {
	rest, ok := strings.CutPrefix(process, here.place+" ")
	if !ok || here.place == "" {
		return false
	}
	var pid int
	var since, token string
	if n, err := fmt.Sscanf(rest, "%d %s %s", &pid, &since, &token); n != 3 || err != nil || pid <= 0 {
		return false
	}
	if strings.ContainsFunc(token, func(r rune) bool { return (r < 'A' || r > 'Z') && (r < '2' || r > '7') }) || !here.signed(token) {
		return false
	}
	if here.absent(pid) {
		return true
	}
	now := here.began(pid)
	return now != "" && now != since
}

// signOf is the file that a process leaves as its sign.
func signOf(dir, token string) string { return filepath.Join(dir, "kiban-"+token) }

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

// processAbsent asks the kernel, which hides no process from a signal: one that this user may not signal is refused, and not denied to be
// there, as /proc with hidepid does.
func processAbsent(pid int) bool {
	p, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	defer func() { _ = p.Release() }() // it holds no more than a descriptor
	err = p.Signal(syscall.Signal(0))
	return errors.Is(err, os.ErrProcessDone) || errors.Is(err, syscall.ESRCH)
}

// buried stands for the beginning of a process that is dead and not yet buried: no living one began there.
const buried = "dead"

// processBegan is when the process began, in the kernel's ticks since boot; buried when it is dead and its parent has not yet asked for its
// end; "" when it can't be seen.
func processBegan(pid int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	// The second field is the program's name in parentheses, which may hold anything; state is the third and starttime the 22nd
	// (proc_pid_stat(5)).
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	switch {
	case len(fields) < 20:
		return ""
	case fields[0] == "Z" || fields[0] == "X":
		return buried
	}
	return fields[19]
}
