package machine

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"kiban.dev/kiban/lab/machine/posix"
)

// generated are the files of a machine that do not lie on its disk.
type generated struct {
	m *Machine
}

// binNames are the programs of /usr/bin, sorted.
func binNames() []string {
	ns := append(posix.Names(), "systemctl", "journalctl", "reboot", "shutdown")
	slices.Sort(ns)
	return ns
}

func (g generated) File(p string) ([]byte, fs.FileMode, bool) {
	if name, ok := strings.CutPrefix(p, "/usr/bin/"); ok {
		if _, found := slices.BinarySearch(g.m.lab.bins, name); found {
			return []byte("\x7fELF"), 0o755, true
		}
		return nil, 0, false
	}
	var text string
	switch p {
	case "/proc/uptime":
		up := g.m.now().Sub(g.m.bootTime()).Seconds()
		text = fmt.Sprintf("%.2f %.2f\n", up, up*15)
	case "/proc/1/cgroup":
		text = "0::/init.scope\n"
	case "/proc/1/comm":
		text = "systemd\n"
	case "/proc/meminfo":
		text = g.m.hardware.MemInfo()
	case "/proc/loadavg":
		text = "0.10 0.12 0.09 1/312 4242\n"
	case "/proc/version":
		text = "Linux version " + g.m.hardware.Kernel() + " (debian-kernel@lists.debian.org)\n"
	case "/proc/filesystems":
		text = "nodev\tsysfs\nnodev\tcgroup2\n\text4\n"
	case "/proc/mounts", "/proc/self/mounts":
		text = "/dev/vda1 / ext4 rw,relatime 0 0\ncgroup2 /sys/fs/cgroup cgroup2 rw,nosuid,nodev,noexec,relatime 0 0\n"
	case "/proc/sys/kernel/hostname":
		text = g.m.hostname() + "\n"
	case "/proc/sys/kernel/osrelease":
		text = g.m.hardware.Kernel() + "\n"
	case "/proc/sys/kernel/random/boot_id":
		text = fmt.Sprintf("%s-0000-4000-8000-%012x\n", identity(g.m.Name)[:8], g.m.bootTime().UnixMilli())
	case "/proc/sys/net/ipv4/ip_forward":
		text = "1\n"
	case "/sys/fs/cgroup/cgroup.controllers":
		text = "cpuset cpu io memory hugetlb pids rdma misc\n"
	default:
		return nil, 0, false
	}
	return []byte(text), 0o444, true
}

func (g generated) Names(dir string) []string {
	switch dir {
	case "/usr/bin":
		return g.m.lab.bins
	case "/proc":
		return []string{"1", "filesystems", "loadavg", "meminfo", "mounts", "sys", "uptime", "version"}
	case "/proc/1":
		return []string{"cgroup", "comm"}
	case "/proc/self":
		return []string{"mounts"}
	case "/proc/sys":
		return []string{"kernel", "net"}
	case "/proc/sys/kernel":
		return []string{"hostname", "osrelease", "random"}
	case "/proc/sys/kernel/random":
		return []string{"boot_id"}
	case "/proc/sys/net":
		return []string{"ipv4"}
	case "/proc/sys/net/ipv4":
		return []string{"ip_forward"}
	case "/sys/fs/cgroup":
		return []string{"cgroup.controllers"}
	case "/dev":
		return []string{"null"}
	}
	return nil
}

// skeleton is what lies on a fresh machine's disk: path to content; a path that ends in a slash is a folder.
func (m *Machine) skeleton() []struct {
	path, content string
	mode          fs.FileMode
} {
	return []struct {
		path, content string
		mode          fs.FileMode
	}{
		{"/etc/systemd/system/", "", 0o755}, {"/usr/bin/", "", 0o755}, {"/usr/lib/", "", 0o755}, {"/usr/local/bin/", "", 0o755},
		{"/usr/local/sbin/", "", 0o755},
		{"/usr/sbin/", "", 0o755}, {"/var/lib/", "", 0o755}, {"/var/log/", "", 0o755}, {"/var/tmp/", "", fs.ModeSticky | 0o777},
		{"/tmp/", "", fs.ModeSticky | 0o777},
		{"/run/systemd/system/", "", 0o755}, {"/run/lock/", "", fs.ModeSticky | 0o777}, {"/root/", "", 0o700}, {"/home/ops/", "", 0o755},
		{"/sys/fs/cgroup/", "", 0o755},
		{"/etc/os-release", "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\n" +
			"VERSION=\"12 (bookworm)\"\nVERSION_CODENAME=bookworm\nID=debian\n", 0o644},
		{"/etc/hostname", m.Name + "\n", 0o644},
		{"/etc/hosts", "127.0.0.1 localhost\n" + m.Address + " " + m.Name + "\n", 0o644},
		{"/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nops:x:1000:1000:ops:/home/ops:/bin/sh\n", 0o644},
		{"/etc/group", "root:x:0:\nops:x:1000:\n", 0o644},
		{"/etc/machine-id", identity(m.Name) + "\n", 0o444},
		{"/etc/environment", "", 0o644},
	}
}

// identity is 32 digits that no other name has, so that no two machines of a lab are taken for one.
func identity(name string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(name)))[:32] }

// bootTime is when the machine was switched on, by its own clock.
func (m *Machine) bootTime() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.booted.Add(m.faults.skew)
}
