package readiness

import (
	"slices"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// A known risk is told about what it concerns, with what was seen; one that nothing points to is not.
func TestKnownRisks(t *testing.T) {
	in := Input{Site: lifecycle.Site{Name: "lab"}, Target: lifecycle.Version{Major: 1, Minor: 36, Patch: 3, Build: 2}, Now: now}
	v135 := lifecycle.Version{Major: 1, Minor: 35, Patch: 7}
	for _, name := range []string{"w1", "w2"} {
		in.Site.Cluster.Hosts = append(in.Site.Cluster.Hosts, lifecycle.Host{Name: name, Role: lifecycle.RoleWorker})
		in.State.Hosts = append(in.State.Hosts, lifecycle.HostState{Name: name, ServiceName: "k0sworker", Binary: v135, Running: v135,
			Kernel: "6.1.0"})
	}
	find := func(rule string) (f lifecycle.ReadinessFinding) {
		for _, found := range Check(in).Findings {
			if found.Rule == rule {
				f = found
			}
		}
		return f
	}
	if f := find("k0s-containerd-drop-ins"); f.Rule != "" {
		t.Errorf("without a drop-in: %+v", f)
	}
	in.State.Hosts[1].DropIns = []lifecycle.DropIn{{Path: "/etc/k0s/containerd.d/a.toml", Form: 2}}
	f := find("k0s-containerd-drop-ins")
	if f.Rank != lifecycle.RankBlocks || f.Subject != "w2" || f.Breaks != "v1.36" || f.Remedy == "" ||
		!strings.Contains(strings.Join(f.Seen, "\n"), "w2: /etc/k0s/containerd.d/a.toml is of `version = 2`") {
		t.Errorf("with one: %+v", f)
	}
	in.Site.Cluster.Hosts[1].Arguments = []string{"--cri-socket=remote:/run/crio/crio.sock"}
	if f := find("k0s-containerd-drop-ins"); f.Rule != "" {
		t.Errorf("on a machine with a runtime of its own: %+v", f)
	}
	in.Site.Cluster.Hosts[1].Arguments = nil
	in.State.Hosts[0].DropIns = in.State.Hosts[1].DropIns
	if f := find("k0s-containerd-drop-ins"); f.Subject != "lab" {
		t.Errorf("on two machines it is about %s", f.Subject)
	}
	in.Site.Addons = []lifecycle.Addon{{Name: "lb", Chart: &lifecycle.Chart{Name: "metallb", Version: "0.15.3"}}}
	in.Site.Objects = []lifecycle.Document{{Kind: "BGPPeer", Name: "router"}}
	if f := find("metallb-as-numbers"); f.Subject != "addon lb" || f.Owner != "addon lb" {
		t.Errorf("of a chart: %+v", f)
	}
}

// A fleet's own risk counts like kiban's, one of the same name takes its place, and a file with a mistake is a finding with its line.
func TestOwnRisks(t *testing.T) {
	const own = "id: our-storage\ntitle: our storage stops\nabout: storage\nrank: needs attention\nto: {since: v1.37}\n" +
		"consequence: It stops.\nremedy: Upgrade it.\nsources: [https://storage.example/]\n"
	again := strings.NewReplacer("our-storage", "kubernetes-selinux-mount", "our storage stops", "we have tried it").Replace(own)
	v136 := lifecycle.Version{Major: 1, Minor: 36, Patch: 3, Build: 2}
	in := Input{Site: lifecycle.Site{Name: "lab"}, Target: lifecycle.Version{Major: 1, Minor: 37, Patch: 1}, Now: now}
	in.State.Hosts = []lifecycle.HostState{{Name: "c1", ServiceName: "k0scontroller", Binary: v136, Running: v136}}
	in.Evidence.Risks = &lifecycle.Answer[[]lifecycle.RiskFile]{Value: []lifecycle.RiskFile{
		{Path: "risks/our-storage.yaml", Text: []byte(own)}, {Path: "risks/kubernetes-selinux-mount.yaml", Text: []byte(again)},
		{Path: "risks/broken.yaml", Text: []byte(strings.Replace(own, "rank: needs attention", "rank: awful", 1))}}}
	got := map[string]lifecycle.ReadinessFinding{}
	for _, f := range Check(in).Findings {
		got[f.Rule+" "+f.Subject] = f
	}
	if f := got["our-storage lab"]; f.Summary != "our storage stops" || f.Rank != lifecycle.RankAttention {
		t.Errorf("the fleet's own: %+v", f)
	}
	if f := got["kubernetes-selinux-mount lab"]; f.Summary != "we have tried it" {
		t.Errorf("in place of kiban's: %+v", f)
	}
	if r := Check(in); r.IsReady() || !slices.ContainsFunc(r.Unseen, func(u lifecycle.Unseen) bool {
		return strings.Contains(u.What, "risks/broken.yaml") && strings.Contains(u.Why, "risks/broken.yaml:4") &&
			strings.Contains(u.Why, `rank "awful"`)
	}) {
		t.Errorf("a file with a mistake: %+v", r.Unseen)
	}
	in.Evidence.Risks = &lifecycle.Answer[[]lifecycle.RiskFile]{Unknown: "permission denied"}
	if r := Check(in); r.IsReady() || !strings.Contains(r.Unseen[0].Why, "permission denied") {
		t.Errorf("files that can't be read: %+v", r.Unseen)
	}
}
