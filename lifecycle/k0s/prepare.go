package k0s

import (
	"context"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// prepare makes a machine ready for k0s: what containers need, the declared environment, the declared files, but for those that are for one
// version of k0s. Nothing is installed from the distribution: kiban brings k0s itself, and k0s brings the rest.
func prepare(ctx context.Context, t *task) error {
	f, err := t.gatherFacts(ctx, t.on)
	if err != nil {
		return err
	}
	if ok, err := t.on.k0s.Sudo().FS().IsContainer(); err == nil && ok {
		if err := t.on.k0s.Configurer.FixContainer(t.on.k0s); err != nil {
			return err
		}
	}
	if err := t.on.profile(ctx); err != nil {
		return err
	}
	v := f.host.Binary
	due := slices.DeleteFunc(t.on.host.At(v).FileChanges(f.host), func(c lifecycle.FileChange) bool { return c.PutStopped() })
	return t.put(ctx, f, v, due)
}

// profile sets the declared variables in /etc/environment. The values travel on standard input: k0sctl would show them in the
// machine's process list (H28).
func (r *remote) profile(ctx context.Context) error {
	if len(r.k0s.Environment) == 0 {
		return nil
	}
	const file = "/etc/environment"
	old, err := r.output(ctx, "if [ -f "+file+" ]; then cat "+file+"; fi")
	if err != nil {
		return err
	}
	text := merged(old, r.k0s.Environment)
	if text == old {
		return nil
	}
	return r.write(ctx, file, []byte(text+"\n"), "0644", "0755")
}

// merged replaces the lines of the given variables, or appends them, and keeps every other line.
func merged(old string, env map[string]string) string {
	var lines []string
	if old != "" {
		lines = strings.Split(old, "\n")
	}
	for _, k := range keys(env) {
		line := k + "=" + env[k]
		if i := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, k+"=") }); i >= 0 {
			lines[i] = line
		} else {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}
