package plan

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// change is a site before and after an edit of its declaration, and what else befell it.
type scenario struct {
	name     string
	from, to lifecycle.Site
	// fresh: there is no cluster yet. befall changes the world before the plan.
	fresh  bool
	befall func(*world)
}

func scenarios() []scenario {
	workerArg := eachHost(lifecycle.RoleWorker, argument("--profile=dense"))
	controllerArg := eachHost(lifecycle.RoleController, argument("--feature-gates=IPv6SingleStack=true"))
	newConfig := eachHost(lifecycle.RoleController, config(`{"spec":{"network":{"provider":"kuberouter"},"telemetry":{"enabled":false}}}`))
	newFiles := eachHost(lifecycle.RoleController, edits(file("/etc/k0s/audit.yaml", "2", true), file("/etc/motd", "2", false)))
	workerFiles := eachHost(lifecycle.RoleWorker, edits(file("/etc/k0s/kubelet.yaml", "2", true), file("/etc/motd", "2", false)))
	oldFiles := eachHost(lifecycle.RoleController, file("/etc/k0s/audit.yaml", "1", true))
	named := eachHost(lifecycle.RoleController, argument("--policy-file=/etc/k0s/audit.yaml"))
	namedToo := eachHost(lifecycle.RoleWorker, argument("--kubelet-file=/etc/k0s/kubelet.yaml"))
	mixed := host("controller-1", role(lifecycle.RoleControllerWorker))
	formerForm := eachHost(lifecycle.RoleWorker, file(mirrorFile, "old", true))
	newForm := eachHost(lifecycle.RoleWorker, edits(file(mirrorFile, "new", true), since136))
	newForms := eachHost(lifecycle.RoleController, edits(file(mirrorFile, "new", false), since136))
	cordon := func(w *world) { w.nodes["worker-2"].Unschedulable = true }
	return []scenario{
		{name: "bootstrap of one and one", fresh: true, to: newSite(v136, 1, 1)},
		{name: "bootstrap", fresh: true, to: newSite(v136, 3, 4)},
		{name: "bootstrap with a controller that works", fresh: true, to: newSite(v136, 3, 1, mixed)},
		{name: "bootstrap of a single node", fresh: true, to: newSite(v136, 1, 0, host("controller-1", role(lifecycle.RoleSingle)))},
		{name: "upgrade", from: newSite(v135, 3, 4), to: newSite(v136, 3, 4)},
		{name: "upgrade of one and two", from: newSite(v135, 1, 2), to: newSite(v136, 1, 2)},
		{name: "upgrade of a single node", from: newSite(v135, 1, 0, host("controller-1", role(lifecycle.RoleSingle))),
			to: newSite(v136, 1, 0, host("controller-1", role(lifecycle.RoleSingle)))},
		{name: "upgrade with a controller that works", from: newSite(v135, 3, 2, mixed), to: newSite(v136, 3, 2, mixed)},
		{name: "upgrade over two minors", from: newSite(v134, 3, 3), to: newSite(v136, 3, 3, path(v135))},
		{name: "upgrade with an administrator's cordon", from: newSite(v135, 1, 3), to: newSite(v136, 1, 3), befall: cordon},
		{name: "upgrade with new config and arguments", from: newSite(v135, 3, 3), to: newSite(v136, 3, 3, newConfig, controllerArg, workerArg)},
		{name: "two minors with new config and arguments", from: newSite(v134, 1, 2),
			to: newSite(v136, 1, 2, path(v135), newConfig, controllerArg, workerArg)},
		{name: "config", from: newSite(v136, 3, 1), to: newSite(v136, 3, 1, newConfig)},
		{name: "arguments", from: newSite(v136, 3, 3), to: newSite(v136, 3, 3, controllerArg, workerArg), befall: cordon},
		{name: "config and arguments", from: newSite(v136, 3, 1), to: newSite(v136, 3, 1, newConfig, controllerArg)},
		{name: "bootstrap with files", fresh: true, to: newSite(v136, 3, 2, newFiles, workerFiles, named, namedToo)},
		{name: "files", from: newSite(v136, 3, 3, oldFiles), to: newSite(v136, 3, 3, newFiles, workerFiles), befall: cordon},
		{name: "files of a controller that works", from: newSite(v136, 3, 1, mixed),
			to: newSite(v136, 3, 1, mixed, host("controller-1", file("/etc/k0s/audit.yaml", "2", true)))},
		{name: "files, config and arguments", from: newSite(v136, 3, 2, oldFiles),
			to: newSite(v136, 3, 2, newFiles, workerFiles, newConfig, named, namedToo)},
		{name: "files and config", from: newSite(v136, 3, 1, oldFiles), to: newSite(v136, 3, 1, newFiles, newConfig)},
		{name: "files and an upgrade", from: newSite(v135, 3, 2, oldFiles), to: newSite(v136, 3, 2, newFiles, workerFiles)},
		{name: "files and an upgrade over two minors", from: newSite(v134, 3, 2, oldFiles),
			to: newSite(v136, 3, 2, path(v135), newFiles, workerFiles, namedToo)},
		{name: "files of a version and an upgrade", from: newSite(v135, 1, 3, formerForm), to: newSite(v136, 1, 3, newForm, workerFiles)},
		{name: "files of a version, arguments and an upgrade over two minors", from: newSite(v134, 1, 2, formerForm),
			to: newSite(v136, 1, 2, path(v135), newForm, workerArg)},
		{name: "files of a version, new hosts and an upgrade", from: newSite(v135, 1, 1, formerForm), to: newSite(v136, 1, 2, newForm)},
		{name: "files of a version and a controller that works", from: newSite(v135, 1, 1, mixed, formerForm),
			to: newSite(v136, 1, 1, mixed, newForm, newForms, newConfig)},
		{name: "files of a version, later", from: newSite(v136, 1, 2), to: newSite(v136, 1, 2, newForm, workerArg)},
		{name: "files and new hosts", from: newSite(v136, 1, 1), to: newSite(v136, 3, 2, newFiles, workerFiles)},
		{name: "new hosts", from: newSite(v136, 1, 1), to: newSite(v136, 3, 3)},
		{name: "new hosts and an upgrade", from: newSite(v135, 1, 1), to: newSite(v136, 3, 3)},
		{name: "removals", from: newSite(v136, 5, 3), to: newSite(v136, 5, 3, host("controller-2", reset), host("controller-5", reset),
			host("worker-1", reset))},
		{name: "removals and an upgrade", from: newSite(v135, 4, 3),
			to: newSite(v136, 4, 3, host("controller-4", reset), host("worker-1", reset)), befall: cordon},
		{name: "removal of a controller that works", from: newSite(v136, 4, 1, host("controller-4", role(lifecycle.RoleControllerWorker))),
			to: newSite(v136, 4, 1, host("controller-4", role(lifecycle.RoleControllerWorker)), host("controller-4", reset))},
	}
}

func (s scenario) world(t *testing.T) *world {
	t.Helper()
	if s.fresh {
		return freshWorld(s.to)
	}
	w := built(t, s.from)
	if s.befall != nil {
		s.befall(w)
	}
	w.declare(s.to)
	return w
}

// TestResume: an apply that is cut off anywhere, by parts of actions, and run again reaches the same end, whatever order targets of a
// stage are worked in; and nothing that must always hold is broken on the way. (H8, H24)
func TestResume(t *testing.T) {
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			start := s.world(t)
			whole := start.clone()
			converge(t, whole, serial)
			want := whole.String()
			for seed := range uint64(4) {
				for limit := 1; ; limit++ {
					pick := rand.New(rand.NewPCG(seed, uint64(limit))).IntN
					if seed == 0 {
						pick = serial
					}
					w := start.clone()
					_, done := w.execute(t, makePlan(w.site, w.observe()), pick, limit)
					if done {
						break
					}
					resume(t, w, pick, want, fmt.Sprintf("seed %d, cut off after %d parts", seed, limit))
				}
			}
		})
	}
}

// resume cuts the second run off as well, then goes through to the end.
func resume(t *testing.T, w *world, pick func(int) int, want, where string) {
	t.Helper()
	at := w.String()
	second := makePlan(w.site, w.observe())
	if err := second.Diagnostics.Err(); err != nil {
		t.Fatalf("%s: refused: %v\n%s", where, err, at)
	}
	w.execute(t, second, pick, 1+pick(12))
	converge(t, w, pick)
	if got := w.String(); got != want {
		t.Fatalf("%s: another end.\ncut off at:\n%s\nplan then:\n%s\ngot:\n%s\nwant:\n%s", where, at, outline(second), got, want)
	}
	if t.Failed() {
		t.Fatalf("%s; cut off at:\n%s\nplan then:\n%s", where, at, outline(second))
	}
}

// TestAnyState: whatever mixture of interrupted states the members are in, one or a few plans bring them to what is declared, and nothing
// that must always hold is broken on the way.
func TestAnyState(t *testing.T) {
	controllers := eachHost(lifecycle.RoleController, file("/etc/k0s/audit.yaml", "1", true))
	workers := eachHost(lifecycle.RoleWorker, edits(file("/etc/k0s/kubelet.yaml", "1", true), file("/etc/motd", "1", false)))
	base := map[bool]*world{false: built(t, newSite(v135, 3, 4, controllers, workers)),
		true: built(t, newSite(v136, 3, 4, controllers, workers))}
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 99))
		upgraded := seed%3 == 0 // the control plane already is
		w := base[upgraded].clone()
		w.declare(newSite(v136, 3, 4, controllers, workers))
		var befell []string
		for _, h := range w.site.Cluster.Hosts {
			bs := befallings(h, upgraded)
			b := bs[r.IntN(len(bs))]
			befell = append(befell, h.Name+": "+b.name)
			b.do(w, h.Name)
		}
		before := w.String()
		closed := map[string]bool{}
		for name, n := range w.nodes {
			closed[name] = n.Unschedulable && n.Mark.IsZero()
		}
		converge(t, w, r.IntN)
		for _, h := range w.site.Cluster.Hosts {
			s, n := w.hosts[h.Name], w.nodes[h.Name]
			if s.Running != v136 || s.Token || len(s.Staged) > 0 || !s.Former.IsZero() {
				t.Errorf("%s ends with %s, token %t, staged %v, former %s", h.Name, s.Running, s.Token, s.Staged, s.Former)
			}
			if n != nil && (!n.Ready || n.Unschedulable != closed[h.Name] || !n.Mark.IsZero()) {
				t.Errorf("%s ends as %+v", h.Name, *n)
			}
		}
		if t.Failed() {
			t.Fatalf("seed %d: %q\n%s", seed, befell, before)
		}
	}
}

type befalling struct {
	name string
	do   func(w *world, h string)
}

// befallings are the states that a host may be in before a plan, for a control plane that is or is not at the declared version.
func befallings(h lifecycle.Host, upgraded bool) []befalling {
	stop := func(w *world, h string) {
		w.drained[h] = true
		w.stop(h)
	}
	mark := func(w *world, h string) {
		w.nodes[h].Unschedulable, w.nodes[h].Mark = true, lifecycle.Mark{Run: "an earlier one"}
	}
	closed := func(w *world, h string) { w.nodes[h].Unschedulable = true }
	replace := func(w *world, h string) { w.hosts[h].Binary = v136 }
	old := func(w *world, h string) {
		w.hosts[h].Binary = v135
		if !w.hosts[h].Running.IsZero() {
			w.hosts[h].Running = v135
			if w.nodes[h] != nil {
				w.nodes[h].Kubelet = v135.Kubelet()
			}
		}
	}
	token := func(w *world, h string) { w.hosts[h].Token = true }
	staged := func(w *world, h string) { w.hosts[h].Staged = []lifecycle.Version{v134, v136} }
	kept := func(w *world, h string) { w.hosts[h].Former = v135 }
	noUnit := func(w *world, h string) {
		w.hosts[h].ServiceName, w.hosts[h].Arguments, w.hosts[h].Service = "", nil, lifecycle.ServiceAbsent
	}
	args := func(w *world, h string) { w.hosts[h].Arguments = []string{"--debug=true"} }
	fileless := func(w *world, h string) { w.hosts[h].Files = nil }
	failed := func(w *world, h string) { w.hosts[h].Service = lifecycle.ServiceFailed }
	silent := func(w *world, h string) {
		w.hosts[h].Running, w.hosts[h].Service = lifecycle.Version{}, lifecycle.ServiceStarting
	}
	unregistered := func(w *world, h string) { delete(w.nodes, h) }
	all := func(does ...func(*world, string)) func(*world, string) {
		return func(w *world, h string) {
			for _, do := range does {
				do(w, h)
			}
		}
	}
	out := []befalling{
		{"nothing", all()},
		{"a token on disk", token},
		{"binaries staged", staged},
		{"stopped", stop},
		{"stopped, old binary", all(old, stop)},
		{"failed", all(stop, failed)},
		{"silent", silent},
		{"crashing", all(stop, silent)},
		{"crashing, binary replaced", all(stop, replace, silent)},
		{"stopped, binary replaced", all(stop, replace)},
		{"binary replaced", replace},
		{"stopped, no unit", all(stop, noUnit)},
		{"other arguments", args},
		{"stopped, other arguments", all(stop, args)},
		{"no files", fileless},
		{"stopped, no files", all(stop, fileless)},
		{"crashing, no files", all(stop, silent, fileless)},
		{"other arguments, no files", all(args, fileless)},
	}
	if h.Role != lifecycle.RoleWorker {
		return out
	}
	out = append(out, []befalling{
		{"cordoned by kiban", mark},
		{"former kept", kept},
		{"former kept, cordoned by kiban", all(kept, mark)},
		{"former kept, stopped, binary replaced, cordoned by kiban", all(kept, mark, stop, replace)},
		{"former kept, crashing, binary replaced, cordoned by kiban", all(kept, mark, stop, replace, silent)},
		{"former kept, not joined", all(kept, stop, unregistered)},
		{"cordoned by an administrator", closed},
		{"cordoned by an administrator, stopped", all(closed, stop)},
		{"cordoned by an administrator, stopped, binary replaced", all(closed, stop, replace)},
		{"marked but uncordoned", func(w *world, h string) { w.nodes[h].Mark = lifecycle.Mark{Run: "an earlier one"} }},
		{"cordoned by kiban, stopped", all(mark, stop)},
		{"cordoned by kiban, crashing, binary replaced", all(mark, stop, replace, silent)},
		{"cordoned by kiban, stopped, binary replaced", all(mark, stop, replace)},
		{"cordoned by kiban, stopped, no unit", all(mark, stop, noUnit)},
		{"cordoned by kiban, no files", all(mark, fileless)},
		{"cordoned by an administrator, no files", all(closed, fileless)},
		{"cordoned by kiban, stopped, binary replaced, no unit", all(mark, stop, replace, noUnit)},
		{"no node", unregistered},
		{"no node, stopped", all(stop, unregistered)},
	}...)
	if upgraded {
		out = append(out, []befalling{{"old", old}, {"old, cordoned by kiban", all(old, mark)},
			{"old, cordoned by kiban, stopped", all(old, mark, stop)}}...)
	}
	return out
}
