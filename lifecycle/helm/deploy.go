package helm

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/chart/common"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/kube"
	rcommon "helm.sh/helm/v4/pkg/release/common"
	release "helm.sh/helm/v4/pkg/release/v1"
	"helm.sh/helm/v4/pkg/storage/driver"

	"kiban.dev/kiban/lifecycle"
)

// defaultTimeout bounds an operation of an addon that names no timeout.
const defaultTimeout = 10 * time.Minute

// Deploy makes the release what is declared: it is installed when there is none, else upgraded. What fails because a webhook is not up yet
// is tried again until the addon's timeout. The chart's hooks have run when it returns; its workloads may still be on their way.
//
// An operation that was cut off is taken up: its record is marked as failed, and the release upgraded over what it left. A release that was
// never whole is installed anew, so that the hooks of a first installation run.
func (c *Client) Deploy(ctx context.Context, site lifecycle.Site, a lifecycle.Addon, caps lifecycle.Capabilities,
	progress func(string)) error {
	if a.Chart == nil {
		return fmt.Errorf("addon %s has no chart", a.Name)
	}
	if _, err := c.open(ctx, a.Namespace); err != nil {
		return err // there is no API: neither the chart nor another try helps
	}
	archive, err := c.store.Chart(ctx, site.Dir, *a.Chart, site.Pins)
	if err != nil {
		return about(err, a)
	}
	known, err := capabilities(site, caps)
	if err != nil {
		return about(err, a)
	}
	timeout := a.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	start := time.Now()
	pause := c.pause
	try := attempt{addon: a, archive: archive, caps: known, end: start.Add(timeout), progress: progress}
	for {
		err := c.deployOnce(ctx, &try)
		if err == nil || ctx.Err() != nil || !Transient(err) || time.Until(try.end) < pause || hopeless(err, time.Since(start)) {
			return failure(err, a.Namespace, releaseName(a))
		}
		progress(fmt.Sprintf("not ready for it yet (%s); trying again in %s", short(err), pause))
		select {
		case <-ctx.Done():
			return failure(lifecycle.WhyEnded(ctx), a.Namespace, releaseName(a))
		case <-time.After(pause):
		}
		pause = min(2*pause, 15*time.Second)
	}
}

// hopeless reports whether waiting has shown that it does not help: definitions are served within seconds.
func hopeless(err error, waited time.Duration) bool {
	return strings.Contains(err.Error(), "no matches for kind") && waited > time.Minute
}

// attempt is one try at a release after the other.
type attempt struct {
	addon    lifecycle.Addon
	archive  Archive
	caps     *common.Capabilities
	end      time.Time
	progress func(string)
	// made is the revision that the try before made; 0: there was none.
	made int
}

// deployOnce looks at the release's records, puts them in order, and installs or upgrades. Everything is read afresh each time: the SDK
// writes into charts, values and configurations.
func (c *Client) deployOnce(ctx context.Context, try *attempt) error {
	a, progress := try.addon, try.progress
	ch, err := load(try.archive, *a.Chart)
	if err != nil {
		return err
	}
	values, err := valuesOf(*a.Chart)
	if err != nil {
		return err
	}
	cfg, err := c.actions(ctx, a.Namespace)
	if err != nil {
		return err
	}
	cfg.Capabilities = try.caps
	all, err := revisions(cfg, releaseName(a))
	if err != nil {
		return err
	}
	if all, err = try.forget(cfg, all); err != nil {
		return err
	}
	way := decide(all)
	if way.cutOff {
		progress(fmt.Sprintf("revision %d was cut off (%s); going on from there", all[0].Version, all[0].Info.Status))
		if err := giveUp(cfg, all[0], "it was cut off"); err != nil {
			return err
		}
	}
	what := a.Chart.Name + " " + a.Chart.Version
	if way.install {
		progress("installing " + what)
		return install(ctx, cfg, a, ch, values, len(all) > 0, time.Until(try.end))
	}
	from := ""
	if m := all[0].Chart; m != nil && m.Metadata != nil {
		from = " over " + m.Metadata.Version
	}
	progress("upgrading to " + what + from)
	failed := all[0].Info.Status == rcommon.StatusFailed
	if err := upgrade(ctx, cfg, a, ch, values, time.Until(try.end)); err != nil || !failed {
		return err
	}
	return stillFailed(cfg, all[0].Name, all[0].Version)
}

// stillFailed marks a revision as failed again: the SDK, going on from one for want of a better, calls it superseded afterwards, as if it
// had been whole.
func stillFailed(cfg *action.Configuration, name string, version int) error {
	found, err := cfg.Releases.Get(name, version)
	if errors.Is(err, driver.ErrReleaseNotFound) {
		return nil // it has left the history
	}
	r, ok := found.(*release.Release)
	if err != nil || !ok || r.Info.Status == rcommon.StatusFailed {
		return err
	}
	return giveUp(cfg, r, "it failed, or was cut off")
}

// forget takes away the record of the try before: many of them would push out of the history what can be gone back to.
func (try *attempt) forget(cfg *action.Configuration, all []*release.Release) ([]*release.Release, error) {
	if try.made > 0 && len(all) > 0 && all[0].Version >= try.made && all[0].Info.Status == rcommon.StatusFailed {
		if _, err := cfg.Releases.Delete(all[0].Name, all[0].Version); err != nil {
			return nil, fmt.Errorf("revision %d of release %s cannot be taken away: %w", all[0].Version, all[0].Name, err)
		}
		all = all[1:]
	}
	try.made = 1
	if len(all) > 0 {
		try.made = all[0].Version + 1
	}
	return all, nil
}

// decision is what a release's records ask for.
type decision struct {
	// cutOff: the newest record is of an operation that never ended.
	cutOff bool
	// install: the release was never whole, or is gone.
	install bool
}

// decide says what a release's records, the newest first, ask for.
func decide(all []*release.Release) decision {
	if len(all) == 0 {
		return decision{install: true}
	}
	var d decision
	switch s := all[0].Info.Status; s {
	case rcommon.StatusUninstalled:
		return decision{install: true}
	case rcommon.StatusUninstalling:
		return decision{cutOff: true, install: true} // half of its objects may be gone
	case rcommon.StatusDeployed, rcommon.StatusSuperseded, rcommon.StatusFailed:
	default: // pending, or unknown
		d.cutOff = true
	}
	whole := false
	for _, r := range all {
		if s := r.Info.Status; s == rcommon.StatusDeployed || s == rcommon.StatusSuperseded {
			whole = true
		} else if s == rcommon.StatusUninstalled {
			break
		}
	}
	d.install = !whole
	return d
}

// giveUp marks a revision as failed: the SDK then goes on from the last one that was whole.
func giveUp(cfg *action.Configuration, r *release.Release, why string) error {
	r.SetStatus(rcommon.StatusFailed, why)
	if err := cfg.Releases.Update(r); err != nil {
		return fmt.Errorf("revision %d of release %s cannot be marked as failed: %w", r.Version, r.Name, err)
	}
	return nil
}

func install(ctx context.Context, cfg *action.Configuration, a lifecycle.Addon, ch *chart.Chart, values map[string]any, again bool,
	timeout time.Duration) error {
	in := action.NewInstall(cfg)
	in.ReleaseName, in.Namespace = releaseName(a), a.Namespace
	in.Replace = again // of a release that failed or is gone
	in.SkipCRDs = true // they are applied before, and kept up to date, which Helm does not
	in.ServerSideApply, in.ForceConflicts, in.TakeOwnership = true, true, true
	in.WaitStrategy, in.WaitOptions, in.Timeout = kube.HookOnlyStrategy, []kube.WaitOption{kube.WithWaitContext(ctx)}, timeout
	in.DisableOpenAPIValidation = true // the API server judges what it is given, strictly
	in.Description = "installed by kiban"
	_, err := in.RunWithContext(ctx, ch, values)
	return err
}

func upgrade(ctx context.Context, cfg *action.Configuration, a lifecycle.Addon, ch *chart.Chart, values map[string]any,
	timeout time.Duration) error {
	up := action.NewUpgrade(cfg)
	up.Namespace = a.Namespace
	up.SkipCRDs = true
	up.ServerSideApply, up.ForceConflicts, up.TakeOwnership = "true", true, true
	up.ResetValues = true // the declaration is the whole truth
	up.MaxHistory = history
	up.WaitStrategy, up.WaitOptions, up.Timeout = kube.HookOnlyStrategy, []kube.WaitOption{kube.WithWaitContext(ctx)}, timeout
	up.DisableOpenAPIValidation = true
	up.Description = "upgraded by kiban"
	_, err := up.RunWithContext(ctx, releaseName(a), ch, values)
	return err
}

// Rollback makes a release what it was at a revision, and marks the revision that is left as failed. As with Deploy, hooks have run and
// workloads may still be on their way when it returns.
func (c *Client) Rollback(ctx context.Context, namespace, name string, revision int, progress func(string)) error {
	cfg, err := c.actions(ctx, namespace)
	if err != nil {
		return err
	}
	all, err := revisions(cfg, name)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return failure(errors.New("there is no such release"), namespace, name)
	}
	// So that no later run takes it for one that was whole, and goes back to it.
	if all[0].Version != revision {
		if err := giveUp(cfg, all[0], fmt.Sprintf("rolled back to revision %d", revision)); err != nil {
			return err
		}
	}
	progress(fmt.Sprintf("rolling back release %s to revision %d", name, revision))
	back := action.NewRollback(cfg)
	back.Version = revision
	back.ServerSideApply, back.ForceConflicts = "true", true
	back.MaxHistory = history
	back.WaitStrategy, back.WaitOptions, back.Timeout = kube.HookOnlyStrategy, []kube.WaitOption{kube.WithWaitContext(ctx)}, c.left(ctx)
	back.Description = fmt.Sprintf("rolled back by kiban to revision %d", revision)
	return failure(back.Run(name), namespace, name)
}

// Uninstall takes a release away, but for what data would go with: definitions, namespaces and claims stay. One that is not there is no
// error.
func (c *Client) Uninstall(ctx context.Context, namespace, name string) error {
	cfg, err := c.actions(ctx, namespace)
	if err != nil {
		return err
	}
	un := action.NewUninstall(cfg)
	un.IgnoreNotFound = true
	un.DeletionPropagation = "background"
	un.WaitStrategy, un.WaitOptions, un.Timeout = kube.HookOnlyStrategy, []kube.WaitOption{kube.WithWaitContext(ctx)}, c.left(ctx)
	all, err := revisions(cfg, name)
	if err != nil || len(all) == 0 {
		return err
	}
	_, err = un.Run(name)
	return failure(err, namespace, name)
}

// left is how long hooks may take: until the context ends, or as long as an addon's timeout is by default.
func (c *Client) left(ctx context.Context) time.Duration {
	if end, ok := ctx.Deadline(); ok {
		return max(time.Second, time.Until(end))
	}
	return defaultTimeout
}
