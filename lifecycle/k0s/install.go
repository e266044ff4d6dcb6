package k0s

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/k0sproject/rig/v2/sh/shellescape"

	"kiban.dev/kiban/lifecycle"
)

// install registers the k0s service with the declared arguments. A service that is there already is replaced. tokenFile is the join
// token's path in the service's arguments, "" for the first controller: a machine keeps the one it joined with.
func (t *task) install(ctx context.Context, f facts, tokenFile string) error {
	h := t.on.k0s
	h.Metadata.IsK0sLeader = tokenFile == ""
	h.InstallFlags.Delete("--token-file") // declared, it says where tokens go; the first controller has none
	if tokenFile != "" {
		h.InstallFlags.AddOrReplace("--token-file=" + tokenFile)
	}
	if t.cluster.Spec.K0s.DynamicConfig && h.IsController() {
		h.InstallFlags.AddOrReplace("--enable-dynamic-config=true")
	}
	if f.host.Installed() {
		h.InstallFlags.AddOrReplace("--force=true")
	}
	command, err := h.K0sInstallCommand()
	if err != nil {
		return err
	}
	// k0s does not sync what it writes: after a power cut the service's file would be there and empty, on a machine that is said to be done.
	const units = "/etc/systemd/system"
	if err := t.on.run(ctx, fmt.Sprintf("%s && { sync %s/%s.service %s 2>/dev/null || :; }", command, units, h.K0sServiceName(),
		units)); err != nil {
		return err
	}
	if err := t.on.profile(ctx); err != nil {
		return err
	}
	return t.on.environment(ctx)
}

// upgrade brings a machine to the step's version with the declared arguments: stop, change the binary, put the files that are for the
// version, install the service anew, start. What is done already is left out, so it also finishes an upgrade that was interrupted
// anywhere. Without a version it only re-installs the service.
func upgrade(ctx context.Context, t *task) error {
	f, err := t.gatherFacts(ctx, t.on)
	if err != nil {
		return err
	}
	v := t.step.Version
	if v.IsZero() {
		v = f.host.Binary
	}
	if err := t.upgradable(f, v); err != nil {
		return err
	}
	if f, err = t.upgraded(ctx, f, v); err != nil || f.host.Running == v && t.asDeclared(f, v) {
		return err
	}
	if err := t.on.k0s.RunHooks(ctx, "upgrade", "before"); err != nil {
		return err
	}
	former, kept := f.host.Binary, t.keeps(f, v)
	if kept {
		if err := t.keepFormer(ctx, former, t.changesStopped(f, v)); err != nil {
			return err
		}
	}
	if err := t.stopForWhole(ctx, f, v); err != nil {
		return err
	}
	if kept && t.on.host.Role.IsController() {
		if err := t.on.run(ctx, "date +%s.%N > "+shellescape.Quote(t.on.paths.since(former))); err != nil {
			return err
		}
	}
	err = t.place(ctx, &f, v)
	if err == nil { // behind the binary: one that was cut off never leaves the former one with files that it does not take
		err = t.putStopped(ctx, f, v)
	}
	if err == nil {
		err = t.install(ctx, f, f.tokenFile)
	}
	if err != nil && kept && t.on.host.Role.IsController() && ctx.Err() == nil {
		return t.startFormer(ctx, former, v, err)
	}
	if err != nil {
		return err
	}
	t.progress(fmt.Sprintf("starting k0s %s", v))
	if err := t.on.launch(ctx); err != nil {
		return err
	}
	return t.on.k0s.RunHooks(ctx, "upgrade", "after")
}

// stopForWhole stops the service for a version that is in place or is staged whole. In the command that stops it, the staged binary is
// compared again: a machine is not stopped for a binary that it could not be started with.
func (t *task) stopForWhole(ctx context.Context, f facts, v lifecycle.Version) error {
	if f.host.Service == lifecycle.ServiceStopped || f.host.Service == lifecycle.ServiceAbsent {
		return t.ifWhole(ctx, f, v, "")
	}
	t.progress("stopping k0s")
	if err := t.ifWhole(ctx, f, v, t.on.stopCommand()); err != nil {
		return err
	}
	return t.on.stopped(ctx)
}

// asDeclared reports whether nothing is left to be changed on the machine's disk.
func (t *task) asDeclared(f facts, v lifecycle.Version) bool {
	given := t.on.host.Environment == "" || t.on.host.Environment == f.host.Environment
	return f.host.Binary == v && slices.Equal(f.host.Arguments, t.on.host.Arguments) && given && len(t.changesStopped(f, v)) == 0
}

// answersWithin bounds the wait for `k0s status` where all else says that the machine has been upgraded.
const answersWithin = 15 * time.Second

// upgraded looks again at a machine whose service runs as it should and only does not answer: an interrupted run may have started it
// a moment ago (H25), and another restart would be for nothing.
func (t *task) upgraded(ctx context.Context, f facts, v lifecycle.Version) (facts, error) {
	if !t.asDeclared(f, v) || f.host.Service != lifecycle.ServiceRunning {
		return f, nil
	}
	err := until(ctx, "an answer of k0s", answersWithin, func(ctx context.Context) (bool, error) {
		if !f.host.Running.IsZero() || f.host.Service != lifecycle.ServiceRunning {
			return true, nil
		}
		now, err := t.gatherFacts(ctx, t.on)
		if err == nil {
			f = now
		}
		return false, err
	})
	if err != nil && ctx.Err() == nil {
		err = nil // it does not answer: a restart is what is left to try
	}
	return f, err
}

// upgradable refuses what would leave a machine worse than it is.
func (t *task) upgradable(f facts, v lifecycle.Version) error {
	switch {
	case !f.host.Installed():
		return t.refuse("k0s is not installed on the machine", "there is no service to upgrade",
			"Run the same command again: the new plan joins the machine")
	case v.IsZero():
		return t.refuse("the installed k0s cannot be run", f.host.BinaryProblem, "Set the version and plan again: the binary is replaced then")
	}
	return t.installable(f, v)
}

// installable reports, as an error if not, whether a version can be installed on the machine. It is asked before anything there is
// stopped.
func (t *task) installable(f facts, v lifecycle.Version) error {
	switch {
	case f.host.Installed() && f.host.ServiceName != t.on.k0s.K0sServiceName():
		return t.refuse("the machine has another role", fmt.Sprintf("it has the service %s, and is declared as %s", f.host.ServiceName,
			t.on.host.Role),
			"A role cannot be changed in place: remove the machine with reset: true, then declare it anew")
	case f.host.CgroupV1 && t.on.host.RefusesCgroupV1(v):
		return t.refuse("the machine still uses cgroup v1", fmt.Sprintf("k0s %s does not start there", v),
			"Switch it to cgroup v2 (systemd.unified_cgroup_hierarchy=1) and reboot it")
	case f.host.Binary != v && !slices.Contains(f.host.Staged, v):
		return t.refuse(fmt.Sprintf("k0s %s is not on the machine", v), "no staged binary of that version is in "+t.on.paths.dir(),
			"Run the same command again: the new plan stages it first")
	}
	return nil
}

func (t *task) refuse(summary, detail, hint string) error {
	return lifecycle.Errorf(t.on.host.Name, "%s", summary).Because(detail).Try(hint)
}

// start starts a stopped service as it is.
func start(ctx context.Context, t *task) error {
	f, err := t.gatherFacts(ctx, t.on)
	if err != nil {
		return err
	}
	switch f.host.Service {
	case lifecycle.ServiceRunning:
		return nil
	case lifecycle.ServiceAbsent:
		return fmt.Errorf("there is no k0s service on %s", t.on.host.Name)
	}
	if strings.TrimSpace(f.host.BinaryProblem) != "" {
		return fmt.Errorf("%s cannot start: %s", t.on.host.Name, f.host.BinaryProblem)
	}
	return t.on.launch(ctx)
}
