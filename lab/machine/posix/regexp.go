package posix

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// dialect is how a POSIX regular expression is written.
type dialect struct {
	extended, fixed, fold bool
	// escapes says that \n and \t are the characters, as in sed.
	escapes bool
}

var errBackReference = errors.New("back references are not in the lab")

// expression turns a POSIX regular expression, with GNU's additions, into Go's. It finds the leftmost-longest match, as POSIX wants.
func expression(p string, d dialect) (*regexp.Regexp, error) {
	text, err := d.translate(p)
	if err != nil {
		return nil, err
	}
	return compile(text, d.fold)
}

func compile(text string, fold bool) (*regexp.Regexp, error) {
	flags := "(?s)"
	if fold {
		flags = "(?si)"
	}
	re, err := regexp.Compile(flags + text)
	if err != nil {
		return nil, fmt.Errorf("invalid regular expression: %w", err)
	}
	re.Longest()
	return re, nil
}

// translator goes through an expression once.
type translator struct {
	dialect
	in    string
	at    int
	out   strings.Builder
	depth int
	// fresh: nothing that could be repeated stands before; repeated: what stands before is repeated already.
	fresh, repeated bool
}

func (d dialect) translate(p string) (string, error) {
	if d.fixed {
		return regexp.QuoteMeta(p), nil
	}
	t := &translator{dialect: d, in: p, fresh: true}
	for t.at < len(t.in) {
		if err := t.next(); err != nil {
			return "", err
		}
	}
	if t.depth > 0 {
		return "", errors.New(`unmatched ( or \(`)
	}
	return t.out.String(), nil
}

// next reads one element: an operator is a bare character in an extended expression and an escaped one in a basic one.
func (t *translator) next() error {
	ch := t.in[t.at]
	switch {
	case ch == '\\':
		if t.at+1 == len(t.in) {
			return errors.New("trailing backslash")
		}
		e := t.in[t.at+1]
		t.at += 2
		if !t.extended && strings.IndexByte("(){}|+?", e) >= 0 {
			return t.operator(e)
		}
		return t.escape(e)
	case ch == '[':
		return t.class()
	case ch == '*', t.extended && strings.IndexByte("(){}|+?", ch) >= 0:
		t.at++
		return t.operator(ch)
	}
	t.at++
	switch {
	case ch == '^' && (t.extended || t.fresh), ch == '$' && (t.extended || t.atEnd()):
		t.out.WriteByte(ch)
		t.repeated = true // * after ^ is a character in a basic expression; nobody repeats an anchor
		t.fresh = ch == '^'
		return nil
	case ch == '.':
		t.atom(".")
	case ch < 0x80:
		t.atom(regexp.QuoteMeta(string(rune(ch))))
	default:
		t.at--
		n := 1
		for t.at+n < len(t.in) && t.in[t.at+n]&0xc0 == 0x80 {
			n++
		}
		t.atom(t.in[t.at : t.at+n])
		t.at += n
	}
	return nil
}

func (t *translator) atom(s string) {
	t.out.WriteString(s)
	t.fresh, t.repeated = false, false
}

// atEnd reports whether a basic expression, or its group or branch, ends here.
func (t *translator) atEnd() bool {
	rest := t.in[t.at:]
	return rest == "" || strings.HasPrefix(rest, `\)`) || strings.HasPrefix(rest, `\|`)
}

func (t *translator) operator(ch byte) error {
	switch ch {
	case '(':
		t.depth++
		t.out.WriteByte('(')
		t.fresh, t.repeated = true, false
	case ')':
		if t.depth == 0 {
			return errors.New(`unmatched ) or \)`)
		}
		t.depth--
		t.out.WriteByte(')')
		t.fresh, t.repeated = false, false
	case '|':
		t.out.WriteByte('|')
		t.fresh, t.repeated = true, false
	case '}':
		t.atom(`\}`)
	case '{':
		return t.interval()
	default: // * + ?
		t.repeat(string(rune(ch)))
	}
	return nil
}

// repeat appends a repetition. At the beginning of an expression it is a character in a basic one, and nothing in an extended one.
func (t *translator) repeat(op string) {
	switch {
	case t.fresh && t.extended:
	case t.fresh:
		t.atom(regexp.QuoteMeta(op))
	case t.repeated && (op == "*" || op == "+" || op == "?"):
		s := t.out.String() // x+* and the like: what repeats a repetition
		i := len(s) - 1
		if last := s[i]; strings.IndexByte("*+?", last) >= 0 {
			if string(last) != op {
				op = "*"
			}
			t.out.Reset()
			t.out.WriteString(s[:i] + op)
		} else {
			t.out.WriteString(op)
		}
	default:
		t.out.WriteString(op)
		t.repeated = true
	}
}

func (t *translator) interval() error {
	end := strings.Index(t.in[t.at:], "}")
	if !t.extended {
		end = strings.Index(t.in[t.at:], `\}`)
	}
	text := ""
	if end >= 0 {
		text = t.in[t.at : t.at+end]
	}
	from, to, comma := strings.Cut(text, ",")
	_, ferr := strconv.Atoi("0" + from)
	_, terr := strconv.Atoi("0" + to)
	if end < 0 || ferr != nil || terr != nil || from == "" && !comma {
		if t.extended { // GNU takes it for the character
			t.atom(`\{`)
			return nil
		}
		return errors.New(`unmatched or invalid \{`)
	}
	if from == "" {
		text = "0" + text
	}
	t.at += end + 1
	if !t.extended {
		t.at++
	}
	if t.fresh {
		return errors.New("invalid preceding regular expression")
	}
	t.out.WriteString("{" + text + "}")
	t.repeated = true
	return nil
}

func (t *translator) escape(e byte) error {
	switch {
	case e >= '1' && e <= '9':
		return errBackReference
	case e == '<' || e == '>': // the side of the word that is meant follows from what stands beside it
		t.atom(`\b`)
	case strings.IndexByte("bBwWsS", e) >= 0:
		t.atom(`\` + string(rune(e)))
	case e == '`' || e == '\'':
		return fmt.Errorf("\\%c is not in the lab", e)
	case t.escapes && e == 'n':
		t.atom(`\n`)
	case t.escapes && strings.IndexByte("tfvar", e) >= 0:
		t.atom(`\` + string(rune(e)))
	case t.escapes && strings.IndexByte("cdox", e) >= 0:
		return fmt.Errorf("\\%c is not in the lab", e)
	default:
		t.atom(regexp.QuoteMeta(string(rune(e))))
	}
	return nil
}

// class copies a bracket expression: in POSIX a backslash in it is a character, and so is ] at its beginning.
func (t *translator) class() error {
	i := t.at + 1
	var b strings.Builder
	b.WriteByte('[')
	if i < len(t.in) && t.in[i] == '^' {
		b.WriteByte('^')
		i++
	}
	for first := true; ; first = false {
		if i >= len(t.in) {
			return errors.New("unmatched [, [^, [:, [., or [=")
		}
		ch := t.in[i]
		switch {
		case ch == ']' && !first:
			b.WriteByte(']')
			t.at = i + 1
			t.atom(b.String())
			return nil
		case ch == '[' && i+1 < len(t.in) && t.in[i+1] == ':':
			end := strings.Index(t.in[i:], ":]")
			if end < 0 {
				return errors.New("unmatched [:")
			}
			b.WriteString(t.in[i : i+end+2])
			i += end + 2
			continue
		case ch == '[' && i+1 < len(t.in) && (t.in[i+1] == '.' || t.in[i+1] == '='):
			return fmt.Errorf("[%c is not in the lab", t.in[i+1])
		case t.escapes && ch == '\\' && i+1 < len(t.in) && strings.IndexByte("ntfvr", t.in[i+1]) >= 0:
			b.WriteString(t.in[i : i+2])
			i += 2
			continue
		case ch == '-' && (first || i+1 < len(t.in) && t.in[i+1] == ']'):
			b.WriteString(`\-`)
		case strings.IndexByte(`\[]^&~`, ch) >= 0:
			b.WriteString(`\` + string(rune(ch)))
		default:
			b.WriteByte(ch)
		}
		i++
	}
}
