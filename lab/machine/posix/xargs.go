package posix

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// xargs knows -0, -r, -n and -I. Quotes and backslashes count in its input, unless its parts end in NUL.
func xargs(ctx context.Context, c *Call) int {
	o, err := c.parseLeading("0", "r", "n:", "I:", "null", "no-run-if-empty", "max-args=")
	most, replace := 0, ""
	if err == nil && o.has("n", "max-args") {
		if most, err = strconv.Atoi(o.value("n", "max-args")); err != nil || most < 1 {
			err = fmt.Errorf("invalid number \"%s\" for -n option", o.value("n", "max-args"))
		}
	}
	if o.latest("n", "max-args", "I") == "I" {
		replace, most = o.value("I"), 1
	}
	if err != nil {
		return c.usage("%v", err)
	}
	command := o.args
	if len(command) == 0 {
		command = []string{"echo"}
	}
	b, err := io.ReadAll(c.In)
	if err != nil {
		return c.fail(err)
	}
	words, broken := xargsWords(string(b), o.has("0", "null"), replace != "")
	if len(words) == 0 && (o.has("r", "no-run-if-empty") || replace != "" || broken != nil) {
		return c.xargsEnd(0, broken)
	}
	if most == 0 {
		most = max(1, len(words))
	}
	status := 0
	for first := true; first || len(words) > 0; first = false {
		n := min(most, len(words))
		args := append([]string(nil), command...)
		if replace != "" {
			for i := range args {
				if i > 0 {
					args[i] = strings.ReplaceAll(args[i], replace, words[0])
				}
			}
		} else {
			args = append(args, words[:n]...)
		}
		words = words[n:]
		if broken != nil && len(words) == 0 && replace == "" {
			break // what was being gathered is not run
		}
		run := c.with(args)
		run.In = strings.NewReader("")
		switch rc := run.Run(ctx); {
		case rc == statusNoExec, rc == statusNotFound:
			return rc
		case rc == 255:
			fmt.Fprintf(c.Err, "xargs: %s: exited with status 255; aborting\n", args[0])
			return 124
		case rc != 0:
			status = 123
		}
	}
	return c.xargsEnd(status, broken)
}

func (c *Call) xargsEnd(status int, broken error) int {
	if broken != nil {
		fmt.Fprintf(c.Err, "xargs: %v\n", broken)
		return 1
	}
	return status
}

// xargsWords splits the input: at NUL, or at blanks and line ends, or only at line ends.
func xargsWords(s string, null, whole bool) ([]string, error) {
	if s == "" {
		return nil, nil
	}
	if null {
		return strings.Split(strings.TrimSuffix(s, "\x00"), "\x00"), nil
	}
	var words []string
	var b strings.Builder
	in, quote := false, byte(0)
	end := func() {
		if in {
			words = append(words, b.String())
		}
		b.Reset()
		in = false
	}
	for i := 0; i < len(s); i++ {
		ch := s[i]
		switch {
		case quote != 0 && ch == '\n':
			return words, fmt.Errorf("unmatched %s quote", map[byte]string{'"': "double", '\'': "single"}[quote])
		case quote != 0 && ch == quote:
			quote = 0
		case quote != 0:
			b.WriteByte(ch)
		case ch == '"' || ch == '\'':
			quote, in = ch, true
		case ch == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
			in = true
		case ch == '\n', !whole && (ch == ' ' || ch == '\t'):
			end()
		case whole && !in && (ch == ' ' || ch == '\t'):
		default:
			b.WriteByte(ch)
			in = true
		}
	}
	if quote != 0 {
		return words, errors.New("unmatched quote")
	}
	end()
	return words, nil
}
