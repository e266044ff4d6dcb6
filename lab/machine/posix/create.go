package posix

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"time"
)

func install(_ context.Context, c *Call) int {
	o, err := c.parse("d", "D", "m:", "o:", "g:", "T", "p", "v", "mode=")
	if err != nil {
		return c.usage("%v", err)
	}
	mode, err := modeOption(o, 0o755)
	if err != nil {
		return c.usage("%v", err)
	}
	if o.has("d") {
		for _, p := range o.args {
			if err := c.Files.MkdirAll(p, mode); err != nil {
				return c.fail(err)
			}
			if err := c.Files.Chmod(p, mode); err != nil {
				return c.fail(err)
			}
		}
		return 0
	}
	if len(o.args) != 2 {
		return c.usage("missing destination file operand")
	}
	from, to := o.args[0], o.args[1]
	if o.has("D") {
		if err := c.Files.MkdirAll(path.Dir(to), 0o755); err != nil {
			return c.fail(err)
		}
	} else {
		to = c.target(from, to)
	}
	in, err := c.open(from)
	if err != nil {
		return c.fail(err)
	}
	defer in.Close()
	if _, err := c.Files.Lstat(to); err == nil { // install replaces the file, it does not write into it
		if err := c.Files.Remove(to); err != nil {
			return c.fail(err)
		}
	}
	out, err := c.Files.Open(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return c.fail(err)
	}
	_, err = io.Copy(out, in)
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = c.Files.Chmod(to, mode)
	}
	if err == nil && o.has("o", "g") {
		uid, gid := -1, -1
		if o.has("o") {
			uid, err = c.System.uid(o.value("o"))
		}
		if err == nil && o.has("g") {
			gid, err = c.System.uid(o.value("g"))
		}
		if err == nil {
			err = c.Files.Chown(to, uid, gid)
		}
	}
	if err != nil {
		return c.fail(&fs.PathError{Op: "install", Path: to, Err: unwrap(err)})
	}
	return 0
}

func unwrap(err error) error {
	if pe, ok := err.(*fs.PathError); ok {
		return pe.Err
	}
	return err
}

func mktemp(_ context.Context, c *Call) int {
	o, err := c.parse("d", "p:", "t", "q")
	if err != nil {
		return c.usage("%v", err)
	}
	dir := c.Getenv("TMPDIR")
	if dir == "" {
		dir = "/tmp"
	}
	if o.has("p") {
		dir = o.value("p")
	}
	t := path.Join(dir, "tmp.XXXXXXXXXX")
	if len(o.args) > 0 {
		t = o.args[0]
		if o.has("p", "t") {
			t = path.Join(dir, t)
		}
	}
	end := strings.LastIndex(t, "X") + 1
	start := end
	for start > 0 && t[start-1] == 'X' {
		start--
	}
	if end-start < 3 {
		return c.usage("too few X's in template '%s'", t)
	}
	for range 100 {
		p := t[:start] + randomName(end-start) + t[end:]
		if o.has("d") {
			err = c.Files.Mkdir(p, 0o700)
		} else {
			var f io.Closer
			if f, err = c.Files.Open(p, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600); err == nil {
				f.Close()
			}
		}
		if err == nil {
			fmt.Fprintln(c.Out, p)
			return 0
		}
		if reason(err) != "File exists" {
			break
		}
	}
	return c.fail(err)
}

func randomName(n int) string {
	const alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	b := make([]byte, n)
	rand.Read(b)
	for i := range b {
		b[i] = alphabet[int(b[i])%len(alphabet)]
	}
	return string(b)
}

func touch(_ context.Context, c *Call) int {
	o, err := c.parse("a", "m", "c", "d:", "r:", "help")
	if err != nil {
		return c.usage("%v", err)
	}
	if o.has("help") {
		fmt.Fprint(c.Out, "Usage: touch [OPTION]... FILE...\nUpdate the access and modification times of each FILE to the current time.\n"+
			"  -d, --date=STRING      parse STRING and use it instead of current time\n")
		return 0
	}
	t := c.System.Now()
	switch {
	case o.has("r"):
		fi, err := c.Files.Stat(o.value("r"))
		if err != nil {
			return c.fail(err)
		}
		t = fi.ModTime()
	case o.has("d"):
		if t, err = parseTime(o.value("d"), t); err != nil {
			return c.usage("invalid date format '%s'", o.value("d"))
		}
	}
	status := 0
	for _, p := range o.args {
		if _, err := c.Files.Stat(p); err != nil {
			if o.has("c") {
				continue
			}
			f, err := c.Files.Open(p, os.O_WRONLY|os.O_CREATE, 0o666)
			if err != nil {
				status = c.fail(err)
				continue
			}
			f.Close()
		}
		if err := c.Files.Chtimes(p, t); err != nil {
			status = c.fail(err)
		}
	}
	return status
}

// parseTime reads the forms of `date -d` that scripts use: @seconds and ISO 8601, in UTC unless they name a zone.
func parseTime(s string, now time.Time) (time.Time, error) {
	if s == "now" {
		return now, nil
	}
	if sec, ok := strings.CutPrefix(s, "@"); ok {
		f, err := strconv.ParseInt(strings.SplitN(sec, ".", 2)[0], 10, 64)
		return time.Unix(f, 0), err
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "Mon 2006-01-02 15:04:05 MST", "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("not a time: %s", s)
}

func truncate(_ context.Context, c *Call) int {
	o, err := c.parse("s:", "c")
	if err != nil || len(o.args) == 0 {
		return c.usage("missing file operand")
	}
	n, err := strconv.ParseInt(o.value("s"), 10, 64)
	if err != nil {
		return c.usage("Invalid number: '%s'", o.value("s"))
	}
	for _, p := range o.args {
		f, err := c.Files.Open(p, os.O_WRONLY|os.O_CREATE, 0o666)
		if err != nil {
			return c.fail(err)
		}
		err = f.Truncate(n)
		f.Close()
		if err != nil {
			return c.fail(err)
		}
	}
	return 0
}
