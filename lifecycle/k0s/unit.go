package k0s

import (
	"slices"
	"strconv"
	"strings"
)

// unit is what a k0s service unit says.
type unit struct {
	program   string   // what it starts
	arguments []string // normalised
	tokenFile string   // value of --token-file, which normalised arguments leave out
}

// parseUnit reads the ExecStart of a unit file that `k0s install` wrote.
func parseUnit(text string) unit {
	var u unit
	for line := range strings.Lines(text) {
		command, ok := strings.CutPrefix(strings.TrimSpace(line), "ExecStart=")
		if !ok || command == "" {
			continue
		}
		args := splitExec(command)
		if len(args) > 0 {
			u.program = args[0]
		}
		u.arguments = normalise(args, slices.Contains(args, "controller"))
		if t := group(args)["--token-file"]; len(t) > 0 {
			u.tokenFile = t[len(t)-1]
		}
	}
	return u
}

// splitExec splits a command line as systemd does: blanks separate, quotes group, backslashes escape (k0s writes \x20 for a blank), %%
// and $$ stand for themselves.
func splitExec(line string) []string {
	var (
		args  []string
		word  strings.Builder
		open  bool
		quote byte
	)
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case c == '\\' && i+1 < len(line):
			i += escape(&word, line[i+1:])
			open = true
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote, open = c, true
		case quote == 0 && (c == ' ' || c == '\t'):
			if open {
				args = append(args, word.String())
				word.Reset()
				open = false
			}
		case (c == '%' || c == '$') && i+1 < len(line) && line[i+1] == c:
			word.WriteByte(c)
			open = true
			i++
		default:
			word.WriteByte(c)
			open = true
		}
	}
	if open {
		args = append(args, word.String())
	}
	return args
}

// escape writes what a backslash before rest means, and says how many bytes of rest that took.
func escape(w *strings.Builder, rest string) int {
	if rest[0] == 'x' && len(rest) >= 3 {
		if b, err := strconv.ParseUint(rest[1:3], 16, 8); err == nil {
			w.WriteByte(byte(b))
			return 3
		}
	}
	switch rest[0] {
	case 'n':
		w.WriteByte('\n')
	case 't':
		w.WriteByte('\t')
	case 's':
		w.WriteByte(' ')
	default:
		w.WriteByte(rest[0])
	}
	return 1
}
