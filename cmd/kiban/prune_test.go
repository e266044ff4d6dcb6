package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/review"
	"kiban.dev/kiban/lifecycle/supply"
)

// leaving is a plan that deletes two tenants with their data, and does something else besides.
func leaving() lifecycle.Plan {
	p := planOf("f", "worker-1/upgrade")
	namespaces := func(names ...string) (out []lifecycle.ObjectChange) {
		for _, n := range names {
			out = append(out, lifecycle.ObjectChange{ObjectRef: lifecycle.ObjectRef{APIVersion: "v1", Kind: "Namespace", Name: n},
				Change: lifecycle.ChangeDelete})
		}
		return out
	}
	p.Steps = append(p.Steps,
		lifecycle.Step{ID: "tenant/product-a/prune", Stage: p.Steps[0].Stage, Action: lifecycle.ActionPrune, Target: "tenant/product-a",
			Reason: "it has left", Objects: namespaces("product-a", "product-a-jobs")},
		lifecycle.Step{ID: "tenant/product-b/prune", Stage: p.Steps[0].Stage, Action: lifecycle.ActionPrune, Target: "tenant/product-b",
			Reason: "it has left", Objects: namespaces("product-b")})
	return p
}

// Deleting tenants with their data takes more than a yes: their names, all of them, as the question has them.
func TestPruningTenantsAsksForTheirNames(t *testing.T) {
	for _, tt := range []struct {
		name, answer string
		args         []string
		applied      bool
	}{
		{"a yes is too quickly said", "yes\n", nil, false},
		{"nothing", "\n", nil, false},
		{"one of two", "product-a\n", nil, false},
		{"another order", "product-b product-a\n", nil, false},
		{"the terminal goes away", "", nil, false},
		{"the names", "product-a product-b\n", nil, true},
		{"the names, spaced", "  product-a   product-b \n", nil, true},
		{"said beforehand", "", []string{"--yes"}, true},
	} {
		f := &fakeSite{plans: []lifecycle.Plan{leaving()}}
		at := func(s *Streams) { s.InTTY, s.In = true, strings.NewReader(tt.answer) }
		r := f.kiban(t, t.TempDir(), at, append([]string{"apply", "lab", "--prune-tenants"}, tt.args...)...)
		if (len(f.applied) == 1) != tt.applied || (r.code == exitDone) != tt.applied {
			t.Errorf("%s: exit %d, applied %d times\n%s", tt.name, r.code, len(f.applied), r.err)
		}
		const question = "This deletes, with all data in them:\ntenant product-a: 2 namespaces product-a, product-a-jobs\n" +
			"tenant product-b: 1 namespace product-b\nTo carry it out, type the names of these tenants (product-a product-b): "
		if asked := strings.Contains(r.err, question); asked != (tt.args == nil) {
			t.Errorf("%s: asked is %v\n%s", tt.name, asked, r.err)
		}
		if !tt.applied && !strings.Contains(r.err, "not confirmed: nothing was changed") {
			t.Errorf("%s: does not say that nothing was changed\n%s", tt.name, r.err)
		}
	}
}

// Without a terminal nobody is asked and nothing is done, and the way to do it is named.
func TestPruningTenantsUnattended(t *testing.T) {
	f := &fakeSite{plans: []lifecycle.Plan{leaving()}}
	r := f.kiban(t, t.TempDir(), nil, "apply", "lab", "--prune-tenants")
	if r.code != exitFailed || f.applied != nil || !strings.Contains(r.err, "kiban apply lab --prune-tenants --yes") {
		t.Errorf("exit %d, applied %d times\n%s", r.code, len(f.applied), r.err)
	}
}

// A saved plan that deletes tenants is carried out only when that is said once more; then nobody is asked, as with any saved plan.
func TestPruningTenantsOfASavedPlan(t *testing.T) {
	p := leaving()
	p.Site = "lab"
	file := filepath.Join(t.TempDir(), "lab.plan")
	if err := review.Save(file, p, supply.Built().Version, time.Now()); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args    []string
		applied bool
	}{{nil, false}, {[]string{"--yes"}, false}, {[]string{"--prune-tenants"}, true}} {
		f := &fakeSite{plans: []lifecycle.Plan{p}}
		r := f.kiban(t, t.TempDir(), nil, append([]string{"apply", "lab", "--plan", file}, tt.args...)...)
		if (len(f.applied) == 1) != tt.applied || !tt.applied && !strings.Contains(r.err, "kiban apply lab --plan "+file+" --prune-tenants") {
			t.Errorf("%v: exit %d, applied %d times\n%s", tt.args, r.code, len(f.applied), r.err)
		}
	}
}
