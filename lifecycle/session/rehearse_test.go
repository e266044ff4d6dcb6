package session

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/twin"
)

// TestSnapshotReadsWhatIsRehearsed: the API is read only for a plan that is rehearsed, or for a file. What can't be kept is refused
// before anything is asked.
func TestSnapshotReadsWhatIsRehearsed(t *testing.T) {
	fleet := t.TempDir()
	over := filepath.Join(fleet, "overlays", "lab")
	if err := os.MkdirAll(over, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(over, "kustomization.yaml"), []byte("resources: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	upgrades := lifecycle.Plan{Site: "lab", Steps: []lifecycle.Step{{ID: "c/upgrade", Action: lifecycle.ActionUpgrade, Disrupts: true}}}
	backs := lifecycle.Plan{Site: "lab", Steps: []lifecycle.Step{{ID: "cluster/backup", Action: lifecycle.ActionBackup}}}
	file := filepath.Join(t.TempDir(), "kept")
	for name, c := range map[string]struct {
		plan  lifecycle.Plan
		opts  SnapshotOptions
		reads int
		fails string
	}{
		"a plan":                             {upgrades, SnapshotOptions{}, 1, ""},
		"nothing to do":                      {lifecycle.Plan{}, SnapshotOptions{}, 0, ""},
		"nothing to do, and a file":          {lifecycle.Plan{}, SnapshotOptions{Save: file}, 1, ""},
		"a plan that is asked for":           {upgrades, SnapshotOptions{IfAsked: true}, 1, ""},
		"a plan that nobody asks for":        {backs, SnapshotOptions{IfAsked: true}, 0, ""},
		"a plan that nobody asks for, saved": {backs, SnapshotOptions{IfAsked: true, Save: file}, 1, ""},
		"a file in no folder":                {upgrades, SnapshotOptions{Save: filepath.Join(fleet, "nowhere", "kept")}, 0, "can't be kept"},
		"a file that is a folder":            {upgrades, SnapshotOptions{Save: fleet}, 0, "can't be kept"},
		"no version":                         {upgrades, SnapshotOptions{To: "1.36"}, 0, "is no release to install"},
	} {
		b, reads := &bench{}, 0
		site := lifecycle.Site{Name: "lab", Rehearse: lifecycle.Rehearse{On: lifecycle.RehearseUpgrade}}
		s := With(site, Options{Fleet: fleet}, Parts{Site: b,
			Everything: func(context.Context) ([]lifecycle.Object, []string, error) { reads++; return nil, nil, nil },
			Plans: Planners{Make: func(lifecycle.Site, lifecycle.State, lifecycle.PlanOptions) lifecycle.Plan {
				return c.plan
			}}})
		out, err := s.Snapshot(t.Context(), c.opts)
		if reads != c.reads || (c.fails == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.fails) {
			t.Errorf("%s: the API was read %d times, %v", name, reads, err)
		}
		if err == nil && len(out.Plan.Steps) != len(c.plan.Steps) {
			t.Errorf("%s: %+v", name, out.Plan)
		}
		if c.fails != "" && len(b.calls) > 0 {
			t.Errorf("%s: the site was asked before: %q", name, b.calls)
		}
	}
}

// TestSnapshotOfNoCluster: of a site whose machines run nothing the API is not asked, and nobody is sent to look at it.
func TestSnapshotOfNoCluster(t *testing.T) {
	fleet := t.TempDir()
	over := filepath.Join(fleet, "overlays", "lab")
	err := errors.Join(os.MkdirAll(over, 0o700), os.WriteFile(filepath.Join(over, "kustomization.yaml"), []byte("resources: []\n"), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	site := lifecycle.Site{Name: "lab", Cluster: lifecycle.Cluster{Hosts: []lifecycle.Host{{Name: "c", Role: lifecycle.RoleController}}}}
	s := With(site, Options{Fleet: fleet}, Parts{Site: &bench{},
		Everything: func(context.Context) ([]lifecycle.Object, []string, error) {
			return nil, nil, errors.New("no controller runs k0s")
		},
		Plans: Planners{Make: func(lifecycle.Site, lifecycle.State, lifecycle.PlanOptions) lifecycle.Plan {
			return lifecycle.Plan{Site: "lab", Steps: []lifecycle.Step{{ID: "c/initialize"}}}
		}}})
	_, err = s.Snapshot(t.Context(), SnapshotOptions{})
	ds := lifecycle.AsDiagnostics(err, "?")
	if err == nil || ds[0].Summary != "there is no cluster yet, so there is nothing to rehearse" ||
		!strings.HasPrefix(ds[0].Hint, "kiban plan lab") {
		t.Errorf("got %+v", ds)
	}
}

// TestRehearsable: the version that is asked for counts, and where none is, the declared one.
func TestRehearsable(t *testing.T) {
	site := lifecycle.Site{Name: "lab", Cluster: lifecycle.Cluster{Version: lifecycle.Version{Major: 1, Minor: 36}}}
	s := With(site, Options{}, Parts{Site: &bench{}})
	for to, says := range map[string]string{"": "", "v1.36.3+k0s.2": "", "v1.40.0+k0s.0": "can't play v1.40.0",
		"1.36": "no release to install", "v1.36.3+k0s": "is not a version"} {
		err := s.Rehearsable(to, twin.Options{Plays: twin.LabVersion{Minors: []string{"1.36"}}})
		if (says == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", to, err)
		}
	}
}

// TestAssumed: what no run of the site tells is one sentence, and none where its runs tell everything.
func TestAssumed(t *testing.T) {
	for _, c := range []struct {
		unknown []lifecycle.Action
		want    []string
	}{
		{nil, nil},
		{[]lifecycle.Action{lifecycle.ActionDrain}, []string{"No run of the site tells how long drain takes; it is as in the lab."}},
		{[]lifecycle.Action{lifecycle.ActionUpload, lifecycle.ActionUpgrade, lifecycle.ActionDrain},
			[]string{"No run of the site tells how long stage, upgrade and drain take; they are as in the lab."}},
	} {
		if got := assumed(c.unknown); !slices.Equal(got, c.want) {
			t.Errorf("%v: got %q, want %q", c.unknown, got, c.want)
		}
	}
}
