package k0s

import (
	"context"
	"fmt"
	"strings"

	"github.com/k0sproject/k0sctl/pkg/apis/k0sctl.k0sproject.io/v1beta1/cluster"
	"github.com/k0sproject/rig/v2/sh/shellescape"

	"kiban.dev/kiban/lifecycle"
)

// leaveEtcd takes a controller out of etcd. It is asked of another controller while the one that leaves still runs: a member whose
// service has stopped cannot leave by itself, and counts against the quorum (H6).
func leaveEtcd(ctx context.Context, t *task) error {
	other, f, err := t.controller(ctx, t.step.Target)
	if err != nil {
		return err
	}
	if f.etcdProblem != "" {
		return fmt.Errorf("%s does not say who is in etcd: %s", other.host.Name, f.etcdProblem)
	}
	m, err := t.machine(t.step.Target)
	if err != nil {
		return err
	}
	leaving, known, err := t.site.Cluster.Leaving(m.host, f.etcd)
	if err != nil {
		return err
	}
	if !known {
		return nil // it has left already, or there is no etcd to leave
	}
	if len(f.etcd) == 1 {
		return fmt.Errorf("%s is the last member of etcd", m.host.Name)
	}
	q := shellescape.Quote
	return other.run(ctx, fmt.Sprintf("%s etcd leave --peer-address %s --data-dir %s", q(other.paths.binary), q(leaving.PeerAddress),
		q(other.paths.data)))
}

// reset stops k0s on a machine and removes what it and kiban left there. It is done only when the machine says so itself: k0sctl takes
// a failed `k0s reset` for done (H29).
func reset(ctx context.Context, t *task) error {
	f, err := t.gatherFacts(ctx, t.on)
	if err != nil {
		return err
	}
	if wiped(f.host) && f.host.Binary.IsZero() && f.host.BinaryProblem == "" && len(f.host.Staged) == 0 && f.host.Former.IsZero() &&
		f.host.Kept.IsZero() {
		return nil
	}
	if err := t.on.k0s.RunHooks(ctx, "reset", "before"); err != nil {
		return err
	}
	if f.host.Installed() && f.host.Service != lifecycle.ServiceStopped {
		t.progress("stopping k0s")
		if err := t.on.stop(ctx); err != nil {
			return err
		}
	}
	var failed error
	if !wiped(f.host) {
		t.progress("wiping k0s")
		failed = t.wipe(ctx, f)
	}
	if after, err := t.gatherFacts(ctx, t.on); err != nil {
		return err
	} else if !wiped(after.host) {
		return lifecycle.Errorf(t.on.host.Name, "k0s is not wiped from the machine").
			Because(fmt.Sprintf("%s: %v", remains(after.host), failed)).
			Try("Reboot the machine, which frees what is still mounted, and run the same command again").
			From(failed)
	}
	if err := t.on.run(ctx, t.on.leftovers()); err != nil {
		return err
	}
	return t.on.k0s.RunHooks(ctx, "reset", "after")
}

// wipe runs `k0s reset`, with a binary that works.
func (t *task) wipe(ctx context.Context, f facts) error {
	if f.host.Binary.IsZero() {
		return fmt.Errorf("there is no k0s binary that could reset the machine (%s)", f.host.BinaryProblem)
	}
	for _, a := range f.host.Arguments { // the folder that it has, whatever is declared by now
		if dir, ok := strings.CutPrefix(a, "--data-dir="); ok {
			t.on.k0s.DataDir = dir
		}
	}
	return t.on.run(ctx, t.on.k0s.K0sResetCommand())
}

func wiped(h lifecycle.HostState) bool { return !h.Installed() && !h.Data }

func remains(h lifecycle.HostState) string {
	if h.Installed() {
		return "the service " + h.ServiceName + " is still installed"
	}
	return "the data directory still holds something"
}

// leftovers is the command that removes what `k0s reset` leaves: configuration, token, binaries, the service's environment.
func (r *remote) leftovers() string {
	q := shellescape.Quote
	gone := []string{q(r.paths.config), q(r.paths.config + ".old"), q(r.paths.config + ".kiban-candidate"), q(r.paths.token),
		q(r.paths.binary),
		q(r.paths.dir()) + "/k0s.kiban-*", q(r.paths.dir()) + "/.k0s.kiban-*"}
	if len(r.k0s.Environment) > 0 {
		gone = append(gone, q(r.dropIn()))
	}
	return "rm -f " + strings.Join(gone, " ") + "; systemctl daemon-reload"
}

// tidy removes what interrupted runs left on a machine: a join token, which is also made worthless, staged binaries of versions other
// than the step's, half-written files.
func tidy(ctx context.Context, t *task) error {
	f, err := t.gatherFacts(ctx, t.on)
	if err != nil {
		return err
	}
	q := shellescape.Quote
	gone := []string{q(t.on.paths.config + ".kiban-candidate"), q(t.on.paths.config+".kiban-candidate") + ".kiban-new",
		q(t.on.paths.token) + ".kiban-new", q(t.on.paths.dir()) + "/.k0s.kiban-*"}
	for _, v := range f.host.Staged {
		if v != t.step.Version {
			gone = append(gone, q(t.on.paths.staged(v)))
		}
	}
	if err := t.on.run(ctx, "rm -f "+strings.Join(gone, " ")); err != nil {
		return err
	}
	if !f.host.Token {
		return nil
	}
	return t.spendFound(ctx)
}

// spendFound deals with a token that lies on the machine's disk. That it is overwritten matters most: a token that cannot be made
// invalid runs out within half an hour.
func (t *task) spendFound(ctx context.Context) error {
	text, err := t.on.output(ctx, "cat "+shellescape.Quote(t.on.paths.token))
	if err != nil {
		return err
	}
	if token, err := cluster.ParseToken(text); err == nil && token.ID != "" {
		if leader, _, err := t.controller(ctx, t.on.host.Name); err == nil {
			return t.spend(leader, token.ID)
		}
		t.progress("no controller could be asked to invalidate the token; it runs out by itself")
	}
	return t.on.write(ctx, t.on.paths.token, []byte(spentToken), "0600", "0750")
}
