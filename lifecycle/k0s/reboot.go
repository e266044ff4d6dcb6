package k0s

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"

	"golang.org/x/crypto/ssh"

	"kiban.dev/kiban/lifecycle"
)

// reboot restarts the machine, unless it has restarted since the step was planned. That it comes back is for the step's gates to say.
func reboot(ctx context.Context, t *task) error {
	f, err := t.gatherFacts(ctx, t.on)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(t.step.After, func(g lifecycle.Gate) bool { return g.Kind == lifecycle.GateRebooted })
	if i >= 0 && f.host.BootID != t.step.After[i].Was {
		t.progress("it has rebooted already")
		return nil
	}
	t.progress("rebooting")
	err = t.on.run(ctx, "systemctl reboot")
	if err != nil && ctx.Err() == nil && goneMeanwhile(err) {
		err = nil // the machine goes down with the connection, often before the command can say how it ended
	}
	t.on.drop(false) // what is left of the connection must not be used again
	return err
}

// lost reports whether an error says of the connection to a machine that it ended, or could not be made.
func lost(err error) bool {
	if _, ok := errors.AsType[*ssh.ExitMissingError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*net.OpError](err); ok {
		return true
	}
	return errors.Is(err, errLost) || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed)
}

// goneMeanwhile reports whether a command ended with its connection, not by itself.
func goneMeanwhile(err error) bool {
	exit, ok := errors.AsType[*ssh.ExitError](err)
	return !ok || exit.Signal() != ""
}
