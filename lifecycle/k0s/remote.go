package k0s

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/k0sproject/k0sctl/pkg/apis/k0sctl.k0sproject.io/v1beta1/cluster"
	"github.com/k0sproject/rig/v2/cmd"
	"github.com/k0sproject/rig/v2/initsystem"
	"github.com/k0sproject/rig/v2/sh/shellescape"

	"kiban.dev/kiban/lifecycle"
)

// remote is a machine during a step.
type remote struct {
	*machine
	k0s *cluster.Host
}

// commandError is a command that failed on a host, with what it said.
type commandError struct {
	host, command, stderr string
	err                   error
	// doing is what it was for, in words, where that says more than the command.
	doing string
}

func (e *commandError) Error() string {
	said := strings.TrimSpace(e.stderr)
	if i := strings.LastIndexByte(said, '\n'); i >= 0 { // the last line is the error, those before it are a program's log
		said = said[i+1:]
	}
	what := cmp.Or(e.doing, brief(e.command))
	if said = printable(said); said != "" {
		return fmt.Sprintf("%s fails on %s: %s", what, e.host, said)
	}
	return fmt.Sprintf("%s fails on %s: %v", what, e.host, e.err)
}

// brief is a command as messages have it: of a script the first line, and of that what fits into a message.
func brief(command string) string {
	line, rest, _ := strings.Cut(strings.TrimSpace(command), "\n")
	if shown := printable(line); rest != "" || shown != line {
		return "`" + strings.TrimSuffix(shown, "…") + " …`"
	}
	return "`" + line + "`"
}

func (e *commandError) Unwrap() error { return e.err }

// run runs a command as root.
func (r *remote) run(ctx context.Context, command string) error {
	_, err := r.pipe(ctx, command, nil, nil)
	return err
}

// output runs a command as root and gives what it prints, without blanks around it.
func (r *remote) output(ctx context.Context, command string) (string, error) {
	return r.pipe(ctx, command, nil, nil)
}

// pipe runs a command as root with the given input. Its output goes to w, or is returned when w is nil. Neither is logged.
func (r *remote) pipe(ctx context.Context, command string, stdin io.Reader, w io.Writer) (string, error) {
	ctx, enough := context.WithCancelCause(ctx)
	defer enough(nil)
	stdout, stderr := &answer{limit: maxAnswer, over: enough}, &answer{limit: 64 << 10}
	opts := []cmd.ExecOption{cmd.HideOutput()}
	if stdin != nil {
		opts = append(opts, cmd.Stdin(stdin))
	}
	if w == nil {
		w = stdout
	}
	err := r.k0s.Sudo().ExecContext(withOutputs(ctx, outputs{w, stderr}), command, opts...)
	if more := endless(ctx); more != nil {
		// Also where the command ended well: what was kept is not all of it.
		return "", &commandError{host: r.host.Name, command: command, err: more}
	}
	if err != nil {
		return "", r.failed(ctx, command, string(stderr.bytes()), err)
	}
	return strings.TrimSpace(string(stdout.bytes())), nil
}

func (r *remote) failed(ctx context.Context, command, stderr string, err error) error {
	if ctx.Err() != nil {
		return lifecycle.WhyEnded(ctx)
	}
	if strings.Contains(stderr, "No space left on device") {
		return diskFull(r.host.Name, brief(command)+": no space left on device")
	}
	return &commandError{host: r.host.Name, command: command, stderr: stderr, err: err}
}

func diskFull(host, detail string) error {
	return lifecycle.Errorf(host, "the disk is full").
		Because(detail).
		Try("Free some space on the machine and run the same command again")
}

// write puts content into a file at once or not at all, also where the machine loses its power. It travels on standard input, so secrets
// reach no argument list.
func (r *remote) write(ctx context.Context, path string, content []byte, mode, dirMode string) error {
	q := shellescape.Quote
	tmp := path + ".kiban-new"
	dir := q(path[:strings.LastIndexByte(path, '/')])
	command := fmt.Sprintf("[ -d %s ] || install -d -m %s %s; install -m %s /dev/stdin %s && sync %s && mv -f %s %s && sync %s",
		dir, dirMode, dir, mode, q(tmp), q(tmp), q(tmp), q(path), dir)
	_, err := r.pipe(ctx, command, bytes.NewReader(content), nil)
	return err
}

// stop stops the service and waits until it has.
func (r *remote) stop(ctx context.Context) error {
	if err := r.run(ctx, r.stopCommand()); err != nil {
		return err
	}
	return r.stopped(ctx)
}

func (r *remote) stopCommand() string { return "systemctl stop " + r.k0s.K0sServiceName() }

// stopped waits until the service has stopped.
func (r *remote) stopped(ctx context.Context) error {
	return until(ctx, "the stop of k0s", serviceWithin, func(ctx context.Context) (bool, error) { return !r.runs(ctx), nil })
}

// launch starts the service and waits until systemd says that it runs. Whether it is well is for the plan's gates to say.
func (r *remote) launch(ctx context.Context) error {
	if err := r.run(ctx, "systemctl start "+r.k0s.K0sServiceName()); err != nil {
		return err
	}
	return until(ctx, "the start of k0s", serviceWithin, func(ctx context.Context) (bool, error) { return r.runs(ctx), nil })
}

// serviceWithin bounds the wait for systemd: its own limit for a start or stop is 90 s.
const serviceWithin = 2 * time.Minute

func (r *remote) runs(ctx context.Context) bool {
	return r.run(ctx, fmt.Sprintf("systemctl status %s | grep -q '(running)'", r.k0s.K0sServiceName())) == nil
}

// environment gives the service the variables that the document declares, if any.
func (r *remote) environment(ctx context.Context) error {
	if len(r.k0s.Environment) == 0 {
		return nil
	}
	if err := r.write(ctx, r.dropIn(), []byte(serviceEnvironment(r.k0s.Environment)), "0600", "0755"); err != nil {
		return err
	}
	return r.run(ctx, "systemctl daemon-reload")
}

// serviceEnvironment is the drop-in that gives a service variables, as k0sctl writes it.
func serviceEnvironment(variables map[string]string) string {
	return initsystem.Systemd{}.ServiceEnvironmentContent(variables)
}

// environmentDigest identifies the variables of such a drop-in, in whatever order and quotes they stand there; as facts.sh does it.
func environmentDigest(dropIn string) string {
	var lines []string
	for line := range strings.Lines(dropIn) {
		if v, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "Environment="); ok {
			lines = append(lines, strings.NewReplacer(`"`, "", "'", "").Replace(v)+"\n")
		}
	}
	slices.Sort(lines)
	return digest([]byte(strings.Join(lines, "")))
}

// dropIn is where k0sctl puts the service's environment, too.
func (r *remote) dropIn() string {
	return "/etc/systemd/system/" + r.k0s.K0sServiceName() + ".service.d/env.conf"
}

// until asks again and again, at most a second apart, until the answer is yes.
func until(ctx context.Context, what string, bound time.Duration, ask func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, bound, fmt.Errorf("%s did not come within %s", what, bound))
	defer cancel()
	var last error
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		ok, err := ask(ctx)
		if ok {
			return nil
		}
		if err != nil && ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), last)
		case <-time.After(pause):
		}
	}
}

// afterwards is a context for cleaning up, which must happen also when the step was interrupted. It is short.
func afterwards(ctx context.Context) (context.Context, context.CancelFunc) {
	return lifecycle.Within(context.WithoutCancel(ctx), 15*time.Second, "no answer")
}
