package k0s

import (
	"context"
	"crypto/sha256"
	"fmt"
	"path"
	"strings"

	"github.com/k0sproject/rig/v2/sh/shellescape"

	"kiban.dev/kiban/lifecycle"
)

// kept is where a machine keeps what its k0s ran with before a change: the service, its environment, k0s.yaml and declared files. The
// file of that name says when that was kept; what is kept lies beside it, and in ".list" where it belongs.
func (p paths) kept() string { return p.dir() + "/k0s.kiban-kept" }

// keepSettings keeps what the machine runs with, and the files that are about to change, once a turn: what is kept already stays, for it
// is what last was well. Of what is not there yet the list says so: on the way back it goes again. The machine is said to keep anything
// when all of it is on its disk.
func (t *task) keepSettings(ctx context.Context, f facts, due []lifecycle.FileChange) error {
	if !t.step.Keeps && f.host.Kept.IsZero() {
		return nil
	}
	if !t.step.Keeps {
		// What is kept is from before a change that has no such way back: of a version, of a pin, of keys.
		return t.on.run(ctx, forgetCommand(t.on.paths.kept()))
	}
	unit, err := t.on.unitFile(ctx)
	if err != nil {
		return err
	}
	files := []string{unit, t.on.dropIn()}
	if t.on.host.Role.IsController() {
		files = append(files, t.on.paths.config)
	}
	for _, c := range due {
		if c.Restarts() || c.PutStopped() { // others are not read when k0s starts, and may be as large as an image
			files = append(files, c.Path)
		}
	}
	return t.on.run(ctx, keepCommand(t.on.paths.kept(), t.on.k0s.K0sServiceName(), files))
}

// keepCommand keeps files in the form that returnCommand reads: a line each of where the copy lies, its mode, and where it belongs. A
// copy is for root alone, for what keeps others from the file may be its folder. Which start of the service ran with it is kept with the
// time, for a clock may be set.
func keepCommand(kept, unit string, files []string) string {
	q := shellescape.Quote
	list, tmp := q(kept+".list"), q(kept+".tmp")
	var b strings.Builder
	fmt.Fprintf(&b, "{ [ -s %[1]s ] || rm -f %[1]s %[1]s.*; } && ", q(kept))
	for _, file := range files {
		id := fmt.Sprintf("%x", sha256.Sum256([]byte(file)))[:16]
		fmt.Fprintf(&b, "{ [ -e %[1]s ] || [ -e %[2]s ] || [ -d %[3]s ] || if [ -f %[3]s ]; then "+
			"printf '%%s %%s %%s\\n' %[4]s \"$(stat -Lc %%a %[3]s)\" %[3]s >>%[5]s && cp -p %[3]s %[6]s && chmod 0600 %[6]s && "+
			"sync %[6]s && mv -f %[6]s %[1]s; else printf -- '- - %%s\\n' %[3]s >>%[5]s && : >%[2]s; fi; } && ",
			q(kept+".file"+id), q(kept+".none"+id), q(file), id, list, tmp)
	}
	// The folder is synced before what it has is said to be whole, and after.
	fmt.Fprintf(&b, "sync %[2]s %[4]s && { [ -s %[1]s ] || { { date +%%s && { "+
		"systemctl show -p InvocationID %[5]s.service 2>/dev/null || :; }; } >%[3]s && sync %[3]s && mv -f %[3]s %[1]s && sync %[4]s; }; }",
		q(kept), list, tmp, q(path.Dir(kept)), unit)
	return b.String()
}

// returnCommand puts back what keepCommand has kept. A k0s.yaml that is as it was is not written anew: when it was written says whether
// the control plane can go back to another version.
func returnCommand(kept, config string) string {
	q := shellescape.Quote
	return fmt.Sprintf(`{ while IFS= read -r l; do n=${l%%%% *} l=${l#* }; m=${l%%%% *} f=${l#* }; if [ "$n" = - ]; then `+
		`[ ! -e "$f" ] || { rm -f "$f" && sync "${f%%/*}/"; }; `+
		`elif [ ! -e %[1]s.file"$n" ]; then continue; `+
		`elif [ "$f" = %[2]s ] && [ "$(sha256sum <"$f")" = "$(sha256sum <%[1]s.file"$n")" ]; then continue; `+
		`else cp -p %[1]s.file"$n" "$f.kiban-new" && chmod "$m" "$f.kiban-new" && sync "$f.kiban-new" && `+
		`mv -f "$f.kiban-new" "$f" && sync "${f%%/*}/"; fi || `+
		`exit 1; done <%[3]s; } && `+
		`systemctl daemon-reload`, q(kept), q(config), q(kept+".list"))
}

// forgetCommand removes what is kept; first the file without which the rest is nothing. Its folder is synced: behind a power cut what is
// older than the next change would be there again.
func forgetCommand(kept string) string {
	return fmt.Sprintf("rm -f %[1]s %[1]s.* && sync %[2]s", shellescape.Quote(kept), shellescape.Quote(path.Dir(kept)))
}

// restoreSettings puts back what k0s ran with before a change, and starts it. A machine on which nothing was changed is only started if
// it does not run.
func restoreSettings(ctx context.Context, t *task) error {
	f, err := t.gatherFacts(ctx, t.on)
	if err != nil {
		return err
	}
	kept := !f.host.Kept.IsZero()
	if !kept && f.host.Service == lifecycle.ServiceRunning {
		return nil // nothing was changed, or all has been put back
	}
	if err := t.standStill(ctx, f); err != nil {
		return err
	}
	if kept {
		t.progress("putting back what k0s ran with before")
		if err := t.on.run(ctx, returnCommand(t.on.paths.kept(), t.on.paths.config)); err != nil {
			return err
		}
	}
	t.progress("starting k0s as it was")
	if err := t.on.launch(ctx); err != nil {
		return err
	}
	return t.on.run(ctx, forgetCommand(t.on.paths.kept())) // not before: a run that is killed leaves a machine that has its way back
}

// forgetSettings removes what was kept: the machine is well with what was changed.
func forgetSettings(ctx context.Context, t *task) error {
	return t.on.run(ctx, forgetCommand(t.on.paths.kept()))
}

// standStill stops the service, whatever state it is in, so that it can be started again.
func (t *task) standStill(ctx context.Context, f facts) error {
	if f.host.Service != lifecycle.ServiceStopped && f.host.Service != lifecycle.ServiceAbsent {
		t.progress("stopping k0s")
		if err := t.on.stop(ctx); err != nil {
			return err
		}
	}
	if f.host.Service == lifecycle.ServiceFailed { // it may have used up its starts
		return t.on.run(ctx, "systemctl reset-failed "+t.on.k0s.K0sServiceName())
	}
	return nil
}
