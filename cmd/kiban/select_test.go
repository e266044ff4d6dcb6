package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/session"
)

// TestEveryVerbOfSeveralSitesSelects: whoever learned -l of one verb has it of all that take several sites.
func TestEveryVerbOfSeveralSitesSelects(t *testing.T) {
	several := 0
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		all := cmd.Flags().Lookup("all")
		takes := strings.Contains(cmd.Use, "SITE...") || (all != nil && strings.HasPrefix(all.Usage, "every site")) ||
			cmd.CommandPath() == "kiban sites"
		if takes {
			several++
			if f := cmd.Flags().Lookup("selector"); f == nil || f.Shorthand != "l" {
				t.Errorf("%s takes several sites and has no -l", cmd.CommandPath())
			}
		} else if cmd.Flags().Lookup("selector") != nil && cmd.CommandPath() != "kiban site list" {
			t.Errorf("%s has -l and takes no several sites", cmd.CommandPath())
		}
		for _, c := range cmd.Commands() {
			walk(c)
		}
	}
	walk(newRoot(&app{}))
	if several < 12 {
		t.Errorf("only %d verbs take several sites; the rule would hold of nothing", several)
	}
}

// labelledSites are lab, which is staging of wave 1, osaka and tokyo, which are production of wave 2, and nara, which may not be
// readable.
func labelledSites(f *fakeSite, nara error) services {
	s := f.services()
	s.ListSites = func(string) ([]string, error) { return []string{"lab", "nara", "osaka", "tokyo"}, nil }
	s.SiteInputs = func(lifecycle.Site) (map[string]string, error) { return nil, nil }
	load := s.LoadSite
	s.LoadSite = func(ctx context.Context, fleet, name string, opts session.LoadOptions) (lifecycle.Site, lifecycle.Diagnostics) {
		site, ds := load(ctx, fleet, name, opts)
		site.Name, site.Wave, site.Labels = name, 2, map[string]string{"tier": "production", "region": name}
		if name == "nara" && nara != nil {
			return lifecycle.Site{Name: name}, lifecycle.AsDiagnostics(nara, nara.Error())
		}
		if name == "lab" || name == "nara" {
			site.Wave, site.Labels["tier"] = 1, "staging"
		}
		return site, ds
	}
	return s
}

// TestSelected holds which sites verbs get by a selector, and what they say when it picks none or can't be read.
func TestSelected(t *testing.T) {
	broken := errors.New("the overlay is broken")
	type want struct {
		sites string
		err   string
	}
	for _, tt := range []struct {
		args string
		nara error
		want want
	}{
		{"-l tier=production", nil, want{sites: "osaka tokyo"}},
		{"-l tier=production,region!=osaka", nil, want{sites: "tokyo"}},
		{"-l kiban.dev/wave=1", nil, want{sites: "lab nara"}},
		{"-l tier=production", broken, want{sites: "osaka tokyo nara"}}, // nobody knows what labels it has
		{"-l tier=none", nil, want{err: "no site matches tier=none"}},
		{"-l tier=none", broken, want{sites: "nara"}},
		{"-l tier==", nil, want{}},
		{"-l tier=(", nil, want{err: "can't be read"}},
		{"--selector=", nil, want{err: "the selector of sites is empty"}},
		{"lab -l tier=production", nil, want{err: "either names of sites or --selector, not both"}},
	} {
		a := &app{Streams: Streams{Getenv: func(string) string { return "" }, Out: &strings.Builder{}, Err: &strings.Builder{}},
			services: labelledSites(&fakeSite{}, tt.nara), fleet: t.TempDir()}
		got := map[string][]string{}
		verbs := map[string]*cobra.Command{
			"status":   newStatus(a, func(_ context.Context, o *statusOptions) error { got["status"] = o.Sites; return nil }),
			"ready":    newReady(a, func(_ context.Context, o *readyOptions) error { got["ready"] = o.Sites; return nil }),
			"validate": newValidate(a, func(_ context.Context, o *validateOptions) error { got["validate"] = o.Sites; return nil }),
			"runs":     newRuns(a, func(_ context.Context, o *runsOptions) error { got["runs"] = o.Sites; return nil }),
			"pin":      newPin(a, func(_ context.Context, o *pinOptions) error { got["pin"] = o.Sites; return nil }),
			"note":     newCINote(a, func(_ context.Context, o *ciNoteOptions) error { got["note"] = o.Sites; return nil }),
			"reviewed": newCIReviewed(a, func(_ context.Context, o *ciReviewedOptions) error { got["reviewed"] = o.Sites; return nil }),
			"plan":     newPlan(a, func(_ context.Context, o *planOptions) error { got["plan"] = append(got["plan"], o.Site); return nil }),
		}
		for verb, cmd := range verbs {
			args := strings.Fields(tt.args)
			switch verb {
			case "note":
				args = append(args, "--plans", "plans")
			case "reviewed":
				args = append(args, "--out", "out")
			}
			cmd.SetArgs(args)
			cmd.SilenceErrors, cmd.SilenceUsage = true, true
			err := cmd.Execute()
			switch {
			case tt.args == "-l tier==": // an empty value is one, which no site has
				if err == nil || !strings.Contains(err.Error(), "no site matches") {
					t.Errorf("%s %s: %v", verb, tt.args, err)
				}
			case tt.want.err != "":
				if err == nil || !strings.Contains(err.Error(), tt.want.err) {
					t.Errorf("%s %s: %v", verb, tt.args, err)
				}
			case err != nil || !slices.Equal(got[verb], strings.Fields(tt.want.sites)):
				t.Errorf("%s %s: %v, %v; want %s", verb, tt.args, got[verb], err, tt.want.sites)
			}
		}
	}
}

// TestSelectedToBeChanged: what changes sites begins none while one can't be read that may be meant; what only looks goes on with the
// others, tells of it, and fails.
func TestSelectedToBeChanged(t *testing.T) {
	broken := errors.New("the overlay is broken")
	f := &fakeSite{plans: []lifecycle.Plan{planOf("f", "worker-1/upgrade")}}
	for _, args := range [][]string{{"-l", "tier=production"}, {"--wave", "2"}} {
		r := kibanIn(t, t.TempDir(), labelledSites(f, broken), nil, append([]string{"apply", "-y"}, args...)...)
		if r.code != exitFailed || f.applied != nil || !strings.Contains(r.err, "the overlay is broken") {
			t.Errorf("apply %s: exit %d, %d applied\n%s%s", args, r.code, len(f.applied), r.out, r.err)
		}
		f.made = 0
		r = kibanIn(t, t.TempDir(), labelledSites(f, broken), nil, append([]string{"plan"}, args...)...)
		if r.code != exitFailed || f.made != 2 || !strings.Contains(r.err, "the overlay is broken") ||
			!strings.Contains(r.err, "tokyo, 2 of 3") {
			t.Errorf("plan %s: exit %d, %d made\n%s%s", args, r.code, f.made, r.out, r.err)
		}
	}
	r := kibanIn(t, t.TempDir(), labelledSites(f, nil), nil, "apply", "-y", "-l", "region!=osaka", "--wave", "2")
	if r.code != exitDone || len(f.applied) != 1 {
		t.Errorf("exit %d, %d applied\n%s%s", r.code, len(f.applied), r.out, r.err)
	}
	r = kibanIn(t, t.TempDir(), labelledSites(f, nil), nil, "apply", "-y", "-l", "tier=staging", "--wave", "2")
	if r.code != exitFailed || !strings.Contains(r.err, "no site of wave 2 matches tier=staging") {
		t.Errorf("exit %d\n%s%s", r.code, r.out, r.err)
	}
	if r := kibanIn(t, t.TempDir(), labelledSites(f, nil), nil, "plan", "--wave", "0"); r.code != exitFailed ||
		!strings.Contains(r.err, "no site is of wave 0") {
		t.Errorf("exit %d\n%s%s", r.code, r.out, r.err)
	}
	r = kibanIn(t, t.TempDir(), labelledSites(f, nil), nil, "ready", "--all", "-l", "tier=production")
	if r.code != exitFailed || !strings.Contains(r.err, "either --all or --selector") {
		t.Errorf("exit %d\n%s%s", r.code, r.out, r.err)
	}
}
