package site

import (
	"fmt"

	"kiban.dev/kiban/lifecycle"
)

// checkVersion holds that the version is pinned (H10).
func checkVersion(c clusterDocument) []finding {
	at := clusterPlace("spec", "k0s", "version")
	if c.Spec.K0s.Version == "" {
		detail := "Without one a new machine gets whatever is newest on the day, and an upgrade can't be reviewed."
		if c.Spec.K0s.VersionChannel != "" {
			detail = "spec.k0s.versionChannel names a moving target."
			at = clusterPlace("spec", "k0s", "versionChannel")
		}
		return []finding{wrong(at, "the k0s version is not pinned", detail, "Set spec.k0s.version to an exact version, such as v1.36.3+k0s.2.")}
	}
	if _, err := lifecycle.ParseVersion(c.Spec.K0s.Version); err != nil {
		return []finding{wrong(at, fmt.Sprintf("%q is not an exact k0s version", c.Spec.K0s.Version),
			"A version has the leading v and the k0s build.",
			"Write it in full, such as v1.36.3+k0s.2.")}
	}
	return nil
}

// checkPath holds that the declared hops lead to the target one minor at a time (H9).
func checkPath(c clusterDocument, d siteDocument) []finding {
	at := sitePlace("spec", "upgrade", "path")
	target, err := lifecycle.ParseVersion(c.Spec.K0s.Version)
	if err != nil {
		return nil
	}
	const rule = "k0s supports one minor release at a time; each hop is complete before the next."
	var found []finding
	var before lifecycle.Version
	for _, hop := range d.Spec.Upgrade.Path {
		v := lifecycle.Version(hop)
		switch {
		case v.IsZero(): // not readable; the decoder has said so
			return found
		case target.Less(v):
			found = append(found, wrong(at, fmt.Sprintf("upgrade.path goes to %s, beyond the target %s", v, target), "",
				"Remove the hop, or raise spec.k0s.version."))
		case !before.IsZero() && v.MinorsAhead(before) != 1:
			found = append(found, wrong(at, fmt.Sprintf("upgrade.path goes from %s to %s", before, v), rule,
				"List one version of each minor release, in order."))
		}
		before = v
	}
	if len(found) == 0 && !before.IsZero() && target.MinorsAhead(before) > 1 {
		found = append(found, wrong(at, fmt.Sprintf("upgrade.path ends at %s, %d minor releases before %s", before, target.MinorsAhead(before),
			target), rule,
			"Add a version of each minor release between them."))
	}
	return found
}
