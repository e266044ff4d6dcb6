package addons

import (
	"slices"

	"kiban.dev/kiban/lifecycle"
)

// moment is a point at which Helm runs hooks: its name for it, and ours.
type moment struct{ helm, words string }

// hooksAt are the hooks that run, in words: "Job metallb/init, before install".
func hooksAt(hooks []lifecycle.Hook, moments []moment) []string {
	var out []string
	for _, m := range moments {
		for _, h := range hooks {
			if slices.Contains(h.When, m.helm) {
				out = append(out, h.String()+", "+m.words)
			}
		}
	}
	return out
}

// hooks are those that applying the unit runs, by what the cluster has of its release. An upgrade that fails goes back, which runs hooks,
// too.
func (u *unit) hooks(release lifecycle.Release) []string {
	if release.Status == "" {
		return hooksAt(u.rendered.Hooks, []moment{{"pre-install", "before install"}, {"post-install", "after install"}})
	}
	return hooksAt(u.rendered.Hooks, []moment{{"pre-upgrade", "before upgrade"}, {"post-upgrade", "after upgrade"},
		{"pre-rollback", "before going back, if it fails"}, {"post-rollback", "after going back, if it fails"}})
}

// lastHooks are those that removing a release runs.
func lastHooks(release lifecycle.Release) []string {
	return hooksAt(release.Hooks, []moment{{"pre-delete", "before removal"}, {"post-delete", "after removal"}})
}
