package posix

import (
	"fmt"
	"slices"
	"strings"
)

// options are a program's parsed arguments.
type options struct {
	set  map[string][]string
	args []string
	// order is the options in the order they were given in, for those that undo each other.
	order []string
}

// Whether an option takes a value.
const (
	flag = iota
	valued
	maybe // only attached: -i.bak, --iso-8601=ns
)

// parse reads arguments in the GNU manner: options anywhere, "--" ends them. spec names the options: "f" is a flag, "n:" takes a value,
// "i::" takes one only when it is attached, "long", "long=" and "long==" likewise. Unknown ones are an error. Long options may be
// shortened.
func (c *Call) parse(spec ...string) (options, error) { return parseOptions(c.Args[1:], spec, false) }

// parseLeading is parse for programs that run the rest of their arguments: the first word that is no option ends the options.
func (c *Call) parseLeading(spec ...string) (options, error) {
	return parseOptions(c.Args[1:], spec, true)
}

func knownOptions(spec []string) map[string]int {
	known := map[string]int{}
	for _, s := range spec {
		name := strings.TrimRight(s, ":=")
		known[name] = len(s) - len(name)
	}
	return known
}

func parseOptions(a, spec []string, leading bool) (options, error) {
	known := knownOptions(spec)
	o := options{set: map[string][]string{}}
	for len(a) > 0 {
		s := a[0]
		a = a[1:]
		var err error
		switch {
		case s == "--":
			o.args = append(o.args, a...)
			return o, nil
		case strings.HasPrefix(s, "--"):
			a, err = o.long(s, a, known)
		case len(s) > 1 && s[0] == '-':
			a, err = o.short(s[1:], a, known)
		case leading:
			o.args = append([]string{s}, a...)
			return o, nil
		default:
			o.args = append(o.args, s)
		}
		if err != nil {
			return o, err
		}
	}
	return o, nil
}

// long reads one option of the form --name or --name=value, and returns the arguments that are left.
func (o *options) long(s string, a []string, known map[string]int) ([]string, error) {
	given, v, has := strings.Cut(s[2:], "=")
	name, err := longName(given, known)
	if err != nil {
		return a, err
	}
	switch kind := known[name]; {
	case kind == flag && has:
		return a, fmt.Errorf("option '--%s' doesn't allow an argument", name)
	case kind == valued && !has:
		if len(a) == 0 {
			return a, fmt.Errorf("option '--%s' requires an argument", name)
		}
		v, a = a[0], a[1:]
	}
	o.add(name, v)
	return a, nil
}

func longName(given string, known map[string]int) (string, error) {
	if _, ok := known[given]; ok && len(given) > 1 {
		return given, nil
	}
	var fit []string
	for k := range known {
		if len(k) > 1 && given != "" && strings.HasPrefix(k, given) {
			fit = append(fit, k)
		}
	}
	switch len(fit) {
	case 0:
		return "", fmt.Errorf("unrecognized option '--%s'", given)
	case 1:
		return fit[0], nil
	}
	return "", fmt.Errorf("option '--%s' is ambiguous", given)
}

// short reads a group of one-letter options, the last of which may take a value.
func (o *options) short(s string, a []string, known map[string]int) ([]string, error) {
	for s != "" {
		name, rest := s[:1], s[1:]
		kind, ok := known[name]
		switch {
		case !ok:
			return a, fmt.Errorf("invalid option -- '%s'", name)
		case kind == flag:
			o.add(name, "")
			s = rest
			continue
		case kind == valued && rest == "":
			if len(a) == 0 {
				return a, fmt.Errorf("option requires an argument -- '%s'", name)
			}
			rest, a = a[0], a[1:]
		}
		o.add(name, rest)
		return a, nil
	}
	return a, nil
}

func (o *options) add(name, v string) {
	o.set[name] = append(o.set[name], v)
	o.order = append(o.order, name)
}

// has reports whether any of the names was given.
func (o options) has(names ...string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return o.set[n] != nil })
}

// value is the last value that was given to any of the names.
func (o options) value(names ...string) string {
	seen := map[string]int{}
	v := ""
	for _, n := range o.order {
		if slices.Contains(names, n) {
			v = o.set[n][seen[n]]
		}
		seen[n]++
	}
	return v
}

// latest is the one of the names that was given last, "" when none was.
func (o options) latest(names ...string) string {
	for i := len(o.order) - 1; i >= 0; i-- {
		if slices.Contains(names, o.order[i]) {
			return o.order[i]
		}
	}
	return ""
}
