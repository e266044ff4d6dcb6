package posix

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// basic turns a POSIX basic regular expression into Go's syntax: there, unescaped braces and bars are ordinary characters.
func basic(p string) string {
	var b strings.Builder
	class := false
	for i := 0; i < len(p); i++ {
		ch := p[i]
		switch {
		case class:
			b.WriteByte(ch)
			class = ch != ']'
		case ch == '\\' && i+1 < len(p):
			i++
			if strings.IndexByte("(){}|+?", p[i]) >= 0 {
				b.WriteByte(p[i])
			} else {
				b.WriteByte('\\')
				b.WriteByte(p[i])
			}
		case strings.IndexByte("(){}|+?", ch) >= 0:
			b.WriteByte('\\')
			b.WriteByte(ch)
		default:
			b.WriteByte(ch)
			class = ch == '['
		}
	}
	return b.String()
}

func expression(p string, extended, fixed, fold bool) (*regexp.Regexp, error) {
	switch {
	case fixed:
		p = regexp.QuoteMeta(p)
	case !extended:
		p = basic(p)
	}
	if fold {
		p = "(?i)" + p
	}
	return regexp.Compile(p)
}

func grep(_ context.Context, c *Call) int {
	o, err := c.parse("q", "E", "F", "i", "v", "c", "o", "x", "w", "s", "n", "l", "h", "H", "r", "m:", "e:", "quiet")
	if err != nil {
		c.usage("%v", err)
		return 2
	}
	patterns := o.set["e"]
	if patterns == nil {
		if len(o.args) == 0 {
			c.usage("no pattern")
			return 2
		}
		patterns, o.args = o.args[:1], o.args[1:]
	}
	var res []*regexp.Regexp
	for _, p := range patterns {
		if o.has("x") {
			p = "^" + p + "$"
		}
		if o.has("w") {
			p = `\b` + p + `\b`
		}
		re, err := expression(p, o.has("E"), o.has("F"), o.has("i"))
		if err != nil {
			c.usage("%v", err)
			return 2
		}
		res = append(res, re)
	}
	limit := 1 << 60
	if o.has("m") {
		if limit, err = strconv.Atoi(o.value("m")); err != nil {
			c.usage("%v", err)
			return 2
		}
	}
	quiet := o.has("q", "quiet")
	found, names := false, o.has("H") || len(o.args) > 1 && !o.has("h")
	errs := c.inputs(o.args, func(name string, r io.Reader) error {
		count, line := 0, 0
		prefix := ""
		if names {
			prefix = name + ":"
		}
		err := lines(r, func(l string) bool {
			line++
			hit := ""
			matched := false
			for _, re := range res {
				if m := re.FindStringIndex(l); m != nil {
					matched, hit = true, l[m[0]:m[1]]
					break
				}
			}
			if matched == o.has("v") {
				return true
			}
			found = true
			count++
			if quiet {
				return false
			}
			number := ""
			if o.has("n") {
				number = strconv.Itoa(line) + ":"
			}
			switch {
			case o.has("c"), o.has("l"):
			case o.has("o"):
				fmt.Fprintln(c.Out, prefix+number+hit)
			default:
				fmt.Fprintln(c.Out, prefix+number+l)
			}
			return count < limit
		})
		switch {
		case quiet:
		case o.has("l") && count > 0:
			fmt.Fprintln(c.Out, name)
		case o.has("c"):
			fmt.Fprintln(c.Out, prefix+strconv.Itoa(count))
		}
		return err
	})
	switch {
	case found && (errs == 0 || quiet):
		return 0
	case errs != 0:
		return 2
	}
	return 1
}

// set reads one set of tr: ranges, \n \t \r, and the classes [:upper:] [:lower:] [:space:] [:digit:].
func trSet(s string) string {
	for class, chars := range map[string]string{"[:upper:]": "A-Z", "[:lower:]": "a-z", "[:digit:]": "0-9", "[:space:]": " \\t\\n\\r", "[:alnum:]": "A-Za-z0-9"} {
		s = strings.ReplaceAll(s, class, chars)
	}
	s = strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\r`, "\r", `\0`, "\x00", `\000`, "\x00", `\\`, `\`).Replace(s)
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if i+2 < len(s) && s[i+1] == '-' && s[i+2] >= s[i] {
			for ch := s[i]; ch <= s[i+2]; ch++ {
				b.WriteByte(ch)
			}
			i += 2
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func tr(_ context.Context, c *Call) int {
	o, err := c.parse("d", "s", "c")
	if err != nil || len(o.args) == 0 {
		return c.usage("missing operand (%v)", err)
	}
	from := trSet(o.args[0])
	to := ""
	if len(o.args) > 1 {
		to = trSet(o.args[1])
	}
	b, err := io.ReadAll(c.In)
	if err != nil {
		return c.fail(err)
	}
	out := make([]byte, 0, len(b))
	for _, ch := range b {
		i := strings.IndexByte(from, ch)
		if o.has("c") {
			if i = -1; strings.IndexByte(from, ch) < 0 {
				i = 0
			}
		}
		switch {
		case i < 0:
			out = append(out, ch)
			continue
		case o.has("d"):
			continue
		case to != "":
			ch = to[min(i, len(to)-1)]
		}
		if o.has("s") && len(out) > 0 && out[len(out)-1] == ch {
			continue
		}
		out = append(out, ch)
	}
	_, err = c.Out.Write(out)
	return c.check(err)
}
