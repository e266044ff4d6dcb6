package main

import (
	"bytes"
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

// TestCommandLines holds what each verb makes of its command line, without running it.
func TestCommandLines(t *testing.T) {
	a := &app{Streams: Streams{Getenv: func(string) string { return "" }, Out: &bytes.Buffer{}, Err: &bytes.Buffer{}},
		services: (&fakeSite{}).services()}
	a.fleet = t.TempDir()
	a.ListSites = func(string) ([]string, error) { return []string{"lab", "osaka"}, nil }
	var got any
	for _, tt := range []struct {
		cmd  *cobra.Command
		args string
		want any
		err  string
	}{
		{newPlan(a, func(_ context.Context, o *planOptions) error {
			got = [...]any{o.Site, o.output.form, o.DetailedExitCode, o.Out}
			return nil
		}),
			"tokyo -o json --detailed-exitcode --out x.plan", [...]any{"tokyo", "json", true, "x.plan"}, ""},
		{newPlan(a, nil), "tokyo -o html", nil, "-o html is not a form of plan; it has text, json, yaml, markdown"},
		{newPlan(a, nil), "", nil, "which site? The fleet has lab, osaka."},
		{newPlan(a, nil), "a b --out x", nil, "--out goes with one site, not with 2"},
		{newApply(a, func(_ context.Context, o *applyOptions) error {
			got = [...]any{o.Site, o.Plan, o.Yes, o.LockTimeout}
			return nil
		}),
			"tokyo --plan x.plan --yes --lock-timeout 5m", [...]any{"tokyo", "x.plan", true, 5 * time.Minute}, ""},
		{newDrill(a, func(_ context.Context, o *drillOptions) error {
			got = [...]any{o.Site, o.Backup, o.Identity, o.output.form}
			return nil
		}),
			"tokyo --identity key.txt -o markdown", [...]any{"tokyo", "latest", "key.txt", "markdown"}, ""},
		{newInit(a, func(_ context.Context, o *initOptions) error { got = [...]any{o.Dir, o.Site, o.Image}; return nil }),
			"fleet --site tokyo --image r.example/kiban", [...]any{"fleet", "tokyo", "r.example/kiban"}, ""},
		{newInit(a, nil), "a b", nil, "one folder at a time, not 2"},
		{newApply(a, func(_ context.Context, o *applyOptions) error {
			got = [...]any{o.Reviewed, o.Accept, o.Result}
			return nil
		}),
			"tokyo --reviewed r.json --accept-changes 0123456789ab --result x.json", [...]any{"r.json", "0123456789ab", "x.json"}, ""},
		{newApply(a, nil), "tokyo --reviewed r.json --plan x.plan", nil,
			"--reviewed makes a new plan and --plan carries out a saved one: choose"},
		{newCIReviewed(a, func(_ context.Context, o *ciReviewedOptions) error { got = [...]any{o.Sites, o.Out}; return nil }),
			"tokyo osaka --out reviewed", [...]any{[]string{"tokyo", "osaka"}, "reviewed"}, ""},
		{newCIReviewed(a, nil), "tokyo", nil, "where to? --out names the folder"},
		{newUnlock(a, func(_ context.Context, o *unlockOptions) error { got = [...]any{o.Site, o.Yes}; return nil }), "tokyo --yes",
			[...]any{"tokyo", true}, ""},
		{newTrust(a, func(_ context.Context, o *trustOptions) error {
			got = [...]any{o.Site, o.All, o.Yes, o.output.form}
			return nil
		}), "tokyo --all --yes -o json", [...]any{"tokyo", true, true, "json"}, ""},
		{newTrust(a, nil), "tokyo -o html", nil, "-o html is not a form of trust; it has text, json, yaml"},
		{newCINote(a, func(_ context.Context, o *ciNoteOptions) error {
			got = [...]any{o.Sites, o.Plans, o.Soak, o.Gone, o.Print}
			return nil
		}), "tokyo osaka --plans plans --soak soak --gone lisbon --gone porto --print",
			[...]any{[]string{"tokyo", "osaka"}, "plans", "soak", []string{"lisbon", "porto"}, true}, ""},
		{newCINote(a, nil), "tokyo", nil, "which plans? Name their folder with --plans"},
		{newCITell(a, func(_ context.Context, o *ciTellOptions) error {
			got = [...]any{o.Site, o.What, o.Plan, o.Result, o.Template, o.Print}
			return nil
		}), "tokyo ended --result r.json --template t.tmpl --print", [...]any{"tokyo", "ended", "", "r.json", "t.tmpl", true}, ""},
		{newCITell(a, nil), "tokyo started", nil, "started needs --plan FILE"},
		{newRender(a, func(_ context.Context, o *renderOptions) error { got = o.Site; return nil }), "tokyo", "tokyo", ""},
		{newValidate(a, func(_ context.Context, o *validateOptions) error { got = o.Sites; return nil }), "tokyo osaka",
			[]string{"tokyo", "osaka"}, ""},
		{newValidate(a, func(_ context.Context, o *validateOptions) error { got = [...]any{o.Fetch, o.Bundle}; return nil }),
			"tokyo --fetch --bundle x.bundle", [...]any{true, "x.bundle"}, ""},
		{newValidate(a, nil), "--bundle x.bundle", nil, "a bundle is of one site: name it"},
		{newPin(a, func(_ context.Context, o *pinOptions) error {
			got = [...]any{o.Sites, o.Check, o.AcceptChanged, o.output.form}
			return nil
		}), "tokyo osaka --check --accept-changed -o json", [...]any{[]string{"tokyo", "osaka"}, true, true, "json"}, ""},
		{newPin(a, nil), "-o html", nil, "-o html is not a form of pin; it has text, json, yaml"},
		{newBundle(a, func(_ context.Context, o *bundleOptions) error { got = [...]any{o.Site, o.Out, o.Arch}; return nil }),
			"tokyo -o x.bundle --arch amd64,arm64", [...]any{"tokyo", "x.bundle", []string{"amd64", "arm64"}}, ""},
		{newBundle(a, nil), "tokyo", nil, "where to? --out names the bundle's file"},
		{newSites(a, func(_ context.Context, o *sitesOptions) error {
			got = [...]any{o.Since, o.Changed, o.output.form}
			return nil
		}), "--changed-since main -o names", [...]any{"main", true, "names"}, ""},
		{newSites(a, func(_ context.Context, o *sitesOptions) error { got = [...]any{o.Since, o.Changed}; return nil }), "", [...]any{"", false},
			""},
		{newDiff(a, func(_ context.Context, o *diffOptions) error {
			got = [...]any{o.Site, o.From, o.To, o.Worktree, o.DetailedExitCode, o.output.form}
			return nil
		}), "tokyo --from a --to b --detailed-exitcode -o markdown", [...]any{"tokyo", "a", "b", false, true, "markdown"}, ""},
		{newDiff(a, func(_ context.Context, o *diffOptions) error { got = o.Worktree; return nil }), "tokyo --from a", true, ""},
		{newDiff(a, nil), "tokyo", nil, "from which revision?"},
		{newStatus(a, func(_ context.Context, o *statusOptions) error { got = [...]any{o.Site, o.output.form}; return nil }), "tokyo -o yaml",
			[...]any{"tokyo", "yaml"}, ""},
		{newCISoak(a, func(_ context.Context, o *ciSoakOptions) error {
			got = [...]any{o.Site, o.Record, o.output.form}
			return nil
		}), "tokyo --record -o json", [...]any{"tokyo", true, "json"}, ""},
		{newCIGate(a, func(_ context.Context, o *ciGateOptions) error { got = [...]any{o.Site, o.Soak}; return nil }), "tokyo --soak soak",
			[...]any{"tokyo", "soak"}, ""},
		{newKubeconfig(a, func(_ context.Context, o *kubeconfigOptions) error { got = o.Site; return nil }), "tokyo", "tokyo", ""},
		{newExplain(a, func(_ context.Context, o *explainOptions) error { got = o.Topic; return nil }), "gate", "gate", ""},
		{newVersion(a, func(_ context.Context, o *versionOptions) error { got = o.output.form; return nil }), "-o json", "json", ""},
	} {
		got = nil
		tt.cmd.SilenceErrors, tt.cmd.SilenceUsage = true, true
		tt.cmd.SetArgs(strings.Fields(tt.args))
		err := tt.cmd.ExecuteContext(t.Context())
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s %s: error %v, want %q", tt.cmd.Name(), tt.args, err, tt.err)
			}
			continue
		}
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s %s: got %v, %v; want %v", tt.cmd.Name(), tt.args, got, err, tt.want)
		}
	}
}
