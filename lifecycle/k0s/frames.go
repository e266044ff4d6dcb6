package k0s

import (
	"bytes"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"kiban.dev/kiban/lifecycle"
)

// block is what one command on a host said, and its exit code.
type block struct {
	text []byte
	exit int
}

// frames is the output of the facts script, taken apart.
type frames struct {
	values map[string][]string
	blocks map[string]block
}

func (f frames) value(name string) string {
	if v := f.values[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

func (f frames) block(name string) []byte { return f.blocks[name].text }

// unframe takes the script's output apart. A framed line begins with the nonce; a block that does not end is left out, and so is what the
// script does not print. declared is how many files the host declares. The error is tooMuch.
func unframe(out []byte, nonce string, declared int) (frames, error) {
	f := frames{values: map[string][]string{}, blocks: map[string]block{}}
	mark := []byte(nonce + " ")
	known, room := blocks(), counts(declared)
	for len(out) > 0 {
		line, rest := cutLine(out)
		out = rest
		body, ok := bytes.CutPrefix(line, mark)
		if !ok {
			continue
		}
		if len(body) > maxFact {
			return f, bytesOf("a line", len(body), maxFact)
		}
		if name, ok := strings.CutPrefix(string(body), "begin "); ok {
			text, exit, rest, ok := endOf(out, mark, name)
			if !ok {
				break
			}
			if err := f.take(known, name, block{text, exit}); err != nil {
				return f, err
			}
			out = rest
			continue
		}
		if name, value, ok := strings.Cut(string(body), "="); ok {
			if err := f.add(room, name, value); err != nil {
				return f, err
			}
		}
	}
	return f, nil
}

// take keeps the first block of each name that is known.
func (f frames) take(known map[string]bound, name string, b block) error {
	most, ok := known[name]
	if _, again := f.blocks[name]; !ok || again {
		return nil
	}
	switch {
	case len(b.text) <= most.bytes:
	case most.cut:
		b.text = b.text[:most.bytes]
	default:
		return bytesOf("its "+name, len(b.text), most.bytes)
	}
	f.blocks[name] = b
	return nil
}

// add keeps a fact for which there is room.
func (f frames) add(room map[string]int, name, value string) error {
	most, ok := room[name]
	switch n := len(f.values[name]); {
	case !ok, n == most && most == 1:
		return nil // the first one counts
	case n == most:
		return tooMuch{fmt.Sprintf("more than %d facts about %s", most, name)}
	}
	f.values[name] = append(f.values[name], strings.TrimSpace(value))
	return nil
}

// endOf finds where a block ends: on a line of its own, after one line break that the script added.
func endOf(out, mark []byte, name string) (text []byte, exit int, rest []byte, ok bool) {
	end := append([]byte("\n"), mark...)
	end = append(end, "end "+name+" "...)
	i := bytes.Index(out, end)
	if i < 0 {
		return nil, 0, nil, false
	}
	code, rest := cutLine(out[i+len(end):])
	exit, err := strconv.Atoi(string(bytes.TrimSpace(code)))
	return out[:i], exit, rest, err == nil
}

func cutLine(b []byte) (line, rest []byte) {
	line, rest, _ = bytes.Cut(b, []byte("\n"))
	return line, rest
}

// properties reads "Name=value" lines.
func properties(text []byte) map[string]string {
	m := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			m[name] = value
		}
	}
	return m
}

// goArch is a machine's name in Go's words.
func goArch(machine string) string {
	switch machine {
	case "x86_64", "amd64":
		return "amd64"
	case "aarch64", "arm64", "armv8l":
		return "arm64"
	case "armv7l", "armv6l", "arm":
		return "arm"
	}
	return short(machine)
}

// osName is "debian 12" of an os-release file.
func osName(text []byte) string {
	p := properties(text)
	get := func(name string) string { return strings.Trim(p[name], `"'`) }
	return short(get("ID") + " " + get("VERSION_ID"))
}

// freeBytes reads the available column of what `df -Pk` says first; 0 when it can't be told, as where it did not tell of all that it was
// asked about.
func freeBytes(df block) int64 {
	lines := strings.Split(strings.TrimSpace(string(df.text)), "\n")
	if len(lines) < 2 || df.exit != 0 {
		return 0
	}
	n, _, _ := roomOf(lines[1])
	return n
}

// roomOf reads a line of `df -Pk`: how many bytes are free, and where the filesystem is mounted.
func roomOf(line string) (free int64, at string, ok bool) {
	fields := strings.Fields(line)
	if len(fields) < 6 {
		return 0, "", false
	}
	n, err := strconv.ParseInt(fields[len(fields)-3], 10, 64)
	if err != nil || n < 0 || n > 1<<50 {
		return 0, "", false
	}
	return n * 1024, fields[len(fields)-1], true
}

// fullOnes are the filesystems in what `df -Pk` says that have hardly any room, by where they are mounted.
func fullOnes(texts ...[]byte) []string {
	var out []string
	for _, text := range texts {
		for line := range strings.Lines(string(text)) {
			if free, at, ok := roomOf(line); ok && free < lifecycle.LeastRoom && strings.HasPrefix(at, "/") {
				out = append(out, short(at))
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// hostOf is the host part of a URL.
func hostOf(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" {
		return short(s)
	}
	return short(u.Hostname())
}

// plainURL is a URL without what it does not need to name a server; "" where it names none.
func plainURL(s string) string {
	u, err := url.Parse(strings.Trim(s, `"'`))
	if err != nil || u.Hostname() == "" {
		return ""
	}
	return short((&url.URL{Scheme: u.Scheme, Host: u.Host}).String())
}

// printable keeps a line of a machine's output fit for a terminal, and short.
func printable(s string) string {
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s))
	if r := []rune(s); len(r) > 300 {
		s = string(r[:300]) + "…"
	}
	return s
}
