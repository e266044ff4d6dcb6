package posix

import (
	"fmt"
	"strings"
)

// options are a program's parsed arguments in the GNU manner: options anywhere, "--" ends them.
type options struct {
	set  map[string][]string
	args []string
}

// parse reads arguments. spec names the options: "f" is a flag, "n:" takes a value, "long" and "long=" likewise. Unknown
// ones are an error.
func (c *Call) parse(spec ...string) (options, error) {
	known := map[string]bool{} // name -> takes a value
	for _, s := range spec {
		name, valued := strings.CutSuffix(strings.TrimSuffix(s, "="), ":")
		known[name] = valued || strings.HasSuffix(s, "=")
	}
	o := options{set: map[string][]string{}}
	a := c.Args[1:]
	for i := 0; i < len(a); i++ {
		switch s := a[i]; {
		case s == "--":
			o.args = append(o.args, a[i+1:]...)
			return o, nil
		case strings.HasPrefix(s, "--"):
			name, v, has := strings.Cut(s[2:], "=")
			valued, ok := known[name]
			if !ok {
				return o, fmt.Errorf("unrecognized option '%s'", s)
			}
			if valued && !has {
				if i++; i == len(a) {
					return o, fmt.Errorf("option '%s' requires an argument", s)
				}
				v = a[i]
			}
			o.set[name] = append(o.set[name], v)
		case len(s) > 1 && s[0] == '-':
			for j := 1; j < len(s); j++ {
				name := s[j : j+1]
				valued, ok := known[name]
				if !ok {
					return o, fmt.Errorf("invalid option -- '%s'", name)
				}
				if !valued {
					o.set[name] = append(o.set[name], "")
					continue
				}
				v := s[j+1:]
				if v == "" {
					if i++; i == len(a) {
						return o, fmt.Errorf("option requires an argument -- '%s'", name)
					}
					v = a[i]
				}
				o.set[name] = append(o.set[name], v)
				break
			}
		default:
			o.args = append(o.args, s)
		}
	}
	return o, nil
}

// has reports whether any of the names was given.
func (o options) has(names ...string) bool {
	for _, n := range names {
		if _, ok := o.set[n]; ok {
			return true
		}
	}
	return false
}

// value is the last value of the first name that was given.
func (o options) value(names ...string) string {
	for _, n := range names {
		if v := o.set[n]; len(v) > 0 {
			return v[len(v)-1]
		}
	}
	return ""
}
