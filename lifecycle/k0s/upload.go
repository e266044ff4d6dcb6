package k0s

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/k0sproject/rig/v2/sh/shellescape"

	"kiban.dev/kiban/lifecycle"
)

// upload puts the step's version of k0s on the machine, beside the installed one, so that changing over is a rename later. One that is
// there already stays if it is whole.
func upload(ctx context.Context, t *task) error {
	f, err := t.gatherFacts(ctx, t.on)
	if err != nil {
		return err
	}
	v := t.step.Version
	switch {
	case f.host.Binary == v:
		return nil
	case slices.Contains(f.host.Staged, v):
		return t.ifWhole(ctx, f, v, "")
	}
	return t.bring(ctx, f, v)
}

// bring fetches a version and uploads it, whatever lies under its name on the machine.
func (t *task) bring(ctx context.Context, f facts, v lifecycle.Version) error {
	b, err := t.fetch(ctx, v, f.host.Arch, t.progress)
	if err != nil {
		return err
	}
	if f.host.FreeBytes > 0 && f.host.FreeBytes < b.size {
		return diskFull(t.on.host.Name, fmt.Sprintf("%s has %s free, and k0s %s needs %s", t.on.paths.dir(), megabytes(f.host.FreeBytes), v,
			megabytes(b.size)))
	}
	select {
	case t.uploads <- struct{}{}:
		defer func() { <-t.uploads }()
	case <-ctx.Done():
		return lifecycle.WhyEnded(ctx)
	}
	t.progress(fmt.Sprintf("uploading k0s %s (%s)", v, megabytes(b.size)))
	return t.upload(ctx, b, v)
}

// upload streams a binary to a temporary name. It gets its own name only after its checksum was compared on the machine and its content is
// on the disk: a power cut leaves the whole of it under that name, or nothing.
func (t *task) upload(ctx context.Context, b binary, v lifecycle.Version) (err error) {
	q := shellescape.Quote
	dir, dest := t.on.paths.dir(), t.on.paths.staged(v)
	tmp := path.Join(dir, fmt.Sprintf(".k0s.kiban-%s.upload", v))
	defer func() {
		if err != nil {
			err = errors.Join(err, t.cleanUp(t.on.host.Name, func(ctx context.Context, r *remote) error {
				return r.run(ctx, "rm -f "+q(tmp))
			}))
		}
	}()
	file, err := os.Open(b.path)
	if err != nil {
		return err
	}
	defer file.Close()
	command := fmt.Sprintf("[ -d %s ] || install -d -m 0755 %s; install -m 0600 /dev/stdin %s", q(dir), q(dir), q(tmp))
	if _, err := t.on.pipe(ctx, command, file, nil); err != nil {
		return err
	}
	out, err := t.on.output(ctx, "sha256sum -b "+q(tmp))
	if err != nil {
		return err
	}
	if sum, _, _ := strings.Cut(out, " "); sum != b.sha256 {
		return lifecycle.Errorf(t.on.host.Name, "k0s was damaged on its way to the machine").
			Because(fmt.Sprintf("the checksum there is %s, and should be %s", sum, b.sha256)).
			Try("Check the machine's disk and network, and run the same command again")
	}
	return t.on.run(ctx, fmt.Sprintf("chmod 0755 %s && sync %s && mv -f %s %s && sync %s", q(tmp), q(tmp), q(tmp), q(dest), q(dir)))
}

// place makes the staged binary of a version the installed one, and makes sure that it is that version. f is what the
// machine last said, and is brought up to date.
func (t *task) place(ctx context.Context, f *facts, v lifecycle.Version) error {
	if f.host.Binary == v {
		return nil
	}
	q := shellescape.Quote
	if err := t.on.run(ctx, fmt.Sprintf("mv -f %s %s && chmod 0755 %s", q(t.on.paths.staged(v)), q(t.on.paths.binary),
		q(t.on.paths.binary))); err != nil {
		return err
	}
	out, err := t.on.output(ctx, q(t.on.paths.binary)+" version")
	if err != nil {
		return err
	}
	if got, _ := binaryVersion(block{text: []byte(out)}); got != v {
		return fmt.Errorf("the installed binary says that it is %s, not %s", printable(out), v)
	}
	f.host.Binary = v
	f.host.Staged = slices.DeleteFunc(f.host.Staged, func(s lifecycle.Version) bool { return s == v })
	return nil
}
