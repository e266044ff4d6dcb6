package posix

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// date knows -u, -d, -r, -I, -R and the usual verbs. The machines' time zone is UTC.
func date(_ context.Context, c *Call) int {
	o, err := c.parse("u", "d:", "I::", "R", "r:", "date=", "utc", "iso-8601==")
	if err == nil && len(o.args) > 1 {
		err = fmt.Errorf("extra operand '%s'", o.args[1])
	}
	if err == nil && o.has("d", "date") && o.has("r") {
		err = errors.New("the options to specify dates for printing are mutually exclusive")
	}
	format, ferr := dateFormat(o)
	if err == nil {
		err = ferr
	}
	if err != nil {
		return c.usage("%v", err)
	}
	t := c.System.Now()
	switch {
	case o.has("d", "date"):
		if t, err = parseTime(o.value("d", "date"), t); err != nil {
			fmt.Fprintf(c.Err, "date: invalid date '%s'\n", o.value("d", "date"))
			return 1
		}
	case o.has("r"):
		fi, err := c.Files.Stat(o.value("r"))
		if err != nil {
			return c.fail(err)
		}
		t = fi.ModTime()
	}
	text, err := strftime(format, t.UTC())
	if err != nil {
		return c.usage("%v", err)
	}
	fmt.Fprintln(c.Out, text)
	return 0
}

func dateFormat(o options) (string, error) {
	plus := len(o.args) > 0
	if plus && !strings.HasPrefix(o.args[0], "+") {
		return "", fmt.Errorf("invalid date '%s', or the date would be set, which is not in the lab", o.args[0])
	}
	given := 0
	for _, b := range []bool{plus, o.has("R"), o.has("I", "iso-8601")} {
		if b {
			given++
		}
	}
	switch {
	case given > 1:
		return "", errors.New("multiple output formats specified")
	case plus:
		return o.args[0][1:], nil
	case o.has("R"):
		return "%a, %d %b %Y %H:%M:%S +0000", nil
	case o.has("I", "iso-8601"):
		how := o.value("I", "iso-8601")
		for name, f := range map[string]string{"date": "%Y-%m-%d", "hours": "%Y-%m-%dT%H+00:00", "minutes": "%Y-%m-%dT%H:%M+00:00",
			"seconds": "%Y-%m-%dT%H:%M:%S+00:00", "ns": "%Y-%m-%dT%H:%M:%S,%N+00:00"} {
			if strings.HasPrefix(name, cmp.Or(how, "date")) {
				return f, nil
			}
		}
		return "", fmt.Errorf("invalid argument '%s' for '--iso-8601'", how)
	}
	return "%a %b %e %H:%M:%S UTC %Y", nil
}

// strftime fills in a format. Verbs that the real one knows and this one does not are refused.
func strftime(f string, t time.Time) (string, error) {
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
		case '3', '6', '9':
			if i+1 == len(f) || f[i+1] != 'N' {
				return "", fmt.Errorf("%%%c is not in the lab", f[i])
			}
			b.WriteString(fmt.Sprintf("%09d", t.Nanosecond())[:f[i]-'0'])
			i++
		case '%', 'n', 't':
			b.WriteByte(map[byte]byte{'%': '%', 'n': '\n', 't': '\t'}[f[i]])
		case 'u', 'w':
			day := int(t.Weekday())
			if f[i] == 'u' && day == 0 {
				day = 7
			}
			b.WriteString(strconv.Itoa(day))
		default:
			layout, ok := map[byte]string{'Y': "2006", 'm': "01", 'd': "02", 'e': "_2", 'H': "15", 'M': "04", 'S': "05", 'y': "06",
				'F': "2006-01-02", 'T': "15:04:05",
				'a': "Mon", 'b': "Jan", 'h': "Jan", 'A': "Monday", 'B': "January", 'Z': "MST", 'z': "-0700", 'j': "002", 'I': "03", 'p': "PM",
				'D': "01/02/06", 'R': "15:04"}[f[i]]
			if !ok {
				return "", fmt.Errorf("%%%c is not in the lab", f[i])
			}
			b.WriteString(t.Format(layout))
		}
	}
	return b.String(), nil
}
