package k0s

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/k0sproject/rig/v2/sh/shellescape"

	"kiban.dev/kiban/lifecycle"
)

// backup takes a backup of the control plane on a running controller and streams it here, where it is kept as the session's options say.
// Nothing of it is written to the controller's disk.
func backup(ctx context.Context, t *task) error {
	if t.opts.KeepBackup == nil {
		return errors.New("there is no place to keep backups in")
	}
	from := t.on
	var f facts
	var err error
	if from != nil {
		f, err = t.gatherFacts(ctx, from)
	} else {
		from, f, err = t.controller(ctx, "")
	}
	if err != nil {
		return err
	}
	said := t.ask(ctx, t.controllers())
	if i := slices.IndexFunc(said, func(f facts) bool { return f.etcd != nil }); t.on == nil && f.etcdProblem != "" && i >= 0 {
		if from, err = t.through(t.controllers()[i]); err != nil {
			return err
		}
		f = said[i] // it is with the others, and has what they have
	}
	q := shellescape.Quote
	t.progress("backing up the control plane from " + from.host.Name)
	take := func(w io.Writer) error {
		ctx, enough := context.WithCancelCause(ctx)
		defer enough(nil)
		w = capWriter(w, maxBackup, func() { enough(tooMuch{fmt.Sprintf("a backup of more than %d GiB", maxBackup>>30)}) })
		_, err := from.pipe(ctx, fmt.Sprintf("%s backup --save-path - --data-dir %s", q(from.paths.binary), q(from.paths.data)), nil, w)
		return errors.Join(err, endless(ctx))
	}
	of := lifecycle.ToKeep{Version: writtenBy(f, said), Behind: t.behind(ctx, from, f, said)}
	file, err := t.opts.KeepBackup(ctx, of, take, t.progress)
	if err != nil {
		return err
	}
	t.progress("the backup is in " + file)
	return nil
}

// writtenBy is the version that a backup leads back to: the newest that runs on a controller. While an upgrade is under way, what an API
// server of the new version has written is in it, whichever controller gives it.
func writtenBy(f facts, all []facts) lifecycle.Version {
	v := f.host.Running
	for _, other := range all {
		if v.Less(other.host.Running) {
			v = other.host.Running
		}
	}
	return v
}

// behind warns of an etcd that has no quorum: k0s takes its backup of the member on the controller alone, which gives it all the same. It
// is known by the list of members, which a member tells only when it has asked the others. Nil where it is told, or where there is no etcd.
func (t *task) behind(ctx context.Context, from *remote, f facts, all []facts) *lifecycle.Diagnostic {
	if f.etcdProblem == "" {
		return nil
	}
	hosts := make([]lifecycle.HostState, len(all))
	for i, other := range all {
		hosts[i] = other.host
	}
	written, err := from.output(ctx, fmt.Sprintf("stat -c %%Y %s/etcd/member/snap/db", shellescape.Quote(from.paths.data)))
	seconds, notNumber := strconv.ParseInt(written, 10, 64)
	var at time.Time
	if err == nil && notNumber == nil {
		at = time.Unix(seconds-int64(f.host.ClockOffset), 0)
	}
	return new(lifecycle.QuorumOf(t.site.Cluster, hosts).Behind(from.host.Name, f.etcdProblem, at))
}
