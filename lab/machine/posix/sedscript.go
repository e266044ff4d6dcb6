package posix

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// edit is one sed command.
type edit struct {
	from, to *address
	negated  bool
	op       byte
	block    []*edit // of {
	exit     int     // of q
	re       *regexp.Regexp
	with     []piece // of s: what a match becomes
	nth      int     // which match of a line is the first to be replaced
	global   bool
	print    bool
	// open is the line at which the command's range began, 0 outside of it.
	open int
}

type addressKind int

const (
	addressLine addressKind = iota
	addressLast
	addressRegexp
	addressPlus
)

type address struct {
	kind addressKind
	n    int
	re   *regexp.Regexp // nil: the one that was used last
}

// piece is text, or a group of the match when group is not negative.
type piece struct {
	text  string
	group int
}

// sedParser reads a script.
type sedParser struct {
	text     string
	at       int
	extended bool
}

func (p *sedParser) parse() ([]*edit, error) {
	es, err := p.commands(0)
	return es, err
}

func (p *sedParser) skip(chars string) {
	for p.at < len(p.text) && strings.IndexByte(chars, p.text[p.at]) >= 0 {
		p.at++
	}
}

func (p *sedParser) peek() byte {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

func (p *sedParser) commands(depth int) ([]*edit, error) {
	var es []*edit
	for {
		p.skip(" \t\n;")
		switch p.peek() {
		case 0:
			if depth > 0 {
				return nil, errors.New("unmatched `{'")
			}
			return es, nil
		case '#':
			p.comment()
			continue
		case '}':
			if depth == 0 {
				return nil, errors.New("unexpected `}'")
			}
			p.at++
			return es, p.end()
		}
		e, err := p.command(depth)
		if err != nil {
			return nil, err
		}
		es = append(es, e)
	}
}

func (p *sedParser) comment() {
	if i := strings.IndexByte(p.text[p.at:], '\n'); i >= 0 {
		p.at += i
	} else {
		p.at = len(p.text)
	}
}

func (p *sedParser) command(depth int) (*edit, error) {
	e := &edit{}
	var err error
	if e.from, err = p.address(false); err != nil {
		return nil, err
	}
	p.skip(" \t")
	if p.peek() == ',' {
		if e.from == nil {
			return nil, errors.New("unknown command: `,'")
		}
		p.at++
		p.skip(" \t")
		if e.to, err = p.address(true); err != nil {
			return nil, err
		}
		if e.to == nil {
			return nil, errors.New("unexpected `,'")
		}
	}
	if e.from != nil && e.from.kind == addressLine && e.from.n == 0 && (e.to == nil || e.to.kind != addressRegexp) {
		return nil, errors.New("invalid usage of line address 0")
	}
	p.skip(" \t")
	for p.peek() == '!' {
		e.negated = true
		p.at++
		p.skip(" \t!")
	}
	e.op = p.peek()
	p.at++
	switch e.op {
	case 0, '\n', ';':
		return nil, errors.New("missing command")
	case '{':
		e.block, err = p.commands(depth + 1)
		return e, err
	case 'p', 'd':
	case 'q':
		if e.to != nil {
			return nil, errors.New("command only uses one address")
		}
		p.skip(" \t")
		e.exit = p.number()
	case 's':
		if err := p.substitution(e); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("unknown command: `%c'", e.op)
	}
	return e, p.end()
}

// end holds that nothing but a separator follows a command.
func (p *sedParser) end() error {
	p.skip(" \t")
	switch p.peek() {
	case 0, '\n', ';', '}', '#':
		return nil
	}
	return errors.New("extra characters after command")
}

func (p *sedParser) number() int {
	from := p.at
	for p.at < len(p.text) && isDigit(p.text[p.at]) {
		p.at++
	}
	n, _ := strconv.Atoi(p.text[from:p.at]) // none is 0
	return n
}

func (p *sedParser) address(second bool) (*address, error) {
	ch := p.peek()
	switch {
	case isDigit(ch):
		a := &address{kind: addressLine, n: p.number()}
		if p.peek() == '~' {
			return nil, errors.New("an address with a step is not in the lab")
		}
		return a, nil
	case ch == '$':
		p.at++
		return &address{kind: addressLast}, nil
	case ch == '+' && second:
		p.at++
		return &address{kind: addressPlus, n: p.number()}, nil
	case ch == '/':
		p.at++
	case ch == '\\' && p.at+1 < len(p.text):
		ch = p.text[p.at+1]
		p.at += 2
	default:
		return nil, nil
	}
	pat, err := p.until(ch, true)
	if err != nil {
		return nil, errors.New("unterminated address regex")
	}
	fold := p.peek() == 'I'
	if fold {
		p.at++
	}
	a := &address{kind: addressRegexp}
	if pat != "" {
		a.re, err = expression(pat, dialect{extended: p.extended, fold: fold, escapes: true})
	}
	return a, err
}

// until reads up to the next separator that is not escaped. An escaped one stands for itself.
func (p *sedParser) until(sep byte, pattern bool) (string, error) {
	var b strings.Builder
	for p.at < len(p.text) {
		ch := p.text[p.at]
		p.at++
		switch {
		case ch == sep:
			return b.String(), nil
		case ch == '\n' && pattern:
			return "", errors.New("unterminated expression")
		case ch == '[' && pattern: // in a bracket expression the separator is a character
			b.WriteString(p.bracket())
		case ch == '\\' && p.at < len(p.text):
			next := p.text[p.at]
			p.at++
			if next == sep && !(sep == '&' && !pattern) {
				b.WriteByte(sep)
				continue
			}
			b.WriteByte('\\')
			b.WriteByte(next)
		default:
			b.WriteByte(ch)
		}
	}
	return "", errors.New("unterminated expression")
}

// bracket reads a bracket expression, or only its beginning when it has no end.
func (p *sedParser) bracket() string {
	i := p.at
	for i < len(p.text) && (p.text[i] == '^' || p.text[i] == ']' && i == p.at+strings.Count(p.text[p.at:i], "^")) {
		i++
	}
	for i < len(p.text) && p.text[i] != ']' && p.text[i] != '\n' {
		if strings.HasPrefix(p.text[i:], "[:") {
			if end := strings.Index(p.text[i:], ":]"); end > 0 {
				i += end + 1
			}
		}
		i++
	}
	if i >= len(p.text) || p.text[i] != ']' {
		return "["
	}
	s := "[" + p.text[p.at:i+1]
	p.at = i + 1
	return s
}

func (p *sedParser) substitution(e *edit) error {
	sep := p.peek()
	p.at++
	if sep == 0 || sep == '\n' || sep == '\\' {
		return errors.New("unterminated `s' command")
	}
	pat, err := p.until(sep, true)
	if err != nil {
		return errors.New("unterminated `s' command")
	}
	with, err := p.until(sep, false)
	if err != nil {
		return errors.New("unterminated `s' command")
	}
	fold, err := p.flags(e)
	if err != nil {
		return err
	}
	if pat != "" {
		if e.re, err = expression(pat, dialect{extended: p.extended, fold: fold, escapes: true}); err != nil {
			return err
		}
	}
	e.with, err = replacement(with)
	if err != nil {
		return err
	}
	for _, w := range e.with {
		if e.re != nil && w.group > e.re.NumSubexp() {
			return fmt.Errorf("invalid reference \\%d on `s' command's RHS", w.group)
		}
	}
	return nil
}

func (p *sedParser) flags(e *edit) (fold bool, err error) {
	for {
		switch ch := p.peek(); {
		case ch == 'g':
			e.global = true
		case ch == 'p':
			e.print = true
		case ch == 'i' || ch == 'I':
			fold = true
		case isDigit(ch):
			if e.nth = p.number(); e.nth == 0 {
				return false, errors.New("number option to `s' command may not be zero")
			}
			continue
		case ch == 0, strings.IndexByte(" \t\n;}#", ch) >= 0:
			return fold, nil
		default:
			return false, errors.New("unknown option to `s'")
		}
		p.at++
	}
}

// replacement reads what a match becomes.
func replacement(s string) ([]piece, error) {
	var ps []piece
	var b strings.Builder
	group := func(n int) {
		ps = append(ps, piece{text: b.String(), group: -1}, piece{group: n})
		b.Reset()
	}
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '&':
			group(0)
		case s[i] != '\\' || i+1 == len(s):
			b.WriteByte(s[i])
		default:
			i++
			switch ch := s[i]; {
			case isDigit(ch):
				group(int(ch - '0'))
			case strings.IndexByte("nt", ch) >= 0:
				b.WriteString(map[byte]string{'n': "\n", 't': "\t"}[ch])
			case isAlpha(ch):
				return nil, fmt.Errorf("\\%c in a replacement is not in the lab", ch)
			default:
				b.WriteByte(ch)
			}
		}
	}
	return append(ps, piece{text: b.String(), group: -1}), nil
}

// substitute replaces matches in a line.
func (r *sedRun) substitute(e *edit, l *sedLine) {
	re := r.regexp(e.re)
	if re == nil {
		return
	}
	var b strings.Builder
	at, done := 0, false
	for i, m := range re.FindAllStringSubmatchIndex(l.text, -1) {
		if i+1 < max(e.nth, 1) {
			continue
		}
		b.WriteString(l.text[at:m[0]])
		for _, w := range e.with {
			switch {
			case w.group < 0:
				b.WriteString(w.text)
			case m[2*w.group] >= 0:
				b.WriteString(l.text[m[2*w.group]:m[2*w.group+1]])
			}
		}
		at, done = m[1], true
		if !e.global {
			break
		}
	}
	if !done {
		return
	}
	l.text = b.String() + l.text[at:]
	if e.print {
		r.print(l.text, l.ended)
	}
}
