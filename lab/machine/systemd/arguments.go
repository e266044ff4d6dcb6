package systemd

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// options are what systemctl and journalctl are called with.
type options struct {
	verb                    string
	units, properties       []string
	value, unix, quiet, now bool
	version                 bool
	lines                   int // of the journal
}

// shaping options change nothing about what the machines' systemctl says: it never asks, pages, colours or shortens, and it always waits.
func shaping() []string {
	return []string{"--no-pager", "--no-block", "--full", "-l", "--plain", "--no-legend", "--force", "-f", "--system", "--all", "-a",
		"--no-ask-password"}
}

// parse reads systemctl's arguments. Options that it does not know are refused.
func parse(a []string) (options, error) {
	o := options{lines: 10}
	for len(a) > 0 {
		s := a[0]
		a = a[1:]
		name, v, has := strings.Cut(s, "=")
		if strings.HasPrefix(s, "-") && !strings.HasPrefix(s, "--") && len(s) > 2 && (s[1] == 'p' || s[1] == 'n') {
			name, v, has = s[:2], strings.TrimPrefix(s[2:], "="), true
		}
		if slices.Contains([]string{"-p", "--property", "-n", "--lines", "--timestamp"}, name) && !has {
			if len(a) == 0 {
				return o, fmt.Errorf("option '%s' requires an argument", s)
			}
			v, a = a[0], a[1:]
		}
		var err error
		switch name {
		case "-p", "--property":
			o.properties = append(o.properties, strings.Split(v, ",")...)
		case "-n", "--lines":
			o.lines, err = strconv.Atoi(v)
		case "--timestamp":
			if v != "unix" && v != "pretty" {
				err = fmt.Errorf("--timestamp=%s is not in the lab", v)
			}
			o.unix = v == "unix"
		case "--value":
			o.value = true
		case "--quiet", "-q":
			o.quiet = true
		case "--now":
			o.now = true
		case "--version":
			o.version = true
		default:
			switch {
			case slices.Contains(shaping(), s):
			case strings.HasPrefix(s, "-"):
				err = fmt.Errorf("unrecognized option '%s'", s)
			case o.verb == "":
				o.verb = s
			default:
				o.units = append(o.units, strings.TrimSuffix(s, ".service"))
			}
		}
		if err != nil {
			return o, err
		}
	}
	return o, nil
}

// journalOptions are what journalctl is called with; lines -1 means all. since and until are zero where they were not given.
type journalOptions struct {
	unit         string
	lines        int
	format       string
	since, until time.Time
	// from is the number of the first entry that is shown, by a cursor; 0: there is none.
	from       int
	showCursor bool
	quiet      bool
}

// parseJournal reads journalctl's arguments: -u, -n, -o, --since and --until as "@SECONDS", cursors, and --no-pager.
func parseJournal(a []string) (journalOptions, error) {
	o := journalOptions{lines: -1, format: "short"}
	for len(a) > 0 {
		s := a[0]
		a = a[1:]
		name, v, has := strings.Cut(s, "=")
		if strings.HasPrefix(s, "-") && !strings.HasPrefix(s, "--") && len(s) > 2 {
			name, v, has = s[:2], s[2:], true
		}
		if slices.Contains([]string{"-u", "--unit", "-n", "--lines", "-o", "--output", "--since", "--until", "-c", "--cursor",
			"--after-cursor"}, name) && !has {
			if len(a) == 0 {
				return o, fmt.Errorf("option '%s' requires an argument", s)
			}
			v, a = a[0], a[1:]
		}
		var err error
		switch name {
		case "-u", "--unit":
			if o.unit != "" {
				err = errors.New("more than one unit is not in the lab")
			}
			o.unit = strings.TrimSuffix(v, ".service")
		case "-n", "--lines":
			if o.lines, err = strconv.Atoi(v); v == "all" {
				o.lines, err = -1, nil
			}
		case "-o", "--output":
			if o.format = v; !slices.Contains([]string{"short", "short-iso", "cat"}, v) {
				err = fmt.Errorf("-o %s is not in the lab", v)
			}
		case "--since":
			o.since, err = epoch(v)
		case "--until":
			o.until, err = epoch(v)
		case "-c", "--cursor":
			o.from = numbered(v)
		case "--after-cursor":
			o.from = numbered(v) + 1
		case "--show-cursor":
			o.showCursor = true
		case "-q", "--quiet":
			o.quiet = true
		case "--no-pager", "-a", "--all", "--no-hostname":
		default:
			err = fmt.Errorf("unrecognized option '%s'", s)
		}
		if err != nil {
			return o, err
		}
	}
	return o, nil
}

// epoch reads the one form of a time that the lab's journalctl knows: "@1790000000.25", seconds since 1970.
func epoch(s string) (time.Time, error) {
	digits, ok := strings.CutPrefix(s, "@")
	whole, part, _ := strings.Cut(digits, ".")
	seconds, err := strconv.ParseInt(whole, 10, 64)
	if !ok || err != nil {
		return time.Time{}, fmt.Errorf("failed to parse timestamp: %s", s)
	}
	nanos, err := strconv.ParseInt((part + "000000000")[:9], 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("failed to parse timestamp: %s", s)
	}
	return time.Unix(seconds, nanos), nil
}
