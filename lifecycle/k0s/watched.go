package k0s

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/k0sproject/rig/v2/sh/shellescape"

	"kiban.dev/kiban/lifecycle"
)

// watched is how long containerd takes with files that have changed: until it has been restarted, and after that until it answers.
type watched struct{ restarts, within time.Duration }

// containerdTakes: k0s waits 3 s for further changes before it restarts containerd, which is up again within a few seconds.
func containerdTakes() watched { return watched{restarts: 5 * time.Second, within: 30 * time.Second} }

// putWatched puts files that containerd is restarted for while k0s runs, and waits until it answers with them. Where it does not, the
// machine gets back what it had: its pods still run, but no other would start there.
func (t *task) putWatched(ctx context.Context, f facts, v lifecycle.Version, due []lifecycle.FileChange, takes watched) error {
	kept := t.on.paths.dir() + "/.k0s.kiban-watched"
	forget := "rm -f " + shellescape.Quote(kept) + ".file*"
	if err := t.on.run(ctx, forget+" && "+strings.TrimSuffix(keepFiles(kept, due), " && ")); err != nil {
		return err
	}
	err := t.put(ctx, f, v, due)
	if err == nil {
		t.progress("waiting until containerd answers with the new files")
		err = t.containerdAnswers(ctx, takes)
	}
	if err == nil {
		return t.on.run(ctx, forget)
	}
	back := t.cleanUp(t.on.host.Name, func(ctx context.Context, r *remote) error { return r.run(ctx, returnFiles(kept)+" && "+forget) })
	if back != nil {
		return lifecycle.Errorf(t.on.host.Name, "containerd does not answer with the new files, and they could not be taken back").
			Because(back.Error()).
			Try(fmt.Sprintf("See to %s on the machine: no pod starts there until containerd runs", lifecycle.ContainerdDropIns)).
			From(err)
	}
	return lifecycle.Errorf(t.on.host.Name, "containerd does not answer with the new files; the machine has the former ones again").
		Try("See `journalctl -u " + f.host.ServiceName + "` there for what containerd says of them, correct them, " +
			"and run the same command again").
		From(err)
}

// containerdAnswers waits until containerd has been restarted and answers.
func (t *task) containerdAnswers(ctx context.Context, takes watched) error {
	select {
	case <-ctx.Done():
		return lifecycle.WhyEnded(ctx)
	case <-time.After(takes.restarts):
	}
	return until(ctx, "an answer of containerd", takes.within, func(ctx context.Context) (bool, error) {
		err := t.on.run(ctx, shellescape.Quote(t.on.paths.binary)+" ctr version >/dev/null")
		return err == nil, err
	})
}
