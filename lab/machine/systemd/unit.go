package systemd

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"kiban.dev/kiban/lab/machine/disk"
)

const folder = "/etc/systemd/system"

// folders are where unit files lie; what is in an earlier one counts (systemd.unit(5), "Unit File Load Path").
func folders() []string {
	return []string{folder, "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system"}
}

// unit is a unit file with its drop-ins.
type unit struct {
	path        string
	dropIns     []string
	masked      bool
	description string
	exec        []string
	environment []string
	files       []string // EnvironmentFile=, a leading "-" included
	restart     string
	restartSec  time.Duration
	wantedBy    []string
}

// load reads a unit from the disk; ok is false when there is none.
func load(files disk.View, name string) (unit, bool) {
	u := unit{restart: "no", restartSec: 100 * time.Millisecond}
	file := name + ".service"
	for _, dir := range folders() {
		p := dir + "/" + file
		if at, err := files.Readlink(p); err == nil && at == "/dev/null" {
			return unit{path: p, masked: true}, true
		}
		b, err := files.ReadFile(p)
		if err != nil {
			continue
		}
		u.path = p
		u.read(string(b))
		break
	}
	if u.path == "" {
		return unit{}, false
	}
	found := map[string]string{}
	for _, dir := range folders() {
		infos, err := files.ReadDir(dir + "/" + file + ".d")
		if err != nil {
			continue
		}
		for _, i := range infos {
			if strings.HasSuffix(i.Name(), ".conf") && found[i.Name()] == "" {
				found[i.Name()] = dir + "/" + file + ".d/" + i.Name()
			}
		}
	}
	for _, n := range slices.Sorted(maps.Keys(found)) {
		if b, err := files.ReadFile(found[n]); err == nil {
			u.dropIns = append(u.dropIns, found[n])
			u.read(string(b))
		}
	}
	return u, true
}

// again reports whether a service is started anew after its program ended (systemd.service(5), "Restart="). Programs here exit, with a
// status; they neither dump nor time out.
func (u unit) again(err error) bool {
	switch u.restart {
	case "always":
		return true
	case "on-success":
		return err == nil
	case "on-failure":
		return err != nil
	}
	return false
}

// read adds a file's settings. Those of lists begin anew after an empty one; a backslash at the end of a line joins it to the next.
func (u *unit) read(text string) {
	section := ""
	text = strings.ReplaceAll(text, "\\\n", " ")
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]") {
			section = line
			continue
		}
		k, v, ok := strings.Cut(line, "=")
		if !ok || strings.HasPrefix(line, "#") || strings.HasPrefix(line, ";") {
			continue
		}
		u.set(section+strings.TrimSpace(k), strings.TrimSpace(v))
	}
}

func (u *unit) set(k, v string) {
	switch k {
	case "[Unit]Description":
		u.description = v
	case "[Service]ExecStart":
		u.exec = words(v)
	case "[Service]Environment":
		u.environment = list(u.environment, v, words(v))
	case "[Service]EnvironmentFile":
		u.files = list(u.files, v, []string{v})
	case "[Service]Restart":
		u.restart = v
	case "[Service]RestartSec":
		if d, ok := span(v); ok {
			u.restartSec = d
		}
	case "[Install]WantedBy":
		u.wantedBy = list(u.wantedBy, v, words(v))
	}
}

// list adds to a list, or empties it.
func list(have []string, v string, more []string) []string {
	if v == "" {
		return nil
	}
	return append(have, more...)
}

// variables is a service's environment: what Environment= says, then what its files do. A file that is missing counts as a failure
// unless its name begins with "-".
func (u unit) variables(files disk.View) ([]string, error) {
	env := slices.Clone(u.environment)
	for _, f := range u.files {
		name, optional := strings.CutPrefix(f, "-")
		b, err := files.ReadFile(name)
		if err != nil {
			if optional {
				continue
			}
			return nil, fmt.Errorf("failed to load environment files: %w", err)
		}
		for line := range strings.Lines(string(b)) {
			line = strings.TrimSpace(line)
			if line == "" || line[0] == '#' || line[0] == ';' || !strings.Contains(line, "=") {
				continue
			}
			k, v, _ := strings.Cut(line, "=")
			if w := words(v); len(w) == 1 {
				v = w[0]
			}
			env = append(env, strings.TrimSpace(k)+"="+v)
		}
	}
	return env, nil
}

// span reads a time span: "20", "5min 20s", "100ms" (systemd.time(7)).
func span(s string) (time.Duration, bool) {
	units := map[string]time.Duration{
		"": time.Second, "us": time.Microsecond, "ms": time.Millisecond, "s": time.Second, "sec": time.Second, "second": time.Second,
		"seconds": time.Second,
		"m":       time.Minute, "min": time.Minute, "minute": time.Minute, "minutes": time.Minute,
		"h": time.Hour, "hr": time.Hour, "hour": time.Hour,
		"hours": time.Hour,
		"d":     24 * time.Hour, "day": 24 * time.Hour, "days": 24 * time.Hour,
	}
	var whole time.Duration
	rest := strings.ReplaceAll(s, " ", "")
	if rest == "" {
		return 0, false
	}
	for rest != "" {
		n := 0
		for n < len(rest) && (rest[n] >= '0' && rest[n] <= '9' || rest[n] == '.') {
			n++
		}
		end := n
		for end < len(rest) && rest[end] >= 'a' && rest[end] <= 'z' {
			end++
		}
		f, err := strconv.ParseFloat(rest[:n], 64)
		u, ok := units[rest[n:end]]
		if err != nil || !ok {
			return 0, false
		}
		whole += time.Duration(f * float64(u))
		rest = rest[end:]
	}
	return whole, true
}

// words splits as systemd does: at spaces, with double and single quotes and backslash escapes.
func words(s string) []string {
	var ws []string
	var b strings.Builder
	quote, in := byte(0), false
	for i := 0; i < len(s); i++ {
		ch := s[i]
		switch {
		case ch == '\\' && i+1 < len(s):
			i++
			in = true
			switch {
			case s[i] == 'x' && i+2 < len(s):
				b.WriteByte(hex(s[i+1])<<4 | hex(s[i+2]))
				i += 2
			default:
				b.WriteByte(s[i])
			}
		case quote != 0 && ch == quote:
			quote = 0
		case quote == 0 && (ch == '"' || ch == '\''):
			quote, in = ch, true
		case quote == 0 && (ch == ' ' || ch == '\t'):
			if in {
				ws = append(ws, b.String())
				b.Reset()
				in = false
			}
		default:
			b.WriteByte(ch)
			in = true
		}
	}
	if in {
		ws = append(ws, b.String())
	}
	return ws
}

func hex(ch byte) byte {
	switch {
	case ch >= '0' && ch <= '9':
		return ch - '0'
	case ch >= 'a' && ch <= 'f':
		return ch - 'a' + 10
	case ch >= 'A' && ch <= 'F':
		return ch - 'A' + 10
	}
	return 0
}
