package posix

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// search is one run of grep.
type search struct {
	*Call
	o options
	// whole matches a line; with -w, later matches one from the second part of a line on.
	whole, later *regexp.Regexp
	limit        int
	names, quiet bool
	found        bool
	// nothing: no line can be selected, so that GNU does not even look.
	nothing bool
}

func grep(_ context.Context, c *Call) int {
	s, err := c.search()
	if err != nil {
		c.usage("%v", err)
		return 2
	}
	if len(s.o.args) == 0 && s.o.has("r") {
		s.o.args = []string{"."}
	}
	status := 0
	if len(s.o.args) == 0 {
		s.o.args = []string{"-"}
	}
	if s.nothing || s.limit == 0 {
		return 1
	}
	for _, p := range s.o.args {
		if err := s.operand(p); err != nil {
			status = 2
			if !s.o.has("s") {
				c.fail(named(p, err))
			}
		}
		if s.quiet && s.found {
			return 0
		}
	}
	switch {
	case status != 0:
		return status
	case s.found:
		return 0
	}
	return 1
}

// search reads the arguments.
func (c *Call) search() (*search, error) {
	o, err := c.parse("q", "E", "F", "i", "v", "c", "o", "x", "w", "s", "n", "l", "h", "H", "r", "m:", "e:", "quiet")
	if err != nil {
		return nil, err
	}
	patterns := o.set["e"]
	if patterns == nil {
		if len(o.args) == 0 {
			return nil, errors.New("no pattern")
		}
		patterns, o.args = o.args[:1], o.args[1:]
	}
	s := &search{Call: c, o: o, limit: 1 << 60, quiet: o.has("q", "quiet")}
	s.names = len(o.args) > 1 || o.has("r") && (len(o.args) == 0 || c.isFolder(o.args[0]))
	switch o.latest("h", "H") {
	case "h":
		s.names = false
	case "H":
		s.names = true
	}
	if o.has("m") {
		if s.limit, err = strconv.Atoi(o.value("m")); err != nil {
			return nil, errors.New("invalid max count")
		}
	}
	if o.has("E") && o.has("F") {
		return nil, errors.New("conflicting matchers specified")
	}
	var texts []string
	for _, p := range strings.Split(strings.Join(patterns, "\n"), "\n") {
		t, err := dialect{extended: o.has("E"), fixed: o.has("F")}.translate(p)
		if err != nil {
			return nil, err
		}
		texts = append(texts, t)
		if o.has("E") && p != "" && strings.IndexByte("*+?", p[0]) >= 0 {
			fmt.Fprintf(c.Err, "grep: warning: %c at start of expression\n", p[0])
		}
	}
	s.nothing = o.has("v") && slices.Contains(texts, "") && !o.has("x", "w")
	text := "(?:" + strings.Join(texts, ")|(?:") + ")"
	switch {
	case o.has("x"):
		s.whole, err = compile("^(?:"+text+")$", o.has("i"))
	case o.has("w"):
		if s.whole, err = compile(`(?:^|\W)(`+text+`)(?:\W|$)`, o.has("i")); err == nil {
			s.later, err = compile(`\W(`+text+`)(?:\W|$)`, o.has("i"))
		}
	default:
		s.whole, err = compile(text, o.has("i"))
	}
	return s, err
}

func (c *Call) isFolder(p string) bool {
	fi, err := c.Files.Stat(p)
	return err == nil && fi.IsDir()
}

// operand searches a file, or with -r what lies below a folder; links below it are not followed.
func (s *search) operand(p string) error {
	fi, err := s.Files.Stat(p)
	if p == "-" || err != nil || !fi.IsDir() {
		return s.file(p)
	}
	if !s.o.has("r") {
		return errors.New("Is a directory")
	}
	infos, err := s.Files.ReadDir(p)
	if err != nil {
		return err
	}
	for _, i := range infos {
		q := strings.TrimRight(p, "/") + "/" + i.Name()
		if p == "." && len(s.o.args) == 1 && s.Args[len(s.Args)-1] != "." {
			q = i.Name()
		}
		if !i.IsDir() && !i.Mode().IsRegular() {
			continue
		}
		if err := s.operand(q); err != nil {
			return fmt.Errorf("%s: %w", path.Base(q), err)
		}
	}
	return nil
}

func (s *search) file(p string) error {
	f, err := s.open(p)
	if err != nil {
		return err
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	name := p
	if p == "-" {
		name = "(standard input)"
	}
	prefix := ""
	if s.names {
		prefix = name + ":"
	}
	binary := bytes.IndexByte(b[:min(len(b), 32<<10)], 0) >= 0
	if binary { // its NULs end lines
		b = bytes.ReplaceAll(b, []byte{0}, []byte{'\n'})
	}
	count, number := 0, 0
	err = lines(bytes.NewReader(b), func(l line) bool {
		number++
		if count >= s.limit {
			return false
		}
		if s.selects(l.text) == s.o.has("v") {
			return true
		}
		count++
		s.found = true
		switch {
		case s.quiet, s.o.has("l"):
			return false
		case s.o.has("c"):
		case binary || !utf8.ValidString(l.text):
			fmt.Fprintf(s.Err, "grep: %s: binary file matches\n", p)
			return false
		default:
			s.show(prefix, number, l.text)
		}
		return true
	})
	switch {
	case s.quiet:
	case s.o.has("l"):
		if count > 0 {
			fmt.Fprintln(s.Out, name)
		}
	case s.o.has("c"):
		fmt.Fprintln(s.Out, prefix+strconv.Itoa(count))
	}
	return err
}

func (s *search) selects(l string) bool { return s.whole.MatchString(l) }

// show prints a line, or with -o what matched in it.
func (s *search) show(prefix string, number int, l string) {
	if s.o.has("n") {
		prefix += strconv.Itoa(number) + ":"
	}
	if !s.o.has("o") {
		fmt.Fprintln(s.Out, prefix+l)
		return
	}
	if s.o.has("v") {
		return
	}
	for _, m := range s.matches(l) {
		if m != "" {
			fmt.Fprintln(s.Out, prefix+m)
		}
	}
}

func (s *search) matches(l string) []string {
	if s.later == nil {
		return s.whole.FindAllString(l, -1)
	}
	var ms []string
	at, re := 0, s.whole
	for {
		m := re.FindStringSubmatchIndex(l[at:])
		if m == nil {
			return ms
		}
		ms = append(ms, l[at+m[2]:at+m[3]])
		if m[3] == 0 {
			return ms
		}
		at, re = at+m[3]-1, s.later // one character back: it is what now stands before
	}
}
