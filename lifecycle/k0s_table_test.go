package lifecycle

import (
	"slices"
	"strings"
	"testing"
)

// Who adds a field of k0s's configuration learns here that it must be said what becomes of a change of it.
func TestEveryFieldOfK0sIsClassified(t *testing.T) {
	classes := ChangeTable()
	seen := map[string]bool{}
	for _, f := range K0sFields() {
		if seen[f.Path] {
			t.Errorf("%s stands twice in the table of fields", f.Path)
		}
		seen[f.Path] = true
		if row := classes.Of(f.Path); row.Path == f.Path && row.Why == "kiban does not know it." {
			t.Errorf("%s has no row in k0s_changes.txt", f.Path)
		}
		if len(f.Enum) > 0 && f.Default != "" && !slices.Contains(f.Enum, f.Default) {
			t.Errorf("%s: its default %s is none of %v", f.Path, f.Default, f.Enum)
		}
	}
	if len(seen) < 160 {
		t.Errorf("only %d fields", len(seen))
	}
}

func TestChangeTableIsWhole(t *testing.T) {
	known := []ChangeClass{ChangesInPlace, ChangesByRestart, ChangesAtRegistration, ChangesNever, ChangesUnknown}
	fields := K0sFields()
	seen := map[string]bool{}
	for _, row := range ChangeTable() {
		if seen[row.Path] {
			t.Errorf("%s stands twice", row.Path)
		}
		seen[row.Path] = true
		if !slices.Contains(known, row.Class) {
			t.Errorf("%s: no class %q", row.Path, row.Class)
		}
		if row.Class != ChangesByRestart && row.Class != ChangesInPlace && (row.Why == "" || row.Way == "") {
			t.Errorf("%s (%s): say why, and what the way is", row.Path, row.Class)
		}
		if !strings.HasPrefix(row.Path, "spec.") || strings.Contains(row.Path, "extraArgs.") {
			continue
		}
		path, _, _ := strings.Cut(row.Path, " ") // "of kubelets" is a part of its values
		if !slices.ContainsFunc(fields, func(f K0sField) bool { return within(f.Path, path) }) {
			t.Errorf("%s is about no field of k0s's configuration", row.Path)
		}
	}
}

func TestTheLongestRowCounts(t *testing.T) {
	table := ChangeTable()
	for path, want := range map[string]ChangeClass{
		"spec.api.port":        ChangesNever,
		"spec.api.portal":      ChangesByRestart, // below spec.api, and not spec.api.port
		"spec.api.extraArgs.v": ChangesByRestart,
		"spec.api.extraArgs.service-cluster-ip-range":         ChangesNever,
		"spec.storage.etcd.externalCluster.endpoints":         ChangesNever,
		"spec.storage.etcd.externalCluster.caFile":            ChangesByRestart,
		"spec.extensions.helm.charts[0].values":               ChangesByRestart,
		"spec.network.dualStack.enabled":                      ChangesNever,
		"spec.unheardOf":                                      ChangesUnknown,
		"--kubelet-extra-args --root-dir":                     ChangesNever,
		"--kubelet-extra-args --max-pods":                     ChangesByRestart,
		"--labels":                                            ChangesAtRegistration,
		"--unheard-of":                                        ChangesUnknown,
		"spec.network.controlPlaneLoadBalancing.keepalived.x": ChangesByRestart,
	} {
		if got := table.Of(path).Class; got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	if got := table.OfArgument("--data-dir=/data/k0s").Class; got != ChangesNever {
		t.Errorf("--data-dir=/data/k0s: %s", got)
	}
}
