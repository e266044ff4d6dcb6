package posix

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// echo is /bin/echo; the shell's own is shellEcho.
func echo(_ context.Context, c *Call) int {
	a := c.Args[1:]
	end, escapes := "\n", false
	for len(a) > 0 && len(a[0]) > 1 && a[0][0] == '-' && strings.Trim(a[0][1:], "neE") == "" {
		for _, f := range a[0][1:] {
			switch f {
			case 'n':
				end = ""
			case 'e':
				escapes = true
			case 'E':
				escapes = false
			}
		}
		a = a[1:]
	}
	s := strings.Join(a, " ")
	if escapes {
		var stop bool
		if s, stop = interpret(s, true); stop {
			end = ""
		}
	}
	fmt.Fprint(c.Out, s, end)
	return 0
}

// shellEcho is dash's echo: escapes are always read, and only -n is an option.
func (c *Call) shellEcho() int {
	a := c.Args[1:]
	end := "\n"
	if len(a) > 0 && a[0] == "-n" {
		end, a = "", a[1:]
	}
	s, stop := interpret(strings.Join(a, " "), false)
	if stop {
		end = ""
	}
	fmt.Fprint(c.Out, s, end)
	return 0
}

// interpret reads the escapes of echo and of %b: \0NNN is an octal number, \c the end of all output. With hex, \xHH too.
func interpret(s string, hex bool) (text string, stop bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		ch := s[i]
		switch {
		case ch == 'c':
			return b.String(), true
		case ch == '0':
			v, n := digitsOf(s[i+1:], 8, 3)
			b.WriteByte(v)
			i += n
		case hex && ch == 'x':
			v, n := digitsOf(s[i+1:], 16, 2)
			if n == 0 {
				b.WriteString(`\x`)
			} else {
				b.WriteByte(v)
			}
			i += n
		default:
			if e, ok := plainEscape(ch); ok {
				b.WriteByte(e)
			} else {
				b.WriteByte('\\')
				b.WriteByte(ch)
			}
		}
	}
	return b.String(), false
}

func plainEscape(ch byte) (byte, bool) {
	e, ok := map[byte]byte{'a': '\a', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v', '\\': '\\', 'e': 0x1b}[ch]
	return e, ok && ch != 'e'
}

// digitsOf reads up to most digits of a number in a base, and says how many there were.
func digitsOf(s string, base, most int) (byte, int) {
	n := 0
	for n < most && n < len(s) {
		if _, err := strconv.ParseUint(s[n:n+1], base, 8); err != nil {
			break
		}
		n++
	}
	v, _ := strconv.ParseUint("0"+s[:n], base, 16)
	return byte(v), n
}

// unescape reads the escapes of a format: \NNN is an octal number.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		if v, n := digitsOf(s[i:], 8, 3); n > 0 {
			b.WriteByte(v)
			i += n - 1
			continue
		}
		if e, ok := plainEscape(s[i]); ok {
			b.WriteByte(e)
			continue
		}
		if s[i] != '"' && s[i] != '\'' {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// printer is one run of printf. It knows %s %b %c %d %i %u %o %x %X with flags, width and precision; dash's own printf and the program are
// taken for one.
type printer struct {
	*Call
	args   []string
	out    strings.Builder
	status int
	stop   bool
	hex    bool // \xHH is an escape: in the program, not in dash
}

func printf(_ context.Context, c *Call) int { return c.printf(true) }

func (c *Call) printf(program bool) int {
	a := c.Args[1:]
	if len(a) > 0 && a[0] == "--" {
		a = a[1:]
	}
	if len(a) == 0 {
		c.usage("missing operand")
		return map[bool]int{true: 1, false: 2}[program]
	}
	if !program && len(a[0]) > 1 && a[0][0] == '-' && len(c.Args) > 1 && c.Args[1] != "--" {
		c.usage("Illegal option %s", a[0])
		return 2
	}
	p := &printer{Call: c, args: a[1:], hex: program}
	format := a[0]
	for {
		before := len(p.args)
		err := p.once(format)
		if err != nil {
			fmt.Fprint(c.Out, p.out.String())
			fmt.Fprintf(c.Err, "printf: %v\n", err)
			return map[bool]int{true: 1, false: 2}[program]
		}
		if p.stop || len(p.args) == 0 || len(p.args) == before {
			if program && len(p.args) > 0 && !p.stop {
				fmt.Fprintf(c.Err, "printf: warning: ignoring excess arguments, starting with '%s'\n", p.args[0])
			}
			break
		}
	}
	if _, err := fmt.Fprint(c.Out, p.out.String()); err != nil {
		return c.fail(err)
	}
	return p.status
}

// once goes through the format.
func (p *printer) once(f string) error {
	for i := 0; i < len(f) && !p.stop; {
		end := strings.IndexByte(f[i:], '%')
		if end < 0 {
			end = len(f) - i
		}
		p.literal(f[i : i+end])
		i += end
		if i == len(f) {
			break
		}
		n, err := p.verb(f[i+1:])
		if err != nil {
			return err
		}
		i += 1 + n
	}
	return nil
}

func (p *printer) literal(s string) {
	if p.hex {
		for {
			i := strings.Index(s, `\x`)
			if i < 0 || i > 0 && s[i-1] == '\\' {
				break
			}
			v, n := digitsOf(s[i+2:], 16, 2)
			p.out.WriteString(unescape(s[:i]))
			p.out.WriteByte(v)
			s = s[i+2+n:]
		}
	}
	p.out.WriteString(unescape(s))
}

func (p *printer) next() string {
	if len(p.args) == 0 {
		return ""
	}
	s := p.args[0]
	p.args = p.args[1:]
	return s
}

// verb writes one conversion and says how long it is.
func (p *printer) verb(f string) (int, error) {
	n := 0
	for n < len(f) && strings.IndexByte("-+ #0", f[n]) >= 0 {
		n++
	}
	spec := f[:n]
	for n < len(f) && (isDigit(f[n]) || f[n] == '.' || f[n] == '*') {
		if f[n] == '*' {
			spec += strconv.Itoa(int(p.integer(p.next())))
		} else {
			spec += f[n : n+1]
		}
		n++
	}
	if n == len(f) {
		return n, fmt.Errorf("%%%s: missing format character", f)
	}
	switch v := f[n]; v {
	case '%':
		p.out.WriteByte('%')
	case 's':
		fmt.Fprintf(&p.out, "%"+spec+"s", p.next())
	case 'c':
		s := p.next()
		fmt.Fprintf(&p.out, "%"+spec+"s", s[:min(1, len(s))])
	case 'b':
		s, stop := interpret(p.next(), p.hex)
		fmt.Fprintf(&p.out, "%"+spec+"s", s)
		p.stop = stop
	case 'd', 'i':
		fmt.Fprintf(&p.out, "%"+spec+"d", p.integer(p.next()))
	case 'u', 'o', 'x', 'X':
		fmt.Fprintf(&p.out, "%"+spec+strings.Replace(string(v), "u", "d", 1), uint64(p.integer(p.next())))
	default:
		return n, fmt.Errorf("%%%c: invalid directive", v)
	}
	return n + 1, nil
}

// integer reads a number as C does, or the code of a character behind a quote. What is none counts as far as it is one, and is told.
func (p *printer) integer(s string) int64 {
	if s == "" {
		return 0
	}
	if s[0] == '\'' || s[0] == '"' {
		if len(s) > 1 {
			return int64(s[1])
		}
		return 0
	}
	for n := len(s); n > 0; n-- {
		v, err := strconv.ParseInt(strings.TrimLeft(s[:n], " "), 0, 64)
		if err != nil || strings.ContainsAny(s[:n], "_bBoO") {
			continue
		}
		if n < len(s) {
			p.complain(s)
		}
		return v
	}
	p.complain(s)
	return 0
}

func (p *printer) complain(s string) {
	fmt.Fprintf(p.Err, "printf: '%s': expected a numeric value\n", s)
	p.status = 1
}
