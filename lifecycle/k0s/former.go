package k0s

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/k0sproject/rig/v2/sh/shellescape"

	"kiban.dev/kiban/lifecycle"
)

// former is where the k0s of that version is kept while the node is not known to be well with its successor. Its service and the service's
// environment lie beside it, and the files that were replaced with it.
func (p paths) former(version fmt.Stringer) string {
	return fmt.Sprintf("%s/k0s.kiban-former-%s", p.dir(), version)
}

// formers matches all that is kept; for a shell.
func (p paths) formers() string { return shellescape.Quote(p.dir()+"/k0s.kiban-former-") + "*" }

// keeps reports whether what is installed is kept when v replaces it: on a controller always, until it is well; on a worker where the
// step's way back leads there.
func (t *task) keeps(f facts, v lifecycle.Version) bool {
	if f.host.Binary.IsZero() || f.host.Binary == v {
		return false
	}
	if t.on.host.Role.IsController() {
		return f.host.Former.IsZero() || t.step.From != f.host.Former // what an upgrade that failed has kept is what it goes back to
	}
	return slices.ContainsFunc(t.step.OnFailure, func(s lifecycle.Step) bool {
		return s.Action == lifecycle.ActionRestoreFormer && s.Version == f.host.Binary
	})
}

// startFormer starts a controller as it was, when its successor could not even be installed. That was never started, so it has written
// nothing, and etcd and the API's objects are as the former one left them. Once it was started, a controller only goes forward.
func (t *task) startFormer(ctx context.Context, former, v lifecycle.Version, why error) error {
	t.progress(fmt.Sprintf("k0s %s cannot be installed: starting k0s %s again", v, former))
	err := t.putBack(ctx, former)
	if err == nil {
		err = t.on.launch(ctx)
	}
	if err != nil {
		return errors.Join(why, fmt.Errorf("the former k0s %s could not be started again: %w", former, err))
	}
	return lifecycle.Errorf(t.on.host.Name, "k0s %s cannot be installed; %s was started again", v, former).
		Because(why.Error(), fmt.Sprintf("k0s %s was never started, so it has written nothing", v)).
		Try("See why the binary does not run on the machine (architecture, noexec, SELinux), then run the same command again: it stages and " +
			"installs it anew").
		From(lifecycle.ErrStartedAsItWas)
}

// keepFormer keeps the installed binary, which is of that version, its service, and the files that are about to be replaced for its
// successor, for the way back. The binary gets its name last: if that is there, so is the rest. It is a second name for the same file where
// that is possible, and takes no room.
func (t *task) keepFormer(ctx context.Context, v lifecycle.Version, files []lifecycle.FileChange) error {
	q := shellescape.Quote
	binary, kept, tmp := q(t.on.paths.binary), t.on.paths.former(v), q(t.on.paths.dir()+"/.k0s.kiban-former")
	unit, err := t.on.unitFile(ctx)
	if err != nil {
		return err
	}
	return t.on.run(ctx, fmt.Sprintf("rm -f %s %s && cp -p %s %s && { [ ! -f %s ] || cp -p %s %s; } && %s{ { [ ! -L %s ] && ln %s %s; "+
		"} 2>/dev/null || cp -p %s %s; } && sync %s %s && { [ ! -f %s ] || sync %s; } && mv -f %s %s",
		t.on.paths.formers(), tmp, q(unit), q(kept+".service"), q(t.on.dropIn()), q(t.on.dropIn()), q(kept+".env"), keepFiles(kept, files),
		binary, binary, tmp, binary, tmp, tmp, q(kept+".service"), q(kept+".env"), q(kept+".env"), tmp, q(kept)))
}

// keepFiles is the part of a command that keeps files beside the former binary, each under a number, with a list of where they belong. Of
// one that is not there yet the list says so: on the way back it goes again.
func keepFiles(kept string, files []lifecycle.FileChange) string {
	q := shellescape.Quote
	var b strings.Builder
	for i, c := range files {
		number := fmt.Sprintf("%s.file%d", kept, i)
		fmt.Fprintf(&b, "{ if [ -f %[1]s ]; then cp -p %[1]s %[2]s && sync %[2]s && echo %[3]d %[1]s >>%[4]s; "+
			"else echo - %[1]s >>%[4]s; fi; } && ",
			q(c.Path), q(number), i, q(kept+".files"))
	}
	if len(files) > 0 {
		fmt.Fprintf(&b, "sync %s && ", q(kept+".files"))
	}
	return b.String()
}

// returnFiles is the part of a command that puts back what keepFiles has kept.
func returnFiles(kept string) string {
	q := shellescape.Quote
	return fmt.Sprintf(`{ [ ! -f %[1]s ] || while read -r n f; do if [ "$n" = - ]; then rm -f "$f"; `+
		`else cp -p %[2]s"$n" "$f.kiban-new" && sync "$f.kiban-new" && mv -f "$f.kiban-new" "$f"; fi || exit 1; done <%[1]s; }`,
		q(kept+".files"), q(kept+".file"))
}

// unitFile is the file that the k0s service is made from.
func (r *remote) unitFile(ctx context.Context) (string, error) {
	u := r.k0s.K0sServiceName()
	return r.output(ctx, fmt.Sprintf("f=$(systemctl show -p FragmentPath %s.service 2>/dev/null); f=${f#FragmentPath=}; "+
		"echo \"${f:-/etc/systemd/system/%s.service}\"", u, u))
}

// restoreFormer puts back what keepFormer kept, and starts it. A machine on which nothing was replaced, because its upgrade failed before
// that, gets its service and is only started if it does not run.
func restoreFormer(ctx context.Context, t *task) error {
	f, err := t.gatherFacts(ctx, t.on)
	if err != nil {
		return err
	}
	v := t.step.Version
	switch {
	case f.host.Former != v && f.host.Binary != v:
		return t.refuse(fmt.Sprintf("the former k0s %s is not on the machine", v), "it can only be put back where the upgrade has kept it",
			"Mend the machine, then run the same command again: it carries the upgrade on")
	case f.host.Former != v && f.host.Service == lifecycle.ServiceRunning:
		return nil // nothing was replaced, or all has been put back
	}
	if err := t.standStill(ctx, f); err != nil {
		return err
	}
	if f.host.Former == v {
		if err := t.putBack(ctx, v); err != nil {
			return err
		}
	}
	t.progress(fmt.Sprintf("starting k0s %s again", v))
	return t.on.launch(ctx)
}

// putBack makes the former binary, service and files the installed ones. The binary goes last: until then the machine has something to put
// back.
func (t *task) putBack(ctx context.Context, v lifecycle.Version) error {
	q := shellescape.Quote
	unit, err := t.on.unitFile(ctx)
	if err != nil {
		return err
	}
	kept := t.on.paths.former(v)
	if err := t.on.run(ctx, fmt.Sprintf("cp -p %s %s && { [ ! -f %s ] || cp -p %s %s; } && %s && "+
		"{ sync %s 2>/dev/null || :; } && mv -f %s %s && systemctl daemon-reload && rm -f %s",
		q(kept+".service"), q(unit), q(kept+".env"), q(kept+".env"), q(t.on.dropIn()), returnFiles(kept), q(unit), q(kept),
		q(t.on.paths.binary), t.on.paths.formers())); err != nil {
		return err
	}
	out, err := t.on.output(ctx, q(t.on.paths.binary)+" version")
	if err != nil {
		return err
	}
	if got, _ := binaryVersion(block{text: []byte(out)}); got != v {
		return fmt.Errorf("the binary that was kept says that it is %s, not %s", printable(out), v)
	}
	return nil
}

// forgetFormer removes what was kept: the node is well without it.
func forgetFormer(ctx context.Context, t *task) error {
	return t.on.run(ctx, "rm -f "+t.on.paths.formers())
}
