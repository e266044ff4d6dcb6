package fleet

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/promotion"
)

var (
	next136  = lifecycle.SoakVersion{Name: promotion.K0s, Version: "v1.36.3+k0s.2"}
	target   = lifecycle.Version{Major: 1, Minor: 36, Patch: 3, Build: 2}
	debian18 = Machine{Name: "w1", Role: lifecycle.RoleWorker, OS: "Debian 12", Kernel: "6.1.0-18", Arch: "amd64"}
	debian25 = Machine{Name: "w1", Role: lifecycle.RoleWorker, OS: "Debian 12", Kernel: "6.1.0-25", Arch: "amd64"}
)

// asked is a site that was asked an hour ago, with an upgrade to do.
func asked(name string, edit func(*Collected)) Collected {
	a := Asking{Site: name, At: noon.Add(-time.Hour)}
	c := a.begun()
	c.Declares(Declaration{Digest: "sha256:" + name})
	c.Standing = known(a, Standing{Site: name})
	c.Machines = known(a, []Machine{debian18})
	c.Drift = known(a, Drift{Steps: 4, Disrupts: 2, Brings: []lifecycle.SoakVersion{next136},
		Does: []lifecycle.Action{lifecycle.ActionDrain, lifecycle.ActionUpgrade}})
	c.Runs = known(a, []lifecycle.RunRecord{})
	if edit != nil {
		edit(&c)
	}
	return c
}

func done(c *Collected)   { c.Drift.Value = Drift{} }
func atWork(c *Collected) { c.Standing.Value.Run = "r7" }
func blocked(c *Collected) {
	c.Drift.Value.Stops = lifecycle.Diagnostics{lifecycle.Blockedf("w1", "no room")}
}
func silent(c *Collected) {
	*c = Asking{Site: c.Site, At: c.Asked}.Failed(lifecycle.Errorf("", "no route"))
}

// failed has the site's last run fail at an upgrade of a worker.
func failed(c *Collected) {
	c.Runs.Value = append([]lifecycle.RunRecord{{ID: "r-" + c.Site, Doing: "apply", Result: lifecycle.RunFailed,
		Ended: noon.Add(-2 * time.Hour),
		Failures: []lifecycle.Failure{{Action: lifecycle.ActionUpgrade, Role: lifecycle.RoleWorker, Machine: debian18.kind(), Version: target,
			Where: "w1", Why: "the kubelet does not start"}}}}, c.Runs.Value...)
}

// fleetOfSites are facts of sites named wave/site, each with what is special of it.
func fleetOfSites(sites map[string]func(*Collected)) Facts {
	f := Facts{Declared: map[string]lifecycle.Site{}, Known: map[string]Collected{}, Now: noon}
	for at, edit := range sites {
		var wave int
		var name string
		if _, err := fmt.Sscanf(at, "%d/%s", &wave, &name); err != nil {
			panic(err)
		}
		f.Declared[name] = lifecycle.Site{Name: name, Wave: wave, Digest: "sha256:" + name}
		f.Known[name] = asked(name, edit)
	}
	return f
}

// turns are the sites with their turns, "a: go, b: waits".
func turns(q Queue) string {
	var out []string
	for _, p := range q.Places {
		out = append(out, p.Site+": "+string(p.Turn))
	}
	return strings.Join(out, ", ")
}

func TestNext(t *testing.T) {
	type sites = map[string]func(*Collected)
	for _, tt := range []struct {
		name  string
		sites sites
		edit  func(*Facts)
		want  string
	}{
		{"a wave goes together", sites{"1/a": nil, "1/b": nil}, nil, "a: go, b: go"},
		{"the next waits for it", sites{"1/a": nil, "1/b": done, "2/c": nil}, nil, "a: go, b: done, c: waits"},
		{"and for one at work", sites{"1/a": atWork, "1/b": done, "2/c": nil}, nil, "a: running, b: done, c: waits"},
		{"through", sites{"1/a": done, "2/c": nil}, nil, "a: done, c: go"},
		{"one that is blocked keeps nobody, when another is through", sites{"1/a": blocked, "1/b": done, "2/c": nil}, nil,
			"a: blocked, b: done, c: go"},
		{"a wave of which none is through does", sites{"1/a": blocked, "1/b": silent, "2/c": nil, "3/d": nil}, nil,
			"a: blocked, b: unknown, c: waits, d: waits"},
		{"whatever a later one did", sites{"1/a": blocked, "2/b": done, "3/c": nil}, nil, "a: blocked, b: done, c: waits"},
		{"nothing was collected", sites{"1/a": nil}, func(f *Facts) { delete(f.Known, "a") }, "a: unknown"},
		{"collected too long ago", sites{"1/a": nil}, func(f *Facts) { f.Now = noon.Add(30 * time.Hour) }, "a: unknown"},
		{"an old green is not done", sites{"1/a": done}, func(f *Facts) { f.Now = noon.Add(30 * time.Hour) }, "a: unknown"},
		{"from the future", sites{"1/a": done}, func(f *Facts) { f.Now = noon.Add(-3 * time.Hour) }, "a: unknown"},
		{"declared otherwise since", sites{"1/a": done}, func(f *Facts) {
			f.Declared["a"] = lifecycle.Site{Name: "a", Wave: 1, Digest: "sha256:new"}
		}, "a: unknown"},
		{"one that can't be read is last, and keeps nobody", sites{"1/a": nil}, func(f *Facts) {
			f.Broken = map[string]string{"0broken": "this is not YAML"}
		}, "a: go, 0broken: unknown"},
		{"windows", sites{"1/a": nil, "2/b": nil}, func(f *Facts) {
			s := f.Declared["a"]
			s.Policy.Windows = []lifecycle.Window{{Start: 22 * 60, End: 23 * 60, TimeZone: "UTC"}}
			f.Declared["a"] = s
		}, "a: window, b: waits"},
		{"a window is no matter where nothing is disturbed", sites{"1/a": func(c *Collected) { c.Drift.Value.Disrupts = 0 }}, func(f *Facts) {
			s := f.Declared["a"]
			s.Policy.Windows = []lifecycle.Window{{Start: 22 * 60, End: 23 * 60, TimeZone: "UTC"}}
			f.Declared["a"] = s
		}, "a: go"},
		{"promotion", sites{"1/a": func(c *Collected) {
			done(c)
			c.Soak = known(Asking{At: c.Asked}, lifecycle.Soak{Format: lifecycle.SoakFormat, Site: "a", Observed: c.Asked, Healthy: true,
				Versions: []lifecycle.SoakVersion{{Name: promotion.K0s, Version: next136.Version, Since: c.Asked.Add(-5 * time.Hour), Runs: true}}})
		}, "2/b": nil, "2/c": nil}, func(f *Facts) {
			s := f.Declared["b"]
			s.Promotion = lifecycle.Promotion{From: []string{"a"}, Soak: 72 * time.Hour}
			f.Declared["b"] = s
		}, "a: done, b: waits, c: go"},
	} {
		f := fleetOfSites(tt.sites)
		if tt.edit != nil {
			tt.edit(&f)
		}
		q := Next(f)
		if got := turns(q); got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.name, got, tt.want)
		}
		for _, p := range q.Places {
			if p.Why == "" || p.Turn == TurnUnknown && p.Hint == "" {
				t.Errorf("%s: %s does not say why, or what to do", tt.name, p.Site)
			}
		}
		if again := Next(f); !reflect.DeepEqual(q, again) {
			t.Errorf("%s: asked again it is another", tt.name)
		}
	}
}

// A site that waits says for whom, and until when where that is known.
func TestNextSaysUntilWhen(t *testing.T) {
	f := fleetOfSites(map[string]func(*Collected){"1/a": func(c *Collected) {
		done(c)
		c.Soak = known(Asking{At: c.Asked}, lifecycle.Soak{Format: lifecycle.SoakFormat, Site: "a", Observed: c.Asked, Healthy: true,
			Versions: []lifecycle.SoakVersion{{Name: promotion.K0s, Version: next136.Version, Since: noon.Add(-31 * time.Hour), Runs: true}}})
	}, "2/b": nil})
	s := f.Declared["b"]
	s.Promotion = lifecycle.Promotion{From: []string{"a"}, Soak: 72 * time.Hour}
	f.Declared["b"] = s
	p := Next(f).Of(TurnWaits)
	if len(p) != 1 || !slices.Equal(p[0].For, []string{"a"}) || !p[0].Until.Equal(noon.Add(41*time.Hour)) ||
		!strings.Contains(p[0].Why, "a has run k0s v1.36.3+k0s.2, healthy, for 30h of 72h") {
		t.Errorf("%+v", p)
	}
}

// TestHolds: a failure holds the sites that it may befall, too, and lets the others go.
func TestHolds(t *testing.T) {
	addon := func(c *Collected) {
		c.Declared.Value.Addons = []DeclaredAddon{{Name: "metallb", Chart: "metallb", Version: "0.16.2"}}
		c.Drift.Value = Drift{Steps: 1, Does: []lifecycle.Action{lifecycle.ActionApply},
			Brings: []lifecycle.SoakVersion{{Name: promotion.Chart("metallb"), Version: "0.16.2"}}}
	}
	addonFailed := func(c *Collected) {
		addon(c)
		failed(c)
		c.Runs.Value[0].Failures = []lifecycle.Failure{{Action: lifecycle.ActionApply, Unit: "addon/metallb", Where: "addon/metallb",
			Why: "not ready"}}
	}
	own := func(c *Collected) { failed(c); c.Runs.Value[0].Failures = nil }
	for _, tt := range []struct {
		name  string
		first func(*Collected) // the site that failed
		other func(*Collected)
		lifts []lifecycle.Lift
		want  string
	}{
		{"the same kind of machine and version", failed, nil, nil, "a: held, b: held"},
		{"another kernel", failed, func(c *Collected) { c.Machines.Value = []Machine{debian25} }, nil, "a: held, b: go"},
		{"one of many machines is of that kind", failed, func(c *Collected) { c.Machines.Value = []Machine{debian25, debian18} }, nil,
			"a: held, b: held"},
		{"a machine that did not answer may be", failed, func(c *Collected) {
			c.Machines.Value = []Machine{debian25, {Name: "w2", Role: lifecycle.RoleWorker, Problem: "no route"}}
		}, nil, "a: held, b: held"},
		{"only a controller is of that kind", failed, func(c *Collected) {
			c.Machines.Value = []Machine{debian25, {Name: "c1", Role: lifecycle.RoleController, OS: "Debian 12", Kernel: "6.1.0-18",
				Arch: "amd64"}}
		}, nil, "a: held, b: go"},
		{"another version", failed, func(c *Collected) { c.Drift.Value.Brings[0].Version = "v1.36.4+k0s.0" }, nil, "a: held, b: go"},
		{"machines are not known", failed, func(c *Collected) { c.Machines = Part[[]Machine]{Unknown: "no route"} }, nil, "a: held, b: held"},
		{"it was only in the way", func(c *Collected) { failed(c); c.Runs.Value[0].Result = lifecycle.RunBlocked }, nil, nil, "a: go, b: go"},
		{"a later run went through", func(c *Collected) {
			failed(c)
			c.Runs.Value = append([]lifecycle.RunRecord{{ID: "r9", Doing: "apply", Result: lifecycle.RunDone}}, c.Runs.Value...)
		}, nil, nil, "a: go, b: go"},
		{"a backup since is no word", func(c *Collected) {
			failed(c)
			c.Runs.Value = append([]lifecycle.RunRecord{{ID: "r9", Doing: "backup", Result: lifecycle.RunDone}}, c.Runs.Value...)
		}, nil, nil, "a: held, b: held"},
		{"a failure of its own", own, nil, nil, "a: held, b: go"},
		{"an addon at the same version", addonFailed, addon, nil, "a: held, b: held"},
		{"an addon at another version", addonFailed, func(c *Collected) { addon(c); c.Drift.Value.Brings[0].Version = "0.16.3" }, nil,
			"a: held, b: go"},
		{"an addon does not hold upgrades", addonFailed, nil, nil, "a: held, b: go"},
		{"lifted", failed, nil, []lifecycle.Lift{{At: noon.Add(-time.Hour)}}, "a: go, b: go"},
		{"lifted before it happened again", failed, nil, []lifecycle.Lift{{At: noon.Add(-3 * time.Hour)}}, "a: held, b: held"},
		{"a lift that is still to come", failed, nil, []lifecycle.Lift{{At: noon.Add(time.Hour)}}, "a: held, b: held"},
	} {
		f := fleetOfSites(map[string]func(*Collected){"1/a": tt.first, "1/b": tt.other})
		for _, l := range tt.lifts {
			l.Failure = Holds(f.Known, nil, noon)[0].Fingerprint
			f.Lifts = append(f.Lifts, l)
		}
		q := Next(f)
		if got := turns(q); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
		for _, p := range q.Of(TurnHeld) {
			if !slices.Equal(p.For, []string{"a"}) || !strings.Contains(p.Hint, p.Hold) || p.Hold == "" {
				t.Errorf("%s: %+v", tt.name, p)
			}
		}
	}
}

// Failures that are alike are one hold, whatever the sites' names.
func TestHoldsTogether(t *testing.T) {
	f := fleetOfSites(map[string]func(*Collected){"1/a": failed, "1/b": failed, "1/c": func(c *Collected) {
		failed(c)
		c.Runs.Value[0].Failures[0].Why = "the filesystem is full"
	}})
	holds := Holds(f.Known, nil, noon)
	if len(holds) != 2 {
		t.Fatalf("%+v", holds)
	}
	for _, h := range holds {
		if got := strings.Join(h.sites(), ","); got != "a,b" && got != "c" {
			t.Errorf("%s", got)
		}
	}
}

func BenchmarkNext(b *testing.B) {
	sites := map[string]func(*Collected){}
	for i := range 3500 {
		edit := []func(*Collected){nil, done, failed, blocked}[i%4]
		sites[fmt.Sprintf("%d/site-%d", i%5, i)] = edit
	}
	f := fleetOfSites(sites)
	for b.Loop() {
		if len(Next(f).Places) != 3500 {
			b.Fatal("some are missing")
		}
	}
}
