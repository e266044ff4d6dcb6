package k0s

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/k0sproject/k0sctl/pkg/apis/k0sctl.k0sproject.io/v1beta1/cluster"
	"github.com/k0sproject/rig/v2/sh/shellescape"
)

// prepare makes a machine ready for k0s: what containers need, the declared environment, the declared files. Nothing is installed
// from the distribution: kiban brings k0s itself, and k0s brings the rest.
func prepare(ctx context.Context, t *task) error {
	if _, err := t.look(ctx, t.on); err != nil {
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
	for _, f := range t.on.k0s.Files {
		if err := t.placeFiles(ctx, f); err != nil {
			return fmt.Errorf("file %s: %w", f, err)
		}
	}
	return nil
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

// placeFiles puts one declared entry, which may stand for several files, on the machine.
func (t *task) placeFiles(ctx context.Context, f *cluster.UploadFile) error {
	if f.HasData() {
		dest := f.DestinationFile
		if dest == "" {
			dest = path.Join(f.DestinationDir, f.Name)
		}
		return t.on.put(ctx, dest, []byte(f.Data), f.PermString, f)
	}
	for _, s := range f.Sources {
		dest := f.DestinationFile
		if dest == "" {
			dest = path.Join(f.DestinationDir, s.Path)
		}
		content, err := os.ReadFile(path.Join(f.Base, s.Path))
		if err != nil {
			return err
		}
		if err := t.on.put(ctx, dest, content, s.PermMode, f); err != nil {
			return err
		}
	}
	return nil
}

// put writes a file unless it holds that content already. Only content decides: a fresh checkout changes every file's time (H11).
func (r *remote) put(ctx context.Context, dest string, content []byte, mode string, f *cluster.UploadFile) error {
	if mode == "" {
		mode = "0644"
	}
	dirMode := f.DirPermString
	if dirMode == "" {
		dirMode = "0755"
	}
	q := shellescape.Quote
	sum := sha256.Sum256(content)
	there, err := r.output(ctx, fmt.Sprintf("if [ -f %[1]s ]; then sha256sum -b %[1]s; fi", q(dest)))
	if err != nil {
		return err
	}
	if !strings.HasPrefix(there, hex.EncodeToString(sum[:])) {
		if err := r.write(ctx, dest, content, mode, dirMode); err != nil {
			return err
		}
	}
	command := fmt.Sprintf("chmod %s %s", q(mode), q(dest))
	if owner := f.Owner(); owner != "" {
		command += fmt.Sprintf(" && chown %s %s", q(owner), q(dest))
	}
	return r.run(ctx, command)
}
