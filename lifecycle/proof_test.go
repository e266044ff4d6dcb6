package lifecycle

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func counted(kinds map[string]int64) Contents {
	c := Contents{Cluster: "uid", Objects: map[string]Amount{}}
	for kind, n := range kinds {
		c.Objects[kind] = Amount{n, n}
	}
	return c
}

func TestTwoCountsAreOneRange(t *testing.T) {
	c := counted(map[string]int64{"secrets": 3, "pods": 9}).And(counted(map[string]int64{"secrets": 5, "jobs": 1}))
	for kind, want := range map[string]Amount{"secrets": {3, 5}, "pods": {0, 9}, "jobs": {0, 1}} {
		if c.Objects[kind] != want {
			t.Errorf("%s: %v, want %v", kind, c.Objects[kind], want)
		}
	}
	failed := Contents{Why: "no answer"}
	other := counted(map[string]int64{"secrets": 1})
	other.Cluster = "another"
	if got := failed.And(c); got.Why != "no answer" || c.And(failed).Known() || c.And(other).Known() {
		t.Errorf("a count that failed, or of another cluster, counts: %+v", got)
	}
	unknown := counted(map[string]int64{"secrets": 3})
	unknown.Unknown = map[string]string{"secrets": "forbidden"}
	if got := counted(map[string]int64{"secrets": 3}).And(unknown); len(got.Objects) > 0 {
		t.Errorf("what one of the two could not count is known: %+v", got)
	}
}

// TestMissing: kinds that nobody makes by himself are held to the number; those that move all the time must be there.
func TestMissing(t *testing.T) {
	had := counted(map[string]int64{"secrets": 5, "pods": 40, "events": 9, "backups.example.com": 30, "crds.apiextensions.k8s.io": 4})
	had.Objects["configmaps"] = Amount{7, 9}
	all := map[string]int64{"secrets": 5, "pods": 40, "configmaps": 8, "backups.example.com": 30, "crds.apiextensions.k8s.io": 4}
	for name, c := range map[string]struct {
		change map[string]int64
		want   string
	}{
		"all":                 {nil, ""},
		"fewer pods":          {map[string]int64{"pods": 31}, ""},
		"no pods":             {map[string]int64{"pods": 0}, "pods: 40 were there, and none"},
		"a secret less":       {map[string]int64{"secrets": 4}, "secrets: 5 were there, and 4"},
		"a secret more":       {map[string]int64{"secrets": 6}, "secrets: 5 were there, and 6"},
		"below the range":     {map[string]int64{"configmaps": 6}, "configmaps: 7 to 9 were there, and 6"},
		"some custom ones":    {map[string]int64{"backups.example.com": 28}, ""},
		"many custom ones":    {map[string]int64{"backups.example.com": 20}, "backups.example.com: 30"},
		"a definition less":   {map[string]int64{"crds.apiextensions.k8s.io": 3}, "crds.apiextensions.k8s.io: 4"},
		"what nobody counted": {map[string]int64{"leftovers": 12}, ""},
		"two kinds, one order": {map[string]int64{"secrets": 1, "configmaps": 1},
			"configmaps: 7 to 9 were there, and 1 are in the backup\nsecrets"},
	} {
		held := map[string]int64{}
		for kind, n := range all {
			held[kind] = n
		}
		for kind, n := range c.change {
			held[kind] = n
		}
		if got := strings.Join(had.Missing(counted(held)), "\n"); (got == "") != (c.want == "") || !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestCompareBack(t *testing.T) {
	had := counted(map[string]int64{"secrets": 5, "pods": 40, "events": 2})
	held := counted(map[string]int64{"secrets": 5, "pods": 40, "events": 2, "podsecuritypolicies": 3})
	lost := func(back Contents) (out []string) {
		for _, k := range CompareBack(had, held, back) {
			if k.Lost != "" {
				out = append(out, k.Kind)
			}
		}
		return out
	}
	for name, c := range map[string]struct {
		back map[string]int64
		want []string
	}{
		"all":            {map[string]int64{"secrets": 5, "pods": 40, "events": 2}, nil},
		"more":           {map[string]int64{"secrets": 6, "pods": 41}, nil},
		"fewer pods":     {map[string]int64{"secrets": 5, "pods": 12}, nil},
		"no pods":        {map[string]int64{"secrets": 5}, []string{"pods"}},
		"a secret fewer": {map[string]int64{"secrets": 4, "pods": 40}, []string{"secrets"}},
	} {
		if got := lost(counted(c.back)); !slices.Equal(got, c.want) {
			t.Errorf("%s: lost are %q, want %q", name, got, c.want)
		}
	}
	back := counted(map[string]int64{"pods": 40})
	back.Unknown = map[string]string{"secrets": "unable to decrypt"}
	if got := lost(back); !slices.Equal(got, []string{"secrets"}) {
		t.Errorf("what can't be read is not lost: %q", got)
	}
}

func TestUnproven(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	day := Backups{Proven: 24 * time.Hour}
	old := &Proof{Backup: "old", At: "2026-11-20T12:00:00Z"}
	young := &Proof{Backup: "young", At: "2026-11-22T11:00:00Z"}
	for _, c := range []struct {
		rules Backups
		proof *Proof
		want  string
	}{{day, young, ""}, {day, old, "old, 2 days ago"}, {day, nil, "No backup"}, {Backups{}, nil, ""}, {day, old.Later(young), ""},
		{day, young.Later(old), ""}, {day, young.Later(nil), ""}, {day, (*Proof)(nil).Later(young), ""}} {
		if got := c.rules.Unproven(c.proof, now); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%+v: %q, want %q", c.proof, got, c.want)
		}
	}
	st := State{API: APIState{Proven: old}, Past: Past{Backups: []KeptBackup{{}, {Proven: young}}}}
	if st.Proven() != young {
		t.Errorf("the later proof is %+v", st.Proven())
	}
}
