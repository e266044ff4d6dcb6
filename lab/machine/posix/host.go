package posix

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// kernel is what the machines claim to run.
const kernel = "6.1.0-31-amd64"

func id(_ context.Context, c *Call) int {
	o, err := c.parse("u", "g", "n", "G", "r")
	if err != nil {
		return c.usage("%v", err)
	}
	u := c.User
	if len(o.args) > 0 {
		var ok bool
		if u, ok = c.System.account(o.args[0]); !ok {
			fmt.Fprintf(c.Err, "id: '%s': no such user\n", o.args[0])
			return 1
		}
	}
	switch {
	case o.has("n"):
		fmt.Fprintln(c.Out, u.Name)
	case o.has("u"):
		fmt.Fprintln(c.Out, u.UID)
	case o.has("g", "G"):
		fmt.Fprintln(c.Out, u.GID)
	default:
		fmt.Fprintf(c.Out, "uid=%d(%s) gid=%d(%s) groups=%d(%s)\n", u.UID, u.Name, u.GID, u.Name, u.GID, u.Name)
	}
	return 0
}

func whoami(_ context.Context, c *Call) int {
	fmt.Fprintln(c.Out, c.User.Name)
	return 0
}

func getent(_ context.Context, c *Call) int {
	if len(c.Args) < 2 {
		return c.usage("wrong number of arguments")
	}
	file := map[string]string{"passwd": "/etc/passwd", "group": "/etc/group", "hosts": "/etc/hosts"}[c.Args[1]]
	if file == "" {
		fmt.Fprintf(c.Err, "Unknown database: %s\n", c.Args[1])
		return 1
	}
	b, err := c.Files.ReadFile(file)
	if err != nil {
		return 2
	}
	status := 2
	for _, l := range strings.Split(strings.TrimSpace(string(b)), "\n") {
		fields := strings.FieldsFunc(l, func(r rune) bool { return r == ':' || r == ' ' || r == '\t' })
		if len(c.Args) == 2 || slices.Contains(fields[:min(3, len(fields))], c.Args[2]) {
			fmt.Fprintln(c.Out, l)
			status = 0
		}
	}
	return status
}

func uname(_ context.Context, c *Call) int {
	o, err := c.parse("s", "m", "r", "n", "a", "o", "p", "i", "v")
	if err != nil {
		return c.usage("%v", err)
	}
	var parts []string
	for _, p := range []struct{ flag, text string }{{"s", "Linux"}, {"n", c.System.Hostname()}, {"r", kernel}, {"v", "#1 SMP Debian 6.1.128-1"}, {"m", "x86_64"}, {"o", "GNU/Linux"}} {
		if o.has(p.flag) || o.has("a") {
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

// date knows -u, -d, -r, -Is and the usual verbs.
func date(_ context.Context, c *Call) int {
	o, err := c.parse("u", "d:", "I:", "R", "r:", "date=", "utc", "iso-8601=")
	if err != nil {
		return c.usage("%v", err)
	}
	t := c.System.Now()
	if o.has("d", "date") {
		if t, err = parseTime(o.value("d", "date"), t); err != nil {
			fmt.Fprintf(c.Err, "date: invalid date '%s'\n", o.value("d", "date"))
			return 1
		}
	}
	if o.has("r") {
		fi, err := c.Files.Stat(o.value("r"))
		if err != nil {
			return c.fail(err)
		}
		t = fi.ModTime()
	}
	t = t.UTC() // the machines' time zone is UTC
	format := "%a %b %e %H:%M:%S UTC %Y"
	switch {
	case o.has("I", "iso-8601"):
		format = "%Y-%m-%dT%H:%M:%S+00:00"
	case len(o.args) > 0 && strings.HasPrefix(o.args[0], "+"):
		format = o.args[0][1:]
	case len(o.args) > 0:
		fmt.Fprintln(c.Err, "date: cannot set date: Operation not permitted")
		return 1
	}
	fmt.Fprintln(c.Out, strftime(format, t))
	return 0
}

func strftime(f string, t time.Time) string {
	var b strings.Builder
	for i := 0; i < len(f); i++ {
		if f[i] != '%' || i+1 == len(f) {
			b.WriteByte(f[i])
			continue
		}
		i++
		switch f[i] {
		case 's':
			b.WriteString(strconv.FormatInt(t.Unix(), 10))
		case 'N':
			fmt.Fprintf(&b, "%09d", t.Nanosecond())
		case '3':
			if i+1 < len(f) && f[i+1] == 'N' {
				i++
				fmt.Fprintf(&b, "%03d", t.Nanosecond()/1e6)
			}
		case '%':
			b.WriteByte('%')
		default:
			layout, ok := map[byte]string{'Y': "2006", 'm': "01", 'd': "02", 'e': "_2", 'H': "15", 'M': "04", 'S': "05", 'y': "06", 'F': "2006-01-02", 'T': "15:04:05",
				'a': "Mon", 'b': "Jan", 'Z': "MST", 'z': "-0700", 'j': "002"}[f[i]]
			if !ok {
				b.WriteString(f[i-1 : i+1])
				continue
			}
			b.WriteString(t.Format(layout))
		}
	}
	return b.String()
}

func uptime(_ context.Context, c *Call) int {
	up := c.System.Now().Sub(c.System.Booted())
	if len(c.Args) > 1 && c.Args[1] == "-s" {
		fmt.Fprintln(c.Out, c.System.Booted().UTC().Format("2006-01-02 15:04:05"))
		return 0
	}
	fmt.Fprintf(c.Out, " %s up %d min,  1 user,  load average: 0.10, 0.12, 0.09\n", c.System.Now().UTC().Format("15:04:05"), int(up.Minutes()))
	return 0
}

func nproc(_ context.Context, c *Call) int {
	fmt.Fprintln(c.Out, 16)
	return 0
}

func free(_ context.Context, c *Call) int {
	fmt.Fprintln(c.Out, "               total        used        free      shared  buff/cache   available")
	fmt.Fprintln(c.Out, "Mem:        65807484     2231044    61012312        1892     3121400    63576440")
	return 0
}

func mount(_ context.Context, c *Call) int {
	if len(c.Args) == 1 {
		fmt.Fprintln(c.Out, "/dev/vda1 on / type ext4 (rw,relatime)\ncgroup2 on /sys/fs/cgroup type cgroup2 (rw)\nproc on /proc type proc (rw)")
		return 0
	}
	if c.User.UID != 0 {
		fmt.Fprintln(c.Err, "mount: must be superuser to use mount.")
		return 32
	}
	return 0
}

func mountpoint(_ context.Context, c *Call) int {
	p := c.Args[len(c.Args)-1]
	if slices.Contains([]string{"/", "/proc", "/sys/fs/cgroup", "/run"}, p) {
		return 0
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
	status := 0
	for _, n := range c.Args[1:] {
		p, err := c.find(n)
		if err != nil {
			status = 1
			continue
		}
		fmt.Fprintln(c.Out, p)
	}
	return status
}
