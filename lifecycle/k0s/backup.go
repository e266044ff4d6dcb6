package k0s

import (
	"context"
	"errors"
	"fmt"
	"io"

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
	q := shellescape.Quote
	t.progress("backing up the control plane from " + from.host.Name)
	take := func(w io.Writer) error {
		ctx, enough := context.WithCancelCause(ctx)
		defer enough(nil)
		w = capWriter(w, maxBackup, func() { enough(tooMuch{fmt.Sprintf("a backup of more than %d GiB", maxBackup>>30)}) })
		_, err := from.pipe(ctx, fmt.Sprintf("%s backup --save-path - --data-dir %s", q(from.paths.binary), q(from.paths.data)), nil, w)
		return errors.Join(err, endless(ctx))
	}
	file, err := t.opts.KeepBackup(ctx, t.writtenBy(ctx, f), take, t.progress)
	if err != nil {
		return err
	}
	t.progress("the backup is in " + file)
	return nil
}

// writtenBy is the version that a backup leads back to: the newest that runs on a controller. While an upgrade is under way, what an API
// server of the new version has written is in it, whichever controller gives it.
func (t *task) writtenBy(ctx context.Context, f facts) lifecycle.Version {
	v := f.host.Running
	for _, other := range t.ask(ctx, t.controllers()) {
		if v.Less(other.host.Running) {
			v = other.host.Running
		}
	}
	return v
}
