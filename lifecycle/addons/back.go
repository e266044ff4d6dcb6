package addons

import (
	"cmp"
	"context"
	"fmt"

	"kiban.dev/kiban/lifecycle"
)

// back takes a release that failed to the one before it, and waits for its health. The run ends as failed all the same: why is what was
// seen.
//
// What was applied before the chart stays: a definition of a custom resource does not go back, for objects may be stored by it.
// An interrupted step is left as it is: the next run carries on.
func (a *application) back(ctx context.Context, why string, cause error) error {
	if ctx.Err() != nil {
		return cause
	}
	c := a.u.chart()
	d := lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Subject: a.u.name, Detail: why, Cause: cause,
		Hint: "Find out from the reason what is wrong with it. The same command tries again; to stay with what runs, declare that."}
	revision, version := a.former()
	if revision == 0 {
		d.Summary = fmt.Sprintf("chart %s %s did not become healthy, and there is no former release to go back to", c.Name, c.Version)
		d.Hint = "Find out from the reason what is wrong with it, correct the declaration, and run the same command again."
		return d
	}
	a.progress(fmt.Sprintf("chart %s did not become healthy (%s); going back to %s", c.Version, why, version))
	if err := a.e.Releases.Rollback(ctx, a.u.addon.Namespace, c.Release, revision, a.progress); err != nil {
		d.Summary = fmt.Sprintf("chart %s %s did not become healthy, and could not be taken back to %s", c.Name, c.Version, version)
		d.Detail += "\nThe way back failed: " + textOf(err)
		return d
	}
	now, err := a.e.release(ctx, a.u)
	if err == nil {
		var health lifecycle.Health
		if health, err = a.e.awaitHealth(ctx, healthRefs(now.Objects), a.u.timeout(), a.progress); err != nil {
			d.Summary = fmt.Sprintf("chart %s %s did not become healthy; %s is back and not healthy either", c.Name, c.Version, version)
			d.Detail += "\nOf the former release: " + reasons(health, err)
			return d
		}
		err = a.restored(ctx, now)
	}
	d.Summary = fmt.Sprintf("chart %s %s did not become healthy; %s runs again and is healthy", c.Name, c.Version, version)
	if err != nil {
		d.Detail += "\nAfter the way back: " + textOf(err)
	}
	return d
}

// former is the revision to go back to, and the chart's version there: the one that was healthy last; else the one that was deployed when
// the step began, or the newest whole one before it.
func (a *application) former() (revision int, version string) {
	switch {
	case a.inv.Healthy > 0:
		return a.inv.Healthy, cmp.Or(a.inv.Version, fmt.Sprintf("revision %d", a.inv.Healthy))
	case a.release.Status == "deployed" && !a.inv.Unfinished():
		return a.release.Revision, cmp.Or(a.release.Version, fmt.Sprintf("revision %d", a.release.Revision))
	case a.release.Former > 0:
		return a.release.Former, fmt.Sprintf("revision %d", a.release.Former)
	}
	return 0, ""
}

func healthRefs(refs []lifecycle.ObjectRef) []lifecycle.ObjectRef {
	var out []lifecycle.ObjectRef
	for _, r := range refs {
		if hasHealth(r) {
			out = append(out, r)
		}
	}
	return out
}
