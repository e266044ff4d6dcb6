package systemd

import (
	"path"
	"strings"
	"time"

	"kiban.dev/kiban/lab/machine/disk"
)

const folder = "/etc/systemd/system"

// unit is a unit file with its drop-ins.
type unit struct {
	path        string
	description string
	exec        []string
	environment []string
	restart     string
	restartSec  time.Duration
}

func unitPath(name string) string { return folder + "/" + name + ".service" }

// load reads a unit from the disk; ok is false when there is none.
func load(files disk.View, name string) (unit, bool) {
	b, err := files.ReadFile(unitPath(name))
	if err != nil {
		return unit{}, false
	}
	u := unit{path: unitPath(name), restart: "no", restartSec: 100 * time.Millisecond}
	u.read(string(b))
	infos, err := files.ReadDir(unitPath(name) + ".d")
	if err == nil {
		for _, i := range infos {
			if b, err := files.ReadFile(path.Join(unitPath(name)+".d", i.Name())); err == nil && strings.HasSuffix(i.Name(), ".conf") {
				u.read(string(b))
			}
		}
	}
	return u, true
}

func (u *unit) read(text string) {
	for line := range strings.Lines(text) {
		k, v, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok || strings.HasPrefix(k, "#") {
			continue
		}
		switch k {
		case "Description":
			u.description = v
		case "ExecStart":
			if v == "" {
				u.exec = nil
			} else {
				u.exec = words(v)
			}
		case "Environment":
			u.environment = append(u.environment, words(v)...)
		case "Restart":
			u.restart = v
		case "RestartSec":
			if d, err := time.ParseDuration(v); err == nil {
				u.restartSec = d
			} else if d, err := time.ParseDuration(v + "s"); err == nil {
				u.restartSec = d
			}
		}
	}
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
