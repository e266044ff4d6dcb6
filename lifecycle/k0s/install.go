package k0s

import (
	"context"
	"fmt"
	"slices"
	"strings"

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
