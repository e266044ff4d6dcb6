package k0s

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"time"

	"golang.org/x/crypto/ssh"

	"kiban.dev/kiban/lifecycle"
)

// reboot restarts the machine, unless it has restarted since the step was planned. That it comes back is for the step's gates to say.
func reboot(ctx context.Context, t *task) error {
	i := slices.IndexFunc(t.step.After, func(g lifecycle.Gate) bool { return g.Kind == lifecycle.GateRebooted })
	f, err := t.gatherFacts(ctx, t.on)
	if i >= 0 && errors.Is(err, lifecycle.ErrConnectionLost) {
		f, err = t.factsAfterBoot(ctx, t.step.After[i].Timeout)
	}
	if err != nil {
		return err
	}
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

// factsAfterBoot waits for a machine that does not answer: whoever was cut off behind the same command may have it go down right now.
func (t *task) factsAfterBoot(ctx context.Context, within time.Duration) (f facts, err error) {
	t.progress("it does not answer, and may be going down already: it is waited for")
	name := t.on.host.Name
	_ = until(ctx, "an answer of "+name, cmp.Or(within, lifecycle.BootTimeout), func(ctx context.Context) (bool, error) {
		f, err = t.gatherFacts(ctx, t.on)
		return err == nil, err
	})
	if ended := lifecycle.WhyEnded(ctx); ended != nil {
		return f, ended
	}
	return f, err
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
