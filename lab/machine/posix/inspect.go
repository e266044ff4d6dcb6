package posix

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"kiban.dev/kiban/lab/machine/disk"
)

// unixMode is st_mode.
func unixMode(m fs.FileMode) uint32 {
	n := uint32(m.Perm())
	switch {
	case m.IsDir():
		n |= unix.S_IFDIR
	case m&fs.ModeSymlink != 0:
		n |= unix.S_IFLNK
	case m&fs.ModeCharDevice != 0:
		n |= unix.S_IFCHR
	case m&fs.ModeSocket != 0:
		n |= unix.S_IFSOCK
	default:
		n |= unix.S_IFREG
	}
	for bit, flag := range map[uint32]fs.FileMode{unix.S_ISVTX: fs.ModeSticky, unix.S_ISGID: fs.ModeSetgid, unix.S_ISUID: fs.ModeSetuid} {
		if m&flag != 0 {
			n |= bit
		}
	}
	return n
}

func kind(m fs.FileMode, size int64) string {
	switch {
	case m.IsDir():
		return "directory"
	case m&fs.ModeSymlink != 0:
		return "symbolic link"
	case m&fs.ModeCharDevice != 0:
		return "character special file"
	case m&fs.ModeSocket != 0:
		return "socket"
	case size == 0:
		return "regular empty file"
	}
	return "regular file"
}

// letters is a mode as `ls -l` writes it.
func letters(m fs.FileMode) string {
	t := "-"
	switch {
	case m.IsDir():
		t = "d"
	case m&fs.ModeSymlink != 0:
		t = "l"
	case m&fs.ModeCharDevice != 0:
		t = "c"
	}
	b := []byte(t + strings.TrimPrefix(fs.FileMode(m.Perm()).String(), "-"))
	if m&fs.ModeSticky != 0 {
		b[9] = 't'
	}
	return string(b)
}

var statVerb = regexp.MustCompile(`%[#.0-9-]*[a-zA-Z%]`)

func stat(_ context.Context, c *Call) int {
	o, err := c.parse("c:", "L", "f", "t", "format=", "printf=")
	if err != nil || len(o.args) == 0 {
		return c.usage("missing operand")
	}
	format, newline := o.value("c", "format"), "\n"
	if o.has("printf") {
		format, newline = strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\0`, "\x00").Replace(o.value("printf")), ""
	}
	status := 0
	for _, p := range o.args {
		get := c.Files.Lstat
		if o.has("L") {
			get = c.Files.Stat
		}
		fi, err := get(p)
		if err != nil {
			fmt.Fprintf(c.Err, "stat: cannot statx '%s': %s\n", p, reason(err))
			status = 1
			continue
		}
		switch {
		case o.has("f"):
			f := format
			if f == "" {
				f = "  File: \"%n\"\n    Type: %T"
			}
			fmt.Fprint(c.Out, statVerb.ReplaceAllStringFunc(f, func(v string) string { return c.fsVerb(v, p) }), newline)
		case format != "":
			fmt.Fprint(c.Out, statVerb.ReplaceAllStringFunc(format, func(v string) string { return c.statVerb(v, p, fi) }), newline)
		default:
			fmt.Fprintf(c.Out, "  File: %s\n  Size: %d\tBlocks: %d\tIO Block: 4096   %s\nAccess: (%04o/%s)  Uid: (%d/%s)   Gid: (%d/%s)\nModify: %s\n", p, size(fi), (size(fi)+511)/512,
				kind(fi.Mode(), fi.Size()), unixMode(fi.Mode())&0o7777, letters(fi.Mode()), fi.UID(), c.System.userName(fi.UID()), fi.GID(), c.System.userName(fi.GID()),
				fi.ModTime().Format("2006-01-02 15:04:05.000000000 -0700"))
		}
	}
	return status
}

// size of a folder is 4096 on the machines, whatever the real file system says.
func size(fi disk.Info) int64 {
	if fi.IsDir() {
		return 4096
	}
	return fi.Size()
}

func (c *Call) statVerb(v, p string, fi disk.Info) string {
	t := fi.ModTime()
	switch v[len(v)-1] {
	case '%':
		return "%"
	case 'n':
		return p
	case 's':
		return strconv.FormatInt(size(fi), 10)
	case 'f':
		if strings.Contains(v, "#") {
			return fmt.Sprintf("%#x", unixMode(fi.Mode()))
		}
		return strconv.FormatUint(uint64(unixMode(fi.Mode())), 16)
	case 'a':
		return strconv.FormatUint(uint64(unixMode(fi.Mode())&0o7777), 8)
	case 'A':
		return letters(fi.Mode())
	case 'u':
		return strconv.Itoa(fi.UID())
	case 'U':
		return c.System.userName(fi.UID())
	case 'g':
		return strconv.Itoa(fi.GID())
	case 'G':
		return c.System.userName(fi.GID())
	case 'F':
		return kind(fi.Mode(), fi.Size())
	case 'h':
		return "1"
	case 'Y', 'X', 'Z':
		if strings.Contains(v, ".") {
			return fmt.Sprintf("%d.%09d", t.Unix(), t.Nanosecond())
		}
		return strconv.FormatInt(t.Unix(), 10)
	case 'y':
		return t.Format("2006-01-02 15:04:05.000000000 -0700")
	}
	return "?"
}

// fsVerb is `stat -f`: what file system a path lies on.
func (c *Call) fsVerb(v, p string) string {
	type_ := "ext2/ext3"
	switch q := path.Clean(p); {
	case strings.HasPrefix(q, "/sys/fs/cgroup"):
		type_ = "cgroup2fs"
	case strings.HasPrefix(q, "/proc"):
		type_ = "proc"
	case strings.HasPrefix(q, "/run"):
		type_ = "tmpfs"
	}
	free := int64(freeBlocks)
	if c.System.Disk.Full() {
		free = 0
	}
	switch v[len(v)-1] {
	case 'n':
		return p
	case 'T':
		return type_
	case 'S', 's':
		return "4096"
	case 'b':
		return strconv.Itoa(totalBlocks)
	case 'a', 'f':
		return strconv.FormatInt(free, 10)
	}
	return "?"
}

// The machines' one disk: 64 GiB of 4 KiB blocks, 50 GiB of them free.
const (
	totalBlocks = 16 << 20
	freeBlocks  = 50 << 18
)

func df(_ context.Context, c *Call) int {
	o, err := c.parse("P", "k", "m", "h", "B:", "T", "a", "i", "output=")
	if err != nil {
		return c.usage("%v", err)
	}
	unit, title := int64(1024), "1024-blocks"
	if b := o.value("B"); b == "1" || b == "1B" {
		unit, title = 1, "1-blocks"
	} else if o.has("m") || b == "M" || b == "1M" {
		unit, title = 1<<20, "1048576-blocks"
	}
	total, free := int64(totalBlocks)*4096, int64(freeBlocks)*4096
	if c.System.Disk.Full() {
		free = 0
	}
	paths := o.args
	if len(paths) == 0 {
		paths = []string{"/"}
	}
	if cols := o.value("output"); cols != "" {
		fmt.Fprintln(c.Out, map[string]string{"avail": "Avail", "size": title, "used": "Used", "pcent": "Use%"}[cols])
		for range paths {
			fmt.Fprintln(c.Out, map[string]int64{"avail": free / unit, "size": total / unit, "used": (total - free) / unit, "pcent": 100 * (total - free) / total}[cols])
		}
		return 0
	}
	typeTitle, typeName := "", ""
	if o.has("T") {
		typeTitle, typeName = "Type     ", "ext4     "
	}
	fmt.Fprintf(c.Out, "Filesystem     %s%s        Used Available Capacity Mounted on\n", typeTitle, title)
	status := 0
	for _, p := range paths {
		if _, err := c.Files.Stat(p); err != nil {
			status = c.fail(err)
			continue
		}
		fmt.Fprintf(c.Out, "/dev/vda1      %s%11d %11d %9d %7d%% /\n", typeName, total/unit, (total-free)/unit, free/unit, 100*(total-free)/total)
	}
	return status
}

func ls(_ context.Context, c *Call) int {
	o, err := c.parse("a", "A", "l", "1", "d", "n", "h", "t", "r")
	if err != nil {
		return c.usage("%v", err)
	}
	paths := o.args
	if len(paths) == 0 {
		paths = []string{"."}
	}
	show := func(name string, fi disk.Info) {
		if !o.has("l", "n") {
			fmt.Fprintln(c.Out, name)
			return
		}
		u, g := c.System.userName(fi.UID()), c.System.userName(fi.GID())
		if o.has("n") {
			u, g = strconv.Itoa(fi.UID()), strconv.Itoa(fi.GID())
		}
		fmt.Fprintf(c.Out, "%s 1 %s %s %8d %s %s\n", letters(fi.Mode()), u, g, size(fi), fi.ModTime().Format("Jan _2 15:04"), name)
	}
	status := 0
	for _, p := range paths {
		fi, err := c.Files.Stat(p)
		if err != nil {
			fmt.Fprintf(c.Err, "ls: cannot access '%s': %s\n", p, reason(err))
			status = 2
			continue
		}
		if !fi.IsDir() || o.has("d") {
			show(p, fi)
			continue
		}
		infos, err := c.Files.ReadDir(p)
		if err != nil {
			fmt.Fprintf(c.Err, "ls: cannot open directory '%s': %s\n", p, reason(err))
			status = 2
			continue
		}
		if len(paths) > 1 {
			fmt.Fprintf(c.Out, "%s:\n", p)
		}
		for _, i := range infos {
			if strings.HasPrefix(i.Name(), ".") && !o.has("a", "A") {
				continue
			}
			show(i.Name(), i)
		}
	}
	return status
}

func readlink(_ context.Context, c *Call) int {
	o, err := c.parse("f", "e", "m", "n", "s")
	if err != nil || len(o.args) == 0 {
		return c.usage("missing operand")
	}
	for _, p := range o.args {
		var q string
		if o.has("f", "e", "m") || c.name() == "realpath" {
			q, err = c.Files.Resolve(p)
		} else {
			q, err = c.Files.Readlink(p)
		}
		if err != nil {
			return 1
		}
		fmt.Fprintln(c.Out, q)
	}
	return 0
}

func basename(_ context.Context, c *Call) int {
	if len(c.Args) < 2 {
		return c.usage("missing operand")
	}
	b := path.Base(c.Args[1])
	if len(c.Args) > 2 && b != c.Args[2] {
		b = strings.TrimSuffix(b, c.Args[2])
	}
	fmt.Fprintln(c.Out, b)
	return 0
}

func dirname(_ context.Context, c *Call) int {
	if len(c.Args) < 2 {
		return c.usage("missing operand")
	}
	fmt.Fprintln(c.Out, path.Dir(c.Args[1]))
	return 0
}

// find knows -maxdepth -mindepth -name -type -mmin -newer -print -print0 -delete.
func find(_ context.Context, c *Call) int {
	var roots []string
	a := c.Args[1:]
	for len(a) > 0 && !strings.HasPrefix(a[0], "-") {
		roots, a = append(roots, a[0]), a[1:]
	}
	if roots == nil {
		roots = []string{"."}
	}
	minDepth, maxDepth, end, remove := 0, 1<<30, "\n", false
	var tests []func(string, disk.Info) bool
	for len(a) > 0 {
		op := a[0]
		a = a[1:]
		arg := ""
		switch op {
		case "-print":
			continue
		case "-print0":
			end = "\x00"
			continue
		case "-delete":
			remove = true
			continue
		default:
			if len(a) == 0 {
				return c.usage("missing argument to `%s'", op)
			}
			arg, a = a[0], a[1:]
		}
		var err error
		switch op {
		case "-maxdepth":
			maxDepth, err = strconv.Atoi(arg)
		case "-mindepth":
			minDepth, err = strconv.Atoi(arg)
		case "-name":
			tests = append(tests, func(p string, _ disk.Info) bool { ok, _ := path.Match(arg, path.Base(p)); return ok })
		case "-type":
			tests = append(tests, func(_ string, i disk.Info) bool { return letters(i.Mode())[:1] == strings.Replace(arg, "f", "-", 1) })
		case "-mmin":
			var n int
			n, err = strconv.Atoi(strings.TrimLeft(arg, "+-"))
			tests = append(tests, func(_ string, i disk.Info) bool {
				age := c.System.Now().Sub(i.ModTime())
				if strings.HasPrefix(arg, "+") {
					return age > time.Duration(n)*time.Minute
				}
				return age < time.Duration(n)*time.Minute
			})
		default:
			return c.usage("unknown predicate `%s'", op)
		}
		if err != nil {
			return c.usage("invalid argument `%s' to `%s'", arg, op)
		}
	}
	status := 0
	var walk func(p string, depth int)
	walk = func(p string, depth int) {
		fi, err := c.Files.Lstat(p)
		if err != nil {
			fmt.Fprintf(c.Err, "find: '%s': %s\n", p, reason(err))
			status = 1
			return
		}
		ok := depth >= minDepth
		for _, t := range tests {
			ok = ok && t(p, fi)
		}
		if ok && !remove {
			fmt.Fprint(c.Out, p, end)
		}
		if fi.IsDir() && depth < maxDepth {
			infos, err := c.Files.ReadDir(p)
			if err != nil {
				fmt.Fprintf(c.Err, "find: '%s': %s\n", p, reason(err))
				status = 1
			}
			for _, i := range infos {
				walk(strings.TrimSuffix(p, "/")+"/"+i.Name(), depth+1)
			}
		}
		if ok && remove {
			if err := c.Files.Remove(p); err != nil {
				status = c.fail(err)
			}
		}
	}
	for _, r := range roots {
		walk(r, 0)
	}
	return status
}
