package posix

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// edit is one sed command: an address and s, p, d or q.
type edit struct {
	match   func(line int, last bool, text string) bool
	op      byte
	re      *regexp.Regexp
	with    string
	global  bool
	print   bool
	negated bool
}

// sed knows s///, p, d and q, each after no address, a line number, $, /re/ or a pair of them.
func sed(_ context.Context, c *Call) int {
	o, err := c.parse("n", "e:", "E", "r", "i")
	if err != nil {
		return c.usage("%v", err)
	}
	scripts := o.set["e"]
	if scripts == nil {
		if len(o.args) == 0 {
			return c.usage("no script")
		}
		scripts, o.args = o.args[:1], o.args[1:]
	}
	var edits []edit
	for _, s := range scripts {
		es, err := parseSed(s, o.has("E", "r"))
		if err != nil {
			fmt.Fprintf(c.Err, "sed: -e expression #1, char 0: %v\n", err)
			return 1
		}
		edits = append(edits, es...)
	}
	if o.has("i") {
		status := 0
		for _, p := range o.args {
			b, err := c.Files.ReadFile(p)
			if err == nil {
				var out bytes.Buffer
				runSed(edits, b, &out, o.has("n"))
				err = c.Files.WriteFile(p, out.Bytes(), 0o644)
			}
			if err != nil {
				status = c.fail(err)
			}
		}
		return status
	}
	return c.inputs(o.args, func(_ string, r io.Reader) error {
		b, err := io.ReadAll(r)
		if err == nil {
			runSed(edits, b, c.Out, o.has("n"))
		}
		return err
	})
}

func runSed(edits []edit, in []byte, out io.Writer, silent bool) {
	ls := strings.Split(strings.TrimSuffix(string(in), "\n"), "\n")
	if len(in) == 0 {
		return
	}
	for i, l := range ls {
		deleted, quit := false, false
		for _, e := range edits {
			if e.match(i+1, i == len(ls)-1, l) == e.negated {
				continue
			}
			switch e.op {
			case 'd':
				deleted = true
			case 'q':
				quit = true
			case 'p':
				fmt.Fprintln(out, l)
			case 's':
				n := replace(e, l)
				if n != l && e.print {
					fmt.Fprintln(out, n)
				}
				l = n
			}
			if deleted {
				break
			}
		}
		if !silent && !deleted {
			fmt.Fprintln(out, l)
		}
		if quit {
			return
		}
	}
}

func replace(e edit, l string) string {
	done := false
	return e.re.ReplaceAllStringFunc(l, func(m string) string {
		if done && !e.global {
			return m
		}
		done = true
		sub := e.re.FindStringSubmatchIndex(m)
		return string(e.re.ExpandString(nil, e.with, m, sub))
	})
}

func parseSed(s string, extended bool) ([]edit, error) {
	var es []edit
	for s = strings.TrimLeft(s, " ;\n"); s != ""; s = strings.TrimLeft(s, " ;\n}") {
		match, rest, err := sedAddress(s, extended)
		if err != nil {
			return nil, err
		}
		rest = strings.TrimLeft(rest, " {")
		e := edit{match: match}
		if e.negated = strings.HasPrefix(rest, "!"); e.negated {
			rest = rest[1:]
		}
		if rest == "" {
			return nil, fmt.Errorf("missing command")
		}
		e.op, rest = rest[0], rest[1:]
		switch e.op {
		case 'p', 'd', 'q':
		case 's':
			if rest, err = e.substitute(rest, extended); err != nil {
				return nil, err
			}
		default:
			return nil, fmt.Errorf("unknown command: `%c'", e.op)
		}
		es, s = append(es, e), rest
	}
	return es, nil
}

// until splits at the next unescaped separator.
func until(s string, sep byte) (string, string, error) {
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' {
			i++
		} else if s[i] == sep {
			return s[:i], s[i+1:], nil
		}
	}
	return "", "", fmt.Errorf("unterminated expression")
}

func (e *edit) substitute(s string, extended bool) (string, error) {
	if s == "" {
		return "", fmt.Errorf("unterminated `s' command")
	}
	sep := s[0]
	pat, s, err := until(s[1:], sep)
	if err != nil {
		return "", err
	}
	with, s, err := until(s, sep)
	if err != nil {
		return "", err
	}
	unescape := func(t string) string { return strings.ReplaceAll(t, `\`+string(sep), string(sep)) }
	fold := false
	for s != "" && strings.IndexByte("gpIi", s[0]) >= 0 {
		switch s[0] {
		case 'g':
			e.global = true
		case 'p':
			e.print = true
		default:
			fold = true
		}
		s = s[1:]
	}
	if e.re, err = expression(unescape(pat), extended, false, fold); err != nil {
		return "", err
	}
	with = strings.ReplaceAll(unescape(with), "$", "$$")
	e.with = regexp.MustCompile(`\\([0-9&/\\n])|&`).ReplaceAllStringFunc(with, func(m string) string {
		switch {
		case m == "&":
			return "${0}"
		case m == `\n`:
			return "\n"
		case m[1] >= '0' && m[1] <= '9':
			return "${" + m[1:] + "}"
		}
		return m[1:]
	})
	return s, nil
}

type address func(line int, last bool, text string) bool

func sedAddress(s string, extended bool) (address, string, error) {
	one := func(s string) (address, string, error) {
		switch {
		case s != "" && s[0] == '$':
			return func(_ int, last bool, _ string) bool { return last }, s[1:], nil
		case s != "" && s[0] == '/':
			p, rest, err := until(s[1:], '/')
			if err != nil {
				return nil, "", err
			}
			re, err := expression(strings.ReplaceAll(p, `\/`, "/"), extended, false, false)
			if err != nil {
				return nil, "", err
			}
			return func(_ int, _ bool, t string) bool { return re.MatchString(t) }, rest, nil
		}
		n := 0
		for n < len(s) && s[n] >= '0' && s[n] <= '9' {
			n++
		}
		if n == 0 {
			return nil, s, nil
		}
		want, err := strconv.Atoi(s[:n])
		return func(line int, _ bool, _ string) bool { return line == want }, s[n:], err
	}
	from, rest, err := one(s)
	if err != nil {
		return nil, "", err
	}
	if from == nil {
		return func(int, bool, string) bool { return true }, rest, nil
	}
	if !strings.HasPrefix(rest, ",") {
		return from, rest, nil
	}
	to, rest, err := one(rest[1:])
	if err != nil {
		return nil, "", err
	}
	if to == nil {
		return nil, "", fmt.Errorf("unexpected `,'")
	}
	in := false
	return func(line int, last bool, t string) bool {
		if !in {
			in = from(line, last, t)
			return in
		}
		if to(line, last, t) {
			in = false
		}
		return true
	}, rest, nil
}
