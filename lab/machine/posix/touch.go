package posix

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"kiban.dev/kiban/lab/machine/disk"
)

// accessed is when a file was read last.
func accessed(fi disk.Info) time.Time {
	if s, ok := fi.Sys().(*syscall.Stat_t); ok {
		return time.Unix(s.Atim.Unix())
	}
	return fi.ModTime()
}

func touch(_ context.Context, c *Call) int {
	o, err := c.parse("a", "m", "c", "d:", "r:", "help")
	if err == nil && o.has("help") {
		fmt.Fprint(c.Out, "Usage: touch [OPTION]... FILE...\nUpdate the access and modification times of each FILE to the current time.\n"+
			"  -d, --date=STRING      parse STRING and use it instead of current time\n")
		return 0
	}
	if err == nil && len(o.args) == 0 {
		err = errors.New("missing file operand")
	}
	if err == nil && o.has("r") && o.has("d") {
		err = errors.New("-r and -d together are not in the lab")
	}
	if err != nil {
		return c.usage("%v", err)
	}
	now := c.System.Now()
	access, modify := now, now
	switch {
	case o.has("r"):
		fi, err := c.Files.Stat(o.value("r"))
		if err != nil {
			return c.fail(err)
		}
		access, modify = accessed(fi), fi.ModTime()
	case o.has("d"):
		if access, err = parseTime(o.value("d"), now); err != nil {
			return c.usage("invalid date format '%s'", o.value("d"))
		}
		modify = access
	}
	if o.has("a") != o.has("m") { // the other one stays
		if o.has("a") {
			modify = time.Time{}
		} else {
			access = time.Time{}
		}
	}
	status := 0
	for _, p := range o.args {
		if err := c.touch(p, o, access, modify); err != nil {
			status = c.fail(err)
		}
	}
	return status
}

func (c *Call) touch(p string, o options, access, modify time.Time) error {
	fi, err := c.Files.Stat(p)
	switch {
	case err == nil && strings.HasSuffix(p, "/") && !fi.IsDir():
		return &fs.PathError{Op: "touch", Path: p, Err: syscall.ENOTDIR}
	case err == nil:
		if c.User.UID != 0 && c.User.UID != fi.UID() {
			if err := c.Files.Access(p, disk.Write); err != nil {
				return err
			}
			if o.has("d", "r") {
				return &fs.PathError{Op: "touch", Path: p, Err: syscall.EPERM}
			}
		}
	case o.has("c"):
		return nil
	default:
		f, err := c.Files.Open(p, os.O_WRONLY|os.O_CREATE, 0o666)
		if err != nil {
			return err
		}
		f.Close()
	}
	return c.Files.Chtimes(p, access, modify)
}

// parseTime reads the forms of `date -d` that scripts use: @seconds and ISO 8601, in UTC unless they name a zone.
func parseTime(s string, now time.Time) (time.Time, error) {
	switch s {
	case "now":
		return now, nil
	case "": // GNU: the day's beginning
		return now.UTC().Truncate(24 * time.Hour), nil
	}
	if at, ok := strings.CutPrefix(s, "@"); ok {
		whole, fraction, _ := strings.Cut(at, ".")
		sec, err := strconv.ParseInt(whole, 10, 64)
		if err != nil {
			return time.Time{}, err
		}
		nano, err := strconv.ParseInt((fraction + "000000000")[:9], 10, 64)
		return time.Unix(sec, nano), err
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999",
		"2006-01-02 15:04:05 MST",
		"Mon 2006-01-02 15:04:05 MST", "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("not a time: %s", s)
}

func truncate(_ context.Context, c *Call) int {
	o, err := c.parse("s:", "c", "size=")
	given := o.value("s", "size")
	change := int64(0)
	var n int64
	if err == nil {
		switch {
		case !o.has("s", "size"):
			err = errors.New("you must specify either '--size' or '--reference'")
		case len(o.args) == 0:
			err = errors.New("missing file operand")
		default:
			digits := strings.TrimLeft(given, " ")
			switch {
			case strings.HasPrefix(digits, "+"):
				change, digits = 1, digits[1:]
			case strings.HasPrefix(digits, "-"):
				change, digits = -1, digits[1:]
			}
			n, err = number(digits)
		}
	}
	if err != nil {
		return c.usage("%v", err)
	}
	status := 0
	for _, p := range o.args {
		if _, err := c.Files.Stat(p); o.has("c") && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := c.resize(p, n, change); err != nil {
			status = c.fail(named(p, err))
		}
	}
	return status
}

// resize makes a file n bytes long, or by n longer (change 1) or shorter (-1).
func (c *Call) resize(p string, n, change int64) error {
	f, err := c.Files.Open(p, os.O_WRONLY|os.O_CREATE, 0o666)
	if err != nil {
		return err
	}
	defer f.Close()
	if change != 0 {
		fi, err := c.Files.Stat(p)
		if err != nil {
			return err
		}
		n = max(0, fi.Size()+change*n)
	}
	return f.Truncate(n)
}
