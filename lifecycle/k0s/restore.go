package k0s

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"path"

	"github.com/k0sproject/rig/v2/sh/shellescape"

	"kiban.dev/kiban/lifecycle"
)

// restored is the file in the data directory that says which backup it was filled from, until k0s has started with it.
const restored = "kiban-restored"

// restore fills the data directory of a controller that has none from a backup, and starts the controller. The backup travels on standard
// input and is written nowhere but where k0s unpacks it. One that was interrupted is finished; one that failed leaves an empty directory.
func restore(ctx context.Context, t *task) error {
	a := t.opts.Restore
	if a == nil {
		return errors.New("there is no backup to restore from")
	}
	f, err := t.gatherFacts(ctx, t.on)
	if err != nil {
		return err
	}
	resumed := f.host.Restored == a.Digest
	if resumed && f.host.Service == lifecycle.ServiceRunning && f.host.Running == t.step.Version {
		return t.settleRestore(ctx)
	}
	if err := t.restorable(f, resumed); err != nil {
		return err
	}
	if !resumed {
		if f, err = t.fill(ctx, f, a); err != nil {
			return err
		}
	}
	if err := t.installAnew(ctx, f, nil, ""); err != nil {
		return err
	}
	return t.settleRestore(ctx)
}

// settleRestore is what is left to do once k0s runs with the data.
func (t *task) settleRestore(ctx context.Context) error {
	if t.cluster.Spec.K0s.DynamicConfig {
		if err := t.localConfigOnly(ctx); err != nil {
			return err
		}
	}
	return t.on.run(ctx, "rm -f "+shellescape.Quote(path.Join(t.on.paths.data, restored)))
}

// restorable refuses a machine that has anything to lose.
func (t *task) restorable(f facts, resumed bool) error {
	switch {
	case f.host.Service == lifecycle.ServiceRunning || f.host.Service == lifecycle.ServiceStarting || !f.host.Running.IsZero():
		return t.refuse("k0s runs on the machine", "a restore would replace what it holds",
			"Stop and reset it first, if the cluster is really to be replaced")
	case !resumed && !wiped(f.host):
		return t.refuse("the machine is not empty", remains(f.host), "If nothing there is needed, run `k0s reset` on it")
	}
	return t.installable(f, t.step.Version)
}

// fill puts the backup's data on the machine.
func (t *task) fill(ctx context.Context, f facts, a *Archive) (facts, error) {
	if err := t.ifWhole(ctx, f, t.step.Version, ""); err != nil {
		return f, err
	}
	if err := t.place(ctx, &f, t.step.Version); err != nil {
		return f, err
	}
	archive, err := a.Open()
	if err != nil {
		return f, err
	}
	defer archive.Close()
	t.progress("restoring the control plane from the backup")
	sum := sha256.New()
	if _, err := t.on.pipe(ctx, t.on.restoreCommand(a.Digest), io.TeeReader(archive, sum), nil); err != nil {
		return f, err
	}
	if got := lifecycle.DigestOf(sum); got != a.Digest {
		err := t.cleanUp(t.on.host.Name, func(ctx context.Context, r *remote) error { return r.run(ctx, r.emptyCommand()) })
		return f, errors.Join(fmt.Errorf("the backup has changed while it was read: it is %s, not %s", got, a.Digest), err)
	}
	return t.gatherFacts(ctx, t.on)
}

// restoreCommand restores into an empty data directory, and empties it again when that fails, even if nobody is there any more to hear
// of it: a connection that breaks off ends the archive early, which k0s refuses. The k0s.yaml of the backup is used only where there
// is none. The mark that the directory is filled is made when its content is on the disk: after a power cut it would stand beside empty
// files, or be one.
func (r *remote) restoreCommand(digest string) string {
	q := shellescape.Quote
	conf := q(r.paths.config)
	out := q(r.paths.config + ".kiban-restored")
	return fmt.Sprintf(`for f in %[1]s/*; do if [ -e "$f" ] && [ "${f##*/}" != lost+found ]; then echo "%[1]s is not empty" >&2; exit 1; fi; done; `+
		`[ -d %[2]s ] || install -d -m 0750 %[2]s; `+
		`if %[3]s restore --data-dir=%[1]s --config-out=%[4]s - >/dev/null && sync && `+
		`printf %%s %[5]s > %[1]s/%[6]s && sync %[1]s/%[6]s %[1]s; then `+
		`if [ -f %[4]s ] && [ ! -f %[7]s ]; then mv -f %[4]s %[7]s; fi; rm -f %[4]s; else %[8]s; rm -f %[4]s; exit 1; fi`,
		q(r.paths.data), q(path.Dir(r.paths.config)), q(r.paths.binary), out, q(digest), restored, conf, r.emptyCommand())
}

// emptyCommand empties the data directory.
func (r *remote) emptyCommand() string {
	return fmt.Sprintf(`for f in %[1]s/* %[1]s/.[!.]*; do if [ "${f##*/}" != lost+found ]; then rm -rf -- "$f"; fi; done`,
		shellescape.Quote(r.paths.data))
}

// restart restarts the service as it is, or starts it.
func restart(ctx context.Context, t *task) error {
	f, err := t.gatherFacts(ctx, t.on)
	if err != nil {
		return err
	}
	if !f.host.Installed() {
		return fmt.Errorf("there is no k0s service on %s", t.on.host.Name)
	}
	if f.host.Service != lifecycle.ServiceStopped {
		if err := t.on.stop(ctx); err != nil {
			return err
		}
	}
	return t.on.launch(ctx)
}
