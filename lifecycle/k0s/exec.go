package k0s

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/k0sproject/rig/v2/sh/shellescape"
	"golang.org/x/crypto/ssh"

	"kiban.dev/kiban/lifecycle"
)

// runCommand runs the operator's command as root, word by word as it was given. Each line that it prints is progress.
func runCommand(ctx context.Context, t *task) error {
	if len(t.step.Command) == 0 {
		return errors.New("there is no command to run")
	}
	words := make([]string, len(t.step.Command))
	for i, w := range t.step.Command {
		words[i] = shellescape.Quote(w)
	}
	said := &lines{say: t.progress}
	_, err := t.on.pipe(ctx, strings.Join(words, " ")+" 2>&1", nil, said)
	said.flush()
	if err == nil || ctx.Err() != nil {
		return err
	}
	exit, ok := errors.AsType[*ssh.ExitError](err)
	if !ok {
		return err
	}
	return lifecycle.Errorf(t.on.host.Name, "`%s` ended with status %d", strings.Join(words, " "), exit.ExitStatus()).
		Because(said.last...).
		Try(fmt.Sprintf("The machine stays out of service, with kiban's mark. When the cause is gone: the same command again. "+
			"To return it as it is: kiban node uncordon %s %s", t.site.Name, t.on.host.Name)).
		Hiding(err)
}

// lines hands on what is written to it, line by line, and keeps the last few.
type lines struct {
	say func(string)

	mu   sync.Mutex
	rest []byte
	last []string
	n    int
}

// keepLines is how many lines of a command that failed are repeated; longestLine is where one that does not end is cut; mostLines is how
// many are handed on: each becomes an event, which is kept.
const (
	keepLines   = 10
	longestLine = 4096
	mostLines   = 10000
)

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(l.rest, p...)
	for {
		i := bytes.IndexByte(l.rest, '\n')
		switch {
		case i >= 0:
			l.line(l.rest[:i])
			l.rest = l.rest[i+1:]
		case len(l.rest) >= longestLine:
			l.line(l.rest[:longestLine])
			l.rest = l.rest[longestLine:]
		default:
			return len(p), nil
		}
	}
}

// flush hands on a last line that has no end.
func (l *lines) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.line(l.rest)
	l.rest = nil
}

func (l *lines) line(b []byte) {
	text := printable(string(b))
	if text == "" {
		return
	}
	switch l.n++; {
	case l.n < mostLines:
		l.say(text)
	case l.n == mostLines:
		l.say(fmt.Sprintf("(it says more than %d lines; the rest is not told)", mostLines))
	}
	if l.last = append(l.last, text); len(l.last) > keepLines {
		l.last = l.last[1:]
	}
}
