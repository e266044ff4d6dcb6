package plan

import (
	"slices"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// TestHazard_H41_FilesGoWithTheHopThatTakesThem: a file that is for a version is put by the first hop that takes it, in the step that stops
// k0s, not ahead of the drain, and not at a hop before.
func TestHazard_H41_FilesGoWithTheHopThatTakesThem(t *testing.T) {
	w := built(t, newSite(v134, 1, 2, eachHost(lifecycle.RoleWorker, file(mirrorFile, "old", true))))
	w.declare(newSite(v136, 1, 2, path(v135), eachHost(lifecycle.RoleWorker, edits(file(mirrorFile, "new", true), since136))))
	var puts []string
	for _, s := range makePlan(w.site, w.observe()).Steps {
		if slices.ContainsFunc(s.Changes, func(c string) bool { return strings.Contains(c, mirrorFile) }) {
			puts = append(puts, string(s.Action)+" "+s.Target+" "+s.Version.String())
		}
	}
	if want := []string{"upgrade worker-1 " + v136.String(), "upgrade worker-2 " + v136.String()}; !slices.Equal(puts, want) {
		t.Errorf("the file is put by %q, want %q", puts, want)
	}
}

// TestHazard_H41_DropInsOfOthersAreFound: a file that the next version's containerd does not take stops the plan before anything is
// touched, whoever has put it there, and says which, where and what to do.
func TestHazard_H41_DropInsOfOthersAreFound(t *testing.T) {
	const nvidia = "/etc/k0s/containerd.d/nvidia.toml"
	old, later := lifecycle.DropIn{Path: nvidia, Form: 2}, lifecycle.DropIn{Path: nvidia, Form: 3}
	ownConfig := lifecycle.DropIn{Path: lifecycle.ContainerdConfig, Form: 2}
	declared := eachHost(lifecycle.RoleWorker, edits(file(nvidia, "new", true), since136))
	for name, c := range map[string]struct {
		from, to lifecycle.Version
		have     []lifecycle.DropIn
		edit     func(*lifecycle.Site)
		severity lifecycle.Severity // "" for nothing
		says     string
	}{
		"old form, over the hop": {from: v135, to: v136, have: []lifecycle.DropIn{old}, severity: lifecycle.SeverityBlocked,
			says: "spec.files"},
		"and over two": {from: v134, to: v136, edit: path(v135), have: []lifecycle.DropIn{old},
			severity: lifecycle.SeverityBlocked},
		"new form, before the hop":     {from: v134, to: v135, have: []lifecycle.DropIn{later}, severity: lifecycle.SeverityBlocked},
		"declared in the new form":     {from: v135, to: v136, edit: declared, have: []lifecycle.DropIn{old}},
		"no form":                      {from: v135, to: v136, have: []lifecycle.DropIn{{Path: nvidia}}},
		"old form, hop before":         {from: v134, to: v135, have: []lifecycle.DropIn{old}},
		"nothing is upgraded":          {from: v136, to: v136, have: []lifecycle.DropIn{old}},
		"a configuration of one's own": {from: v135, to: v136, have: []lifecycle.DropIn{old, ownConfig}, severity: lifecycle.SeverityWarning},
		"only that":                    {from: v135, to: v136, have: []lifecycle.DropIn{ownConfig}},
		"another's containerd": {from: v135, to: v136, have: []lifecycle.DropIn{old},
			edit: eachHost(lifecycle.RoleWorker, argument("--cri-socket=remote:/run/crio.sock"))},
	} {
		t.Run(name, func(t *testing.T) {
			edit := c.edit
			if edit == nil {
				edit = func(*lifecycle.Site) {}
			}
			w := built(t, newSite(c.from, 1, 2))
			w.declare(newSite(c.to, 1, 2, edit))
			w.hosts["worker-2"].DropIns, w.hosts["controller-1"].DropIns = c.have, []lifecycle.DropIn{old, later}
			found := slices.DeleteFunc(makePlan(w.site, w.observe()).Diagnostics, func(d lifecycle.Diagnostic) bool {
				return !strings.Contains(d.Summary, "does not take")
			})
			switch {
			case c.severity == "" && len(found) == 0:
			case len(found) != 1 || found[0].Severity != c.severity || found[0].Subject != "worker-2" ||
				!strings.Contains(found[0].Error()+found[0].Hint, c.says):
				t.Errorf("found %v, want %q", found, c.severity)
			}
		})
	}
}
