package main

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// nodeFake is a site whose node plan is given; the task that it was made for is kept.
func nodeFake(p lifecycle.Plan, task *lifecycle.NodeTask) (*fakeSite, services) {
	f := &fakeSite{}
	s := f.services()
	f.planners.Node = func(_ lifecycle.Site, _ lifecycle.State, t lifecycle.NodeTask) lifecycle.Plan {
		*task = t
		return p
	}
	return f, s
}

func kibanWith(t *testing.T, s services, change func(*Streams), args ...string) result {
	t.Helper()
	return kibanIn(t, t.TempDir(), s, change, args...)
}

func kibanIn(t *testing.T, fleet string, s services, change func(*Streams), args ...string) result {
	t.Helper()
	var out, errs strings.Builder
	streams := Streams{In: strings.NewReader(""), Out: &out, Err: &errs, Getenv: func(string) string { return "" },
		Size: func() (int, int) { return 80, 24 }}
	if change != nil {
		change(&streams)
	}
	code := run(t.Context(), streams, append([]string{"--fleet", fleet}, args...), s)
	return result{code, out.String(), errs.String()}
}

// What the command line asks for is what is planned.
func TestNodeTasks(t *testing.T) {
	const boot = 15 * time.Minute
	for args, want := range map[string]lifecycle.NodeTask{
		"cordon lab worker-1 --reason fan": {Verb: lifecycle.NodeCordon, Host: "worker-1", Reason: "fan"},
		"uncordon lab Worker-1 --force":    {Verb: lifecycle.NodeUncordon, Host: "worker-1", Force: true},
		"maintain lab worker-1 --reboot":   {Verb: lifecycle.NodeReboot, Host: "worker-1", BootTimeout: boot, CommandTimeout: time.Hour},
		"maintain lab worker-1 -- apt -y up": {Verb: lifecycle.NodeMaintain, Host: "worker-1", Command: []string{"apt", "-y", "up"},
			BootTimeout: boot, CommandTimeout: time.Hour},
		"reboot lab worker-1 --boot-timeout 1m": {Verb: lifecycle.NodeReboot, Host: "worker-1", BootTimeout: time.Minute},
		"remove lab worker-1":                   {Verb: lifecycle.NodeRemove, Host: "worker-1"},
		"replace lab worker-1":                  {Verb: lifecycle.NodeReplace, Host: "worker-1"},
	} {
		var task lifecycle.NodeTask
		f, s := nodeFake(planOf("f", "worker-1/cordon"), &task)
		words := append([]string{"node"}, strings.Fields(strings.Replace(args, " lab ", " --yes lab ", 1))...)
		if r := kibanWith(t, s, nil, words...); r.code != 0 || len(f.applied) != 1 || !reflect.DeepEqual(task, want) {
			t.Errorf("%s: exit %d, applied %d, task %+v, want %+v\n%s", args, r.code, len(f.applied), task, want, r.err)
		}
	}
}

// A plan for one machine is confirmed, refused and empty as any other.
func TestNodeAsks(t *testing.T) {
	var task lifecycle.NodeTask
	f, s := nodeFake(planOf("f", "worker-1/cordon"), &task)
	if r := kibanWith(t, s, nil, "node", "cordon", "lab", "worker-1"); r.code != exitFailed || f.applied != nil ||
		!strings.Contains(r.err, "kiban node cordon lab worker-1 --yes") {
		t.Errorf("nobody to ask: exit %d, %s", r.code, r.err)
	}
	blocked := planOf("f", "worker-1/cordon")
	blocked.Diagnostics = lifecycle.Diagnostics{{Severity: lifecycle.SeverityBlocked, Summary: "an administrator has cordoned it"}}
	f, s = nodeFake(blocked, &task)
	if r := kibanWith(t, s, nil, "node", "uncordon", "lab", "worker-1", "--yes"); r.code != exitBlocked || f.applied != nil ||
		strings.Count(r.err, "Blocked: an administrator has cordoned it") != 1 ||
		!strings.HasSuffix(r.err, "\nBlocked: nothing is changed, because of what stands above: an administrator has cordoned it.\n") {
		t.Errorf("blocked: exit %d, %s", r.code, r.err)
	}
	f, s = nodeFake(planOf("f"), &task)
	if r := kibanWith(t, s, nil, "node", "uncordon", "lab", "worker-1"); r.code != 0 || f.applied != nil ||
		r.out != "worker-1 is in service already.\n" {
		t.Errorf("nothing to do: exit %d, %q", r.code, r.out)
	}
}

func TestNodeShow(t *testing.T) {
	var task lifecycle.NodeTask
	f, s := nodeFake(lifecycle.Plan{}, &task)
	f.state = lifecycle.State{Site: "lab",
		Hosts: []lifecycle.HostState{{Name: "worker-1", ServiceName: "k0sworker", Service: lifecycle.ServiceRunning, BootID: "b00t"}},
		Nodes: []lifecycle.NodeState{{Name: "stranger", Ready: true},
			{Name: "worker-1", Ready: true, Unschedulable: true, Mark: lifecycle.Mark{Run: "maintenance:r1", Reason: "fan"}}},
		Budgets: []lifecycle.Budget{{Namespace: "shop", Name: "web", Allowed: 1,
			Pods: []lifecycle.BudgetPod{{Name: "web-1", Node: "worker-1", Ready: true}, {Name: "web-2", Node: "worker-2"}}}}}
	r := kibanWith(t, s, nil, "node", "show", "lab", "worker-1")
	for _, want := range []string{"Ready, in maintenance", "maintenance:r1: fan", "b00t", "shop/web", "web-1",
		"kiban node uncordon lab worker-1"} {
		if !strings.Contains(r.out, want) {
			t.Errorf("no %q in\n%s%s", want, r.out, r.err)
		}
	}
	if strings.Contains(r.out, "web-2") || strings.Contains(r.out, "stranger") {
		t.Errorf("it tells of others:\n%s", r.out)
	}
	r = kibanWith(t, s, nil, "node", "list", "lab")
	if !strings.Contains(r.out, "stranger") || !strings.Contains(r.out, "undeclared") || strings.Count(r.out, "\n") != 4 {
		t.Errorf("list:\n%s%s", r.out, r.err)
	}
	var reports []struct {
		Name        string
		Maintenance bool
	}
	r = kibanWith(t, s, nil, "node", "list", "lab", "-o", "json")
	if err := json.Unmarshal([]byte(r.out), &reports); err != nil || len(reports) != 3 || reports[0].Maintenance || !reports[1].Maintenance {
		t.Errorf("list -o json: %v\n%s", err, r.out)
	}
	if r := kibanWith(t, s, nil, "node", "show", "lab", "worker-9"); r.code != exitFailed ||
		!strings.Contains(r.err, "no such machine or node") {
		t.Errorf("a stranger: exit %d, %s", r.code, r.err)
	}
}

// A plan that was made before the lock was there is made again under it; one that has become another is confirmed again. The lock is given
// up in the end, and says what it is held for.
func TestNodeLocks(t *testing.T) {
	for _, tt := range []struct {
		name  string
		plans []lifecycle.Plan
		in    string
		asked int
	}{
		{"nothing has changed", []lifecycle.Plan{planOf("f", "worker-1/drain"), planOf("f", "worker-1/drain")}, "yes\n", 1},
		{"something has", []lifecycle.Plan{planOf("f", "worker-1/cordon", "worker-1/drain"), planOf("g", "worker-1/drain")}, "yes\nyes\n", 2},
	} {
		f := &fakeSite{}
		s, made := f.services(), 0
		f.planners.Node = func(lifecycle.Site, lifecycle.State, lifecycle.NodeTask) lifecycle.Plan {
			made++
			return tt.plans[min(made, len(tt.plans))-1]
		}
		r := kibanWith(t, s, func(st *Streams) { st.InTTY, st.In = true, &oneLineAtATime{strings.NewReader(tt.in)} }, "node", "drain", "lab",
			"worker-1")
		if r.code != 0 || len(f.applied) != 1 || f.applied[0].FactsDigest != tt.plans[1].FactsDigest ||
			strings.Count(r.err, "Only 'yes'") != tt.asked {
			t.Errorf("%s: exit %d, applied %+v\n%s", tt.name, r.code, f.applied, r.err)
		}
		if len(f.claims) == 0 || f.claims[0].Lock.Doing != "node drain worker-1" || strings.Join(f.lockCalls, " ") != "await take release" {
			t.Errorf("%s: claims %+v, calls %q", tt.name, f.claims, f.lockCalls)
		}
	}
}

// oneLineAtATime is a terminal: a read gives a line and no more.
type oneLineAtATime struct{ r *strings.Reader }

func (o *oneLineAtATime) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		b, err := o.r.ReadByte()
		if err != nil {
			return n, err
		}
		p[n] = b
		if n++; b == '\n' {
			break
		}
	}
	return n, nil
}
