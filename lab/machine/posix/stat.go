package posix

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strconv"
	"strings"
	"syscall"
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
	t := byte('-')
	switch {
	case m.IsDir():
		t = 'd'
	case m&fs.ModeSymlink != 0:
		t = 'l'
	case m&fs.ModeCharDevice != 0:
		t = 'c'
	case m&fs.ModeSocket != 0:
		t = 's'
	}
	b := []byte(m.Perm().String())
	b[0] = t
	for i, s := range map[int]struct {
		bit  fs.FileMode
		word string
	}{3: {fs.ModeSetuid, "sS"}, 6: {fs.ModeSetgid, "sS"}, 9: {fs.ModeSticky, "tT"}} {
		if m&s.bit == 0 {
			continue
		}
		if b[i] == 'x' {
			b[i] = s.word[0]
		} else {
			b[i] = s.word[1]
		}
	}
	return string(b)
}

// names is how many names a file has.
func names(fi disk.Info) uint64 {
	if s, ok := fi.Sys().(*syscall.Stat_t); ok {
		return uint64(s.Nlink)
	}
	return 1
}

// inode is a file's number.
func inode(fi disk.Info) uint64 {
	if s, ok := fi.Sys().(*syscall.Stat_t); ok {
		return s.Ino
	}
	return 1
}

// size of a folder is 4096 on the machines, whatever the real file system says.
func size(fi disk.Info) int64 {
	if fi.IsDir() {
		return 4096
	}
	return fi.Size()
}

var statVerb = regexp.MustCompile(`%([-#0 +']*)([0-9]*)(\.[0-9]*)?(.?)`)

const longTime = "2006-01-02 15:04:05.000000000 -0700"

func stat(_ context.Context, c *Call) int {
	o, err := c.parse("c:", "L", "f", "format=", "printf=")
	if err == nil && len(o.args) == 0 {
		err = errors.New("missing operand")
	}
	if err != nil {
		return c.usage("%v", err)
	}
	format, newline := o.value("c", "format"), "\n"
	if o.has("printf") {
		format, newline = unescape(o.value("printf")), ""
	}
	if err := statKnows(format, o.has("f")); err != nil {
		return c.usage("%v", err)
	}
	status := 0
	for _, p := range o.args {
		fi, err := c.statOf(p, o.has("L", "f"))
		if err != nil {
			fmt.Fprintf(c.Err, "stat: cannot statx '%s': %s\n", p, reason(err))
			status = 1
			continue
		}
		verb := func(v byte, precision int) string { return c.statVerb(v, precision, p, fi) }
		if o.has("f") {
			verb = func(v byte, _ int) string { return c.fsVerb(v, p) }
		}
		f := format
		if !o.has("c", "format", "printf") {
			f = "  File: %N\n  Size: %-10s\tBlocks: %-10b IO Block: 4096   %F\nDevice: 0,25\tInode: %-11i Links: %h\n" +
				"Access: (%04a/%10.10A)  Uid: (%5u/%8U)   Gid: (%5g/%8G)\nAccess: %x\nModify: %y\nChange: %z\n Birth: %z"
			if o.has("f") {
				f = "  File: \"%n\"\n    ID: 0 Namelen: 255     Type: %T\nBlock size: %-10s Fundamental block size: %S\n" +
					"Blocks: Total: %-10b Free: %-10f Available: %a\nInodes: Total: 4194304    Free: 4000000"
			}
			if fi.Mode()&fs.ModeSymlink == 0 && !o.has("f") {
				f = strings.Replace(f, "%N", "%n", 1)
			}
		}
		fmt.Fprint(c.Out, expandVerbs(f, verb), newline)
	}
	return status
}

func (c *Call) statOf(p string, follow bool) (disk.Info, error) {
	get := c.Files.Lstat
	if follow || strings.HasSuffix(p, "/") {
		get = c.Files.Stat
	}
	fi, err := get(p)
	if err == nil && strings.HasSuffix(p, "/") && !fi.IsDir() {
		err = syscall.ENOTDIR
	}
	return fi, err
}

// statKnows refuses verbs that the real one knows and this one does not.
func statKnows(format string, fileSystem bool) error {
	have, real := "naAfFsuUgGhiNbxyzXYZ", "aAbBCdDfFgGhHiLmnNorsrtTuUwWxXyYzZ"
	if fileSystem {
		have, real = "nTSsbaf", "abcdfilnsStT"
	}
	for _, m := range statVerb.FindAllStringSubmatch(format, -1) {
		if v := m[4]; v != "" && v != "%" && strings.Contains(real, v) && !strings.Contains(have, v) {
			return fmt.Errorf("%%%s is not in the lab", v)
		}
	}
	return nil
}

// expandVerbs fills in a format: %, flags, a width and a precision, as printf has them.
func expandVerbs(format string, verb func(v byte, precision int) string) string {
	return statVerb.ReplaceAllStringFunc(format, func(s string) string {
		m := statVerb.FindStringSubmatch(s)
		flags, width, v := m[1], m[2], m[4]
		if v == "" {
			return s
		}
		if v == "%" {
			return "%"
		}
		precision := -1
		if m[3] != "" {
			precision = 9
			if len(m[3]) > 1 {
				precision, _ = strconv.Atoi(m[3][1:])
			}
		}
		text := verb(v[0], precision)
		if strings.Contains(flags, "#") {
			text = map[byte]string{'f': "0x", 'a': "0"}[v[0]] + text
		}
		n, _ := strconv.Atoi(width)
		pad := max(0, n-len(text))
		switch {
		case strings.Contains(flags, "-"):
			return text + strings.Repeat(" ", pad)
		case strings.Contains(flags, "0") && strings.IndexByte("safughiXYZ", v[0]) >= 0:
			return strings.Repeat("0", pad) + text
		}
		return strings.Repeat(" ", pad) + text
	})
}

func (c *Call) statVerb(v byte, precision int, p string, fi disk.Info) string {
	mode := fi.Mode()
	switch v {
	case 'n':
		return p
	case 'N':
		if target, err := c.Files.Readlink(p); mode&fs.ModeSymlink != 0 && err == nil {
			return "'" + p + "' -> '" + target + "'"
		}
		return "'" + p + "'"
	case 's':
		return strconv.FormatInt(size(fi), 10)
	case 'b':
		return strconv.FormatInt((size(fi)+4095)/4096*8, 10)
	case 'f':
		return strconv.FormatUint(uint64(unixMode(mode)), 16)
	case 'a':
		return strconv.FormatUint(uint64(unixMode(mode)&0o7777), 8)
	case 'A':
		return letters(mode)
	case 'u':
		return strconv.Itoa(fi.UID())
	case 'U':
		return c.System.userName(fi.UID())
	case 'g':
		return strconv.Itoa(fi.GID())
	case 'G':
		return c.System.groupName(fi.GID())
	case 'F':
		return kind(mode, fi.Size())
	case 'h':
		return strconv.FormatUint(names(fi), 10)
	case 'i':
		return strconv.FormatUint(inode(fi), 10)
	case 'X':
		return seconds(accessed(fi), precision)
	case 'Y', 'Z':
		return seconds(fi.ModTime(), precision)
	case 'x':
		return accessed(fi).UTC().Format(longTime)
	case 'y', 'z':
		return fi.ModTime().UTC().Format(longTime)
	}
	return "?"
}

// seconds since 1970, with that many digits after the point (none when negative).
func seconds(t time.Time, digits int) string {
	if digits <= 0 {
		return strconv.FormatInt(t.Unix(), 10)
	}
	fraction := fmt.Sprintf("%09d", t.Nanosecond())
	if digits > 9 {
		fraction += strings.Repeat("0", digits-9)
	}
	return fmt.Sprintf("%d.%s", t.Unix(), fraction[:digits])
}

// fsVerb is `stat -f`: what file system a path lies on.
func (c *Call) fsVerb(v byte, p string) string {
	total, free := c.System.Hardware.Filled().blocks()
	switch v {
	case 'n':
		return p
	case 'T':
		return fsType(path.Clean(p))
	case 'S', 's':
		return "4096"
	case 'b':
		return strconv.FormatInt(total, 10)
	case 'a', 'f':
		if c.System.Disk.Full() {
			return "0"
		}
		return strconv.FormatInt(free, 10)
	}
	return "?"
}

func fsType(p string) string {
	switch {
	case strings.HasPrefix(p, "/sys/fs/cgroup"):
		return "cgroup2fs"
	case strings.HasPrefix(p, "/proc"):
		return "proc"
	case strings.HasPrefix(p, "/run"):
		return "tmpfs"
	}
	return "ext2/ext3"
}
