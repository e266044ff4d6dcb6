package posix

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"syscall"
)

// sed knows s///, p, d, q and { }, after no address, one or two: a line number, $, /re/, and as the second +N. Other commands are refused.
func sed(_ context.Context, c *Call) int {
	o, err := c.parse("n", "e:", "E", "r", "s", "i::")
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
	p := sedParser{text: strings.Join(scripts, "\n"), extended: o.has("E", "r")}
	edits, err := p.parse()
	if err != nil {
		fmt.Fprintf(c.Err, "sed: -e expression #1, char %d: %v\n", p.at, err)
		return 1
	}
	r := &sedRun{Call: c, edits: edits, silent: o.has("n"), out: c.Out}
	if o.has("i") {
		return r.inPlace(o.args, o.value("i"))
	}
	files := o.args
	if len(files) == 0 {
		files = []string{"-"}
	}
	var all []line
	status := 0
	for i, f := range files {
		ls, err := r.read(f)
		switch {
		case errors.Is(err, syscall.EISDIR): // which ends it
			r.run(all)
			return 4
		case err != nil:
			status = 2
		}
		all = append(all, ls...)
		if o.has("s") || i == len(files)-1 {
			r.run(all)
			all = nil
		}
		if r.quit {
			return r.exit
		}
	}
	return status
}

// read is a file's lines. GNU sed says what it cannot read and goes on.
func (r *sedRun) read(name string) ([]line, error) {
	in, err := r.open(name)
	if err != nil {
		fmt.Fprintf(r.Err, "sed: can't read %s: %s\n", name, reason(err))
		return nil, err
	}
	defer in.Close()
	var ls []line
	err = lines(in, func(l line) bool { ls = append(ls, l); return true })
	if err != nil {
		fmt.Fprintf(r.Err, "sed: read error on %s: %s\n", name, reason(unwrap(err)))
	}
	return ls, err
}

// inPlace edits each file by itself: a new file takes the old one's place, its mode and, when root edits, its owner.
func (r *sedRun) inPlace(files []string, suffix string) int {
	status := 0
	for _, name := range files {
		fi, err := r.Files.Stat(name)
		if err == nil && !fi.Mode().IsRegular() {
			fmt.Fprintf(r.Err, "sed: couldn't edit %s: not a regular file\n", name)
			status = 4
			continue
		}
		ls, err := r.read(name)
		if err != nil {
			status = max(status, 2)
			continue
		}
		var out bytes.Buffer
		r.out = &out
		r.run(ls)
		if err := r.replace(name, suffix, out.Bytes(), fi.Mode(), fi.UID(), fi.GID()); err != nil {
			fmt.Fprintf(r.Err, "sed: couldn't open temporary file %s: %s\n", name, reason(unwrap(err)))
			return 4
		}
		if r.quit {
			return r.exit
		}
	}
	return status
}

func (r *sedRun) replace(name, suffix string, content []byte, mode fs.FileMode, uid, gid int) error {
	dir := name[:strings.LastIndex(name, "/")+1]
	tmp := dir + "sed" + randomName(6)
	f, err := r.Files.Open(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil && r.User.UID == 0 {
		err = r.Files.Chown(tmp, uid, gid)
	}
	if r.User.UID != 0 { // who is not root cannot hand the file to its owner, and what goes with owners is lost
		mode &^= fs.ModeSetuid | fs.ModeSetgid
	}
	if err == nil {
		err = r.Files.Chmod(tmp, mode)
	}
	if err == nil && suffix != "" {
		err = r.Files.Rename(name, name+suffix)
	}
	if err == nil {
		err = r.Files.Rename(tmp, name)
	}
	if err != nil {
		_ = r.Files.Remove(tmp)
	}
	return err
}

// sedRun is a script at work.
type sedRun struct {
	*Call
	edits  []*edit
	silent bool
	out    io.Writer
	// unended: what was written last had no line end, because the input's last line has none.
	unended bool
	last    *regexp.Regexp // that was used last, which // stands for
	quit    bool
	exit    int
}

func (r *sedRun) print(text string, ended bool) {
	if r.unended {
		fmt.Fprintln(r.out)
	}
	fmt.Fprint(r.out, line{text, ended})
	r.unended = !ended
}

func (r *sedRun) run(ls []line) {
	for _, e := range r.edits {
		e.open = 0
	}
	r.unended = r.unended && r.out == r.Out
	for i, l := range ls {
		s := &sedLine{text: l.text, ended: l.ended, number: i + 1, last: i == len(ls)-1}
		r.apply(r.edits, s)
		if !r.silent && !s.deleted {
			r.print(s.text, s.ended)
		}
		if r.quit {
			return
		}
	}
}

// sedLine is the pattern space.
type sedLine struct {
	text        string
	ended, last bool
	number      int
	deleted     bool
}

// apply runs commands on a line until one ends its cycle.
func (r *sedRun) apply(edits []*edit, l *sedLine) {
	for _, e := range edits {
		if r.addressed(e, l) == e.negated {
			continue
		}
		switch e.op {
		case '{':
			r.apply(e.block, l)
		case 'd':
			l.deleted = true
		case 'q':
			r.quit, r.exit = true, e.exit
		case 'p':
			r.print(l.text, l.ended)
		case 's':
			r.substitute(e, l)
		}
		if l.deleted || r.quit {
			return
		}
	}
}

// regexp is the expression, or the one that was used last.
func (r *sedRun) regexp(re *regexp.Regexp) *regexp.Regexp {
	switch {
	case re != nil:
		r.last = re
	case r.last == nil && !r.quit:
		fmt.Fprintln(r.Err, "sed: no previous regular expression")
		r.quit, r.silent, r.exit = true, true, 1
	}
	return r.last
}

func (r *sedRun) meets(a *address, l *sedLine) bool {
	switch a.kind {
	case addressLine:
		return l.number == a.n
	case addressLast:
		return l.last
	}
	re := r.regexp(a.re)
	return re != nil && re.MatchString(l.text)
}

// addressed reports whether a command is for a line. A range is open from a line that meets its first address to the next that meets its
// second; a second address that is a number at or before the first line makes a range of one line.
func (r *sedRun) addressed(e *edit, l *sedLine) bool {
	switch {
	case e.from == nil:
		return true
	case e.to == nil:
		return r.meets(e.from, l)
	}
	fromZero := e.from.kind == addressLine && e.from.n == 0
	if e.open == 0 {
		switch {
		case fromZero && l.number == 1: // 0,/re/ is open before the first line
			e.open = 1
		case fromZero || !r.meets(e.from, l):
			return false
		default:
			if !(e.to.kind == addressLine && e.to.n <= l.number || e.to.kind == addressPlus && e.to.n == 0 || e.to.kind == addressLast && l.last) {
				e.open = l.number
			}
			return true
		}
	}
	closes, inside := false, true
	switch e.to.kind {
	case addressLine:
		closes, inside = l.number >= e.to.n, l.number <= e.to.n
	case addressPlus:
		closes = l.number >= e.open+e.to.n
	default:
		closes = r.meets(e.to, l)
	}
	if closes {
		e.open = 0
	}
	return inside
}
