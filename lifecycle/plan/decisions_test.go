package plan

import (
	"slices"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

func TestRoute(t *testing.T) {
	v1356, v137 := v("v1.35.6+k0s.0"), v("v1.37.1+k0s.0")
	for name, c := range map[string]struct {
		have   []lifecycle.Version
		target lifecycle.Version
		path   []lifecycle.Version
		want   []lifecycle.Version
		err    string
	}{
		"nothing there": {target: v136},
		"all there":     {have: []lifecycle.Version{v136, v136}, target: v136},
		"a patch":       {have: []lifecycle.Version{v1356}, target: v135, want: []lifecycle.Version{v135}},
		"a build":       {have: []lifecycle.Version{v("v1.36.3+k0s.1")}, target: v136, want: []lifecycle.Version{v136}},
		"a minor":       {have: []lifecycle.Version{v135}, target: v136, want: []lifecycle.Version{v136}},
		"a minor, a path not needed": {have: []lifecycle.Version{v1356}, target: v136, path: []lifecycle.Version{v135},
			want: []lifecycle.Version{v136}},
		"two minors": {have: []lifecycle.Version{v134}, target: v136, path: []lifecycle.Version{v135},
			want: []lifecycle.Version{v135, v136}},
		"two versions of a minor": {have: []lifecycle.Version{v134}, target: v136, path: []lifecycle.Version{v135, v1356},
			want: []lifecycle.Version{v1356, v135, v136}},
		"two minors, no path": {have: []lifecycle.Version{v134}, target: v136,
			err: "v1.34.10+k0s.0 -> v1.35 (no version declared) -> v1.36.3+k0s.2"},
		"three minors, one declared": {have: []lifecycle.Version{v134}, target: v137, path: []lifecycle.Version{v136},
			err: "v1.35 (no version declared) -> v1.36.3+k0s.2 -> v1.37.1+k0s.0"},
		"cut off in the first hop": {have: []lifecycle.Version{v135, v134}, target: v136, path: []lifecycle.Version{v135},
			want: []lifecycle.Version{v135, v136}},
		"cut off in the second hop": {have: []lifecycle.Version{v136, v135}, target: v136, path: []lifecycle.Version{v135},
			want: []lifecycle.Version{v136}},
		"a worker that was left behind":  {have: []lifecycle.Version{v136, v134}, target: v136, err: "v1.35 (no version declared)"},
		"a downgrade of the build":       {have: []lifecycle.Version{v136}, target: v("v1.36.3+k0s.1"), err: "would be a downgrade"},
		"a downgrade of one worker only": {have: []lifecycle.Version{v135, v136}, target: v135, err: "would be a downgrade"},
		"another major":                  {have: []lifecycle.Version{v136}, target: v("v2.0.0+k0s.0"), err: "another major"},
	} {
		have := map[string]lifecycle.Version{}
		for i, h := range c.have {
			have[string(rune('a'+i))] = h
		}
		got, problem := route(have, c.target, c.path)
		switch {
		case (problem != nil) != (c.err != ""):
			t.Errorf("%s: problem %v, want %q", name, problem, c.err)
		case problem != nil && !strings.Contains(problem.Error(), c.err):
			t.Errorf("%s: %v, want %q", name, problem, c.err)
		case !slices.Equal(got, c.want):
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestCondition(t *testing.T) {
	worker, controller := lifecycle.Host{Name: "w", Role: lifecycle.RoleWorker}, lifecycle.Host{Name: "c", Role: lifecycle.RoleController}
	known := facts{api: true, etcd: true, registered: true, inEtcd: true, serving: true, node: lifecycle.NodeState{Ready: true}}
	with := func(edit func(*facts)) facts {
		f := known
		edit(&f)
		return f
	}
	host := func(unit string, service lifecycle.ServiceState, binary, running lifecycle.Version) lifecycle.HostState {
		return lifecycle.HostState{ServiceName: unit, Service: service, Binary: binary, Running: running, Data: true}
	}
	none := lifecycle.Version{}
	up := host("k0sworker", lifecycle.ServiceRunning, v136, v136)
	for name, c := range map[string]struct {
		host lifecycle.Host
		seen lifecycle.HostState
		f    facts
		want Condition
	}{
		"unreachable":                         {worker, lifecycle.HostState{Problem: lifecycle.HostUnreachable}, known, Unreachable},
		"fresh":                               {worker, lifecycle.HostState{Binary: v136}, known, Fresh},
		"data without a unit":                 {worker, lifecycle.HostState{Data: true}, known, Remains},
		"no node":                             {worker, up, with(func(f *facts) { f.registered = false }), Unjoined},
		"no node, as far as is known":         {worker, up, facts{}, Well},
		"not in etcd":                         {controller, up, with(func(f *facts) { f.inEtcd, f.serving = false, false }), Unjoined},
		"not in etcd under its name, serving": {controller, up, with(func(f *facts) { f.inEtcd = false }), Well},
		"etcd unknown":                        {controller, up, with(func(f *facts) { f.etcd, f.inEtcd = false, false }), Well},
		"stopped, old":                        {worker, host("k0sworker", lifecycle.ServiceStopped, v135, none), known, Stopped},
		"failed, old":                         {worker, host("k0sworker", lifecycle.ServiceFailed, v135, none), known, Stopped},
		"stopped, replaced":                   {worker, host("k0sworker", lifecycle.ServiceStopped, v136, none), known, Replaced},
		"runs, replaced":                      {worker, host("k0sworker", lifecycle.ServiceRunning, v136, v135), known, Replaced},
		"starting":                            {worker, host("k0sworker", lifecycle.ServiceStarting, v136, none), known, Silent},
		"no status":                           {worker, host("k0sworker", lifecycle.ServiceRunning, v136, none), known, Silent},
		"behind":                              {worker, host("k0sworker", lifecycle.ServiceRunning, v135, v135), known, Behind},
		"not serving":                         {controller, up, with(func(f *facts) { f.serving = false }), NotServing},
		"not ready":                           {worker, up, with(func(f *facts) { f.node.Ready = false }), NotReady},
		"held":                                {worker, up, with(func(f *facts) { f.node.Mark.Run = "r1" }), Held},
		"well":                                {worker, up, known, Well},
	} {
		if got := condition(c.host, c.seen, c.f, v136); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestConfigChanges(t *testing.T) {
	for name, c := range map[string]struct {
		have, want string
		dynamic    bool
		changes    []string
	}{
		"the same, written otherwise": {have: `{"a":1,"b":[]}`, want: `{ "b":[], "a":1 }`},
		"a value": {have: `{"spec":{"network":{"provider":"kuberouter"}}}`,
			want: `{"spec":{"network":{"provider":"calico"}}}`, changes: []string{"spec.network.provider: kuberouter -> calico"}},
		"added and gone":    {have: `{"a":{"x":1}}`, want: `{"b":true}`, changes: []string{"a.x: 1 -> (none)", "b: (none) -> true"}},
		"a list of values":  {have: `{"sans":["a"]}`, want: `{"sans":["a","b"]}`, changes: []string{`sans: ["a"] -> ["a","b"]`}},
		"a list of objects": {have: `{"vs":[{"ip":"1"}]}`, want: `{"vs":[{"ip":"2"}]}`, changes: []string{"vs[0].ip: 1 -> 2"}},
		"a large number": {have: `{"n":9007199254740993}`, want: `{"n":9007199254740992}`,
			changes: []string{"n: 9007199254740993 -> 9007199254740992"}},
		"secrets": {have: `{"vrrp":{"authPass":"old"},"kine":{"dataSource":"mysql://u:p@h/db"}}`,
			want:    `{"vrrp":{"authPass":"new"},"kine":{"dataSource":"mysql://u:q@h/db"}}`,
			changes: []string{"kine.dataSource: (masked) changes", "vrrp.authPass: (masked) changes"}},
		"a credential in a URL": {have: `{"url":"a"}`, want: `{"url":"https://me:hunter2@h/"}`,
			changes: []string{"url: a -> https://(masked)@h/"}},
		"a credential in a flag": {have: `{"args":[]}`, want: `{"args":["--bearer-token=hunter2","--v=2"]}`,
			changes: []string{`args: [] -> ["--bearer-token=(masked)","--v=2"]`}},
		"a document in a value": {have: `{"v":"password: hunter1\n"}`, want: `{"v":"password: hunter2\n"}`,
			changes: []string{"v: (text) changes"}},
		"a credential in a field": {have: `{"v":"x"}`, want: `{"v":"adminPassword: hunter2"}`,
			changes: []string{"v: x -> adminPassword: (masked)"}},
		"a chart's values and a patch, in a line": {have: `{"spec":{"telemetry":{"enabled":true}}}`,
			want: `{"spec":{"extensions":{"helm":{"charts":[{"name":"a","values":"login: hunter2"}]}},` +
				`"network":{"coreDNS":{"patches":[{"patch":{"content":"hunter2"}}]}}}}`,
			changes: []string{"spec.extensions.helm.charts[0].name: (none) -> a", "spec.extensions.helm.charts[0].values: (masked) changes",
				"spec.network.coreDNS.patches[0].patch.content: (masked) changes", "spec.telemetry.enabled: true -> (none)"}},
		"dynamic, in the cluster": {have: `{"spec":{"network":{"provider":"a"},"api":{"port":1}}}`,
			want: `{"spec":{"network":{"provider":"b"},"api":{"port":2}}}`, dynamic: true,
			changes: []string{"spec.api.port: 1 -> 2"}},
		"unreadable": {have: `{`, want: `{"a":1}`, changes: []string{"k0s.yaml: (not readable) -> as declared"}},
		"absent":     {want: `{"a":1}`, changes: []string{"k0s.yaml: (none) -> as declared"}},
	} {
		site := newSite(v136, 1, 0, host("controller-1", config(c.want)), func(s *lifecycle.Site) { s.Cluster.DynamicConfig = c.dynamic })
		p := survey(site, lifecycle.State{Hosts: []lifecycle.HostState{{Name: "controller-1"}}})
		if c.have != "" {
			p.members[0].seen.Config, p.members[0].seen.ConfigDigest = []byte(clusterConfig(c.have)), "sha256:other"
		}
		if got := p.configChanges(p.members[0]); !slices.Equal(got, c.changes) {
			t.Errorf("%s: %q, want %q", name, got, c.changes)
		}
	}
	site := newSite(v136, 1, 0, host("controller-1", func(h *lifecycle.Host) { h.Config, h.ConfigDigest = nil, "" }))
	p := survey(site, lifecycle.State{Hosts: []lifecycle.HostState{{Name: "controller-1", Config: []byte(`{"a":1}`)}}})
	if got := p.configChanges(p.members[0]); got != nil {
		t.Errorf("left to k0s: %q", got)
	}
}

func TestArgumentChanges(t *testing.T) {
	m := &member{
		Host: lifecycle.Host{Arguments: []string{"--debug=true", "--labels=a=b", "--same=1"}},
		seen: lifecycle.HostState{ServiceName: "k0sworker", Arguments: []string{"--api-token=abc", "--same=1", "--taints=x"}},
	}
	if got, want := argumentChanges(m), []string{"- --api-token=(masked)", "+ --debug=true"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// A cluster that k0sctl made from a document without hostnames runs kubelets that were told no name. Where the machine has the declared
// one, they are as declared (H20).
func TestANameThatTheMachineHasAnyway(t *testing.T) {
	const named, both = "--kubelet-extra-args=--hostname-override=w", "--kubelet-extra-args=--hostname-override=w --node-ip=10.0.0.1"
	for name, c := range map[string]struct {
		hostname   string
		have, want []string
		changes    []string
	}{
		"not told":                      {"w", nil, []string{named}, nil},
		"no longer declared":            {"w", []string{named}, nil, nil},
		"not told, and another address": {"w", []string{"--kubelet-extra-args=--node-ip=10.0.0.1"}, []string{both}, nil},
		"no address":                    {"w", nil, []string{both}, []string{"+ " + both}},
		"another name": {"w", []string{"--kubelet-extra-args=--hostname-override=v"}, []string{named},
			[]string{"- --kubelet-extra-args=--hostname-override=v", "+ " + named}},
		"a name that it does not have": {"other", nil, []string{named}, []string{"+ " + named}},
	} {
		m := &member{Host: lifecycle.Host{Name: "w", Arguments: c.want},
			seen: lifecycle.HostState{Hostname: c.hostname, ServiceName: "k0sworker", Arguments: c.have}}
		if got := argumentChanges(m); !slices.Equal(got, c.changes) {
			t.Errorf("%s: %q, want %q", name, got, c.changes)
		}
	}
}
