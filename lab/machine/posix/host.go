package posix

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

func id(_ context.Context, c *Call) int {
	o, err := c.parse("u", "g", "n", "G", "r")
	kinds := 0
	for _, k := range []string{"u", "g", "G"} {
		if o.has(k) {
			kinds++
		}
	}
	switch {
	case err != nil:
	case kinds > 1:
		err = errors.New("cannot print \"only\" of more than one choice")
	case kinds == 0 && o.has("n", "r"):
		err = errors.New("cannot print only names or real IDs in default format")
	case len(o.args) > 1:
		err = errors.New("more than one user is not in the lab")
	}
	if err != nil {
		return c.usage("%v", err)
	}
	u := c.User
	if len(o.args) > 0 {
		var ok bool
		if u, ok = c.System.account(o.args[0]); !ok {
			u, ok = c.System.accountOf(o.args[0])
			if !ok {
				fmt.Fprintf(c.Err, "id: '%s': no such user\n", o.args[0])
				return 1
			}
		}
	}
	group := c.System.groupName(u.GID)
	switch {
	case kinds == 0:
		fmt.Fprintf(c.Out, "uid=%d(%s) gid=%d(%s) groups=%d(%s)\n", u.UID, u.Name, u.GID, group, u.GID, group)
	case o.has("u") && o.has("n"):
		fmt.Fprintln(c.Out, u.Name)
	case o.has("u"):
		fmt.Fprintln(c.Out, u.UID)
	case o.has("n"):
		fmt.Fprintln(c.Out, group)
	default:
		fmt.Fprintln(c.Out, u.GID)
	}
	return 0
}

func whoami(_ context.Context, c *Call) int {
	o, err := c.parse()
	if err == nil && len(o.args) > 0 {
		err = fmt.Errorf("extra operand '%s'", o.args[0])
	}
	if err != nil {
		return c.usage("%v", err)
	}
	fmt.Fprintln(c.Out, c.User.Name)
	return 0
}

// getent looks up names and numbers in passwd and group, names and addresses in hosts.
func getent(_ context.Context, c *Call) int {
	o, err := c.parse()
	if err != nil {
		c.usage("%v", err)
		return 64
	}
	const hint = "Try `getent --help' or `getent --usage' for more information."
	if len(o.args) == 0 {
		fmt.Fprintln(c.Err, "getent: wrong number of arguments")
		fmt.Fprintln(c.Out, hint)
		return 1
	}
	base, keys := o.args[0], o.args[1:]
	file := map[string]string{"passwd": "/etc/passwd", "group": "/etc/group", "hosts": "/etc/hosts"}[base]
	if file == "" {
		fmt.Fprintf(c.Err, "Unknown database: %s\n", base)
		fmt.Fprintln(c.Out, hint)
		return 1
	}
	b, err := c.Files.ReadFile(file)
	if err != nil {
		return 2
	}
	all := strings.Split(strings.TrimSpace(string(b)), "\n")
	if len(keys) == 0 {
		fmt.Fprintln(c.Out, strings.Join(all, "\n"))
		return 0
	}
	status := 0
	for _, k := range keys {
		i := slices.IndexFunc(all, func(l string) bool {
			if base == "hosts" {
				return slices.Contains(strings.Fields(l), k)
			}
			f := strings.Split(l, ":")
			return f[0] == k || len(f) > 2 && f[2] == k
		})
		if i < 0 {
			status = 2
			continue
		}
		fmt.Fprintln(c.Out, all[i])
	}
	return status
}

func uname(_ context.Context, c *Call) int {
	o, err := c.parse("s", "m", "r", "n", "a", "o", "p", "i", "v")
	if err == nil && len(o.args) > 0 {
		err = fmt.Errorf("extra operand '%s'", o.args[0])
	}
	if err != nil {
		return c.usage("%v", err)
	}
	hw := c.System.Hardware.Filled()
	var parts []string
	for _, p := range []struct{ flag, text string }{{"s", "Linux"}, {"n", c.System.Hostname()}, {"r", hw.Kernel()}, {"v",
		"#1 SMP Debian 6.1.128-1"}, {"m", hw.Machine()}, {"p", "unknown"}, {"i", "unknown"}, {"o", "GNU/Linux"}} {
		if o.has(p.flag) || o.has("a") && p.text != "unknown" {
			parts = append(parts, p.text)
		}
	}
	if parts == nil {
		parts = []string{"Linux"}
	}
	fmt.Fprintln(c.Out, strings.Join(parts, " "))
	return 0
}

func hostname(_ context.Context, c *Call) int {
	o, err := c.parse("s", "f", "I", "i")
	if err != nil {
		return c.usage("%v", err)
	}
	name := c.System.Hostname()
	switch {
	case o.has("I", "i"):
		fmt.Fprintln(c.Out, c.System.Address)
	case o.has("s"):
		name, _, _ = strings.Cut(name, ".")
		fmt.Fprintln(c.Out, name)
	case len(o.args) > 0:
		if c.User.UID != 0 {
			fmt.Fprintln(c.Err, "hostname: you must be root to change the host name")
			return 1
		}
		return c.check(c.Files.WriteFile("/etc/hostname", []byte(o.args[0]+"\n"), 0o644))
	default:
		fmt.Fprintln(c.Out, name)
	}
	return 0
}

func uptime(_ context.Context, c *Call) int {
	o, err := c.parse("s")
	if err == nil && len(o.args) > 0 {
		err = fmt.Errorf("extra operand '%s'", o.args[0])
	}
	if err != nil {
		return c.usage("%v", err)
	}
	if o.has("s") {
		fmt.Fprintln(c.Out, c.System.Booted().UTC().Format("2006-01-02 15:04:05"))
		return 0
	}
	up := c.System.Now().Sub(c.System.Booted())
	fmt.Fprintf(c.Out, " %s up %d min,  1 user,  load average: 0.10, 0.12, 0.09\n", c.System.Now().UTC().Format("15:04:05"), int(up.Minutes()))
	return 0
}

func nproc(_ context.Context, c *Call) int {
	o, err := c.parse("all")
	if err == nil && len(o.args) > 0 {
		err = fmt.Errorf("extra operand '%s'", o.args[0])
	}
	if err != nil {
		return c.usage("%v", err)
	}
	fmt.Fprintln(c.Out, c.System.Hardware.Filled().CPUs)
	return 0
}

// free tells of a machine that runs next to nothing.
func free(_ context.Context, c *Call) int {
	o, err := c.parse("k", "m", "b")
	if err == nil && len(o.args) > 0 {
		err = fmt.Errorf("unexpected argument '%s'", o.args[0])
	}
	if err != nil {
		return c.usage("%v", err)
	}
	unit := int64(1)
	show := func(name string, kib ...int64) {
		fmt.Fprintf(c.Out, "%-9s", name)
		for i, n := range kib {
			width := 12
			if i == 0 {
				width = 11
			}
			if o.has("b") {
				n *= 1024
			}
			fmt.Fprintf(c.Out, "%*d", width, n/unit)
		}
		fmt.Fprintln(c.Out)
	}
	if o.latest("k", "m", "b") == "m" {
		unit = 1024
	}
	fmt.Fprintln(c.Out, "               total        used        free      shared  buff/cache   available")
	total := c.System.Hardware.Filled().Memory >> 10
	show("Mem:", total, ofOrdinary(total, 2231044), ofOrdinary(total, 61012312), ofOrdinary(total, 1892), ofOrdinary(total, 3121400),
		ofOrdinary(total, 63576440))
	show("Swap:", 0, 0, 0)
	return 0
}

// mount lists what is mounted, and makes mounts shared or private, which means nothing to a machine with one disk; it mounts nothing.
func mount(_ context.Context, c *Call) int {
	o, err := c.parse("make-rshared", "make-shared", "make-rprivate", "make-private")
	if err != nil {
		return c.usage("%v", err)
	}
	switch {
	case len(c.Args) == 1:
		fmt.Fprintln(c.Out, "/dev/vda1 on / type ext4 (rw,relatime)\ncgroup2 on /sys/fs/cgroup type cgroup2 (rw)\nproc on /proc type proc (rw)")
		return 0
	case c.User.UID != 0:
		fmt.Fprintln(c.Err, "mount: must be superuser to use mount.")
		return 32
	case len(o.set) == 0 || len(o.args) != 1:
		fmt.Fprintln(c.Err, "mount: mounting is not in the lab")
		return 32
	case !slices.Contains(mountPoints(), o.args[0]):
		fmt.Fprintf(c.Err, "mount: %s: mount point not mounted or bad option.\n", o.args[0])
		return 32
	}
	return 0
}

func mountPoints() []string { return []string{"/", "/proc", "/sys/fs/cgroup", "/run"} }

func mountpoint(_ context.Context, c *Call) int {
	o, err := c.parse("q")
	if err == nil && len(o.args) != 1 {
		err = errors.New("bad usage")
	}
	if err != nil {
		return c.usage("%v", err)
	}
	p := o.args[0]
	if slices.Contains(mountPoints(), p) {
		if !o.has("q") {
			fmt.Fprintf(c.Out, "%s is a mountpoint\n", p)
		}
		return 0
	}
	if _, err := c.Files.Stat(p); err != nil {
		if !o.has("q") {
			c.fail(err)
		}
		return 1
	}
	if !o.has("q") {
		fmt.Fprintf(c.Out, "%s is not a mountpoint\n", p)
	}
	return 32
}

// ip answers for one network card, eth0, with the machine's address.
func ip(_ context.Context, c *Call) int {
	var words []string
	for _, a := range c.Args[1:] {
		if !strings.HasPrefix(a, "-") {
			words = append(words, a)
		}
	}
	text := strings.Join(words, " ") + " "
	switch {
	case strings.HasPrefix(text, "r"):
		if strings.Contains(text, "scope global ") {
			return 0
		}
		fmt.Fprintf(c.Out, "default via %s dev eth0\n", c.System.Address)
	case strings.HasPrefix(text, "a"):
		fmt.Fprintf(c.Out, "2: eth0    inet %s/8 scope global eth0\n", c.System.Address)
	case strings.HasPrefix(text, "l"):
		fmt.Fprintln(c.Out, "2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 state UP")
	default:
		fmt.Fprintf(c.Err, "Object \"%s\" is unknown, try \"ip help\".\n", strings.TrimSpace(text))
		return 1
	}
	return 0
}

func which(_ context.Context, c *Call) int {
	o, err := c.parse("a")
	if err != nil {
		c.usage("%v", err)
		return 2
	}
	status := 0
	if len(o.args) == 0 {
		status = 1
	}
	for _, n := range o.args {
		p, err := c.find(n)
		if err != nil {
			status = 1
			continue
		}
		if strings.Contains(n, "/") {
			p = n
		}
		fmt.Fprintln(c.Out, p)
	}
	return status
}
