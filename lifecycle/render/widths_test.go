package render

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render/rendertest"
)

// widths are those that everything is tried at.
func widths() []int { return []int{40, 60, 80, 120, 200} }

// fits tries what show writes at every width: no line is wider than the terminal, but for those whose command must stay in one piece, and
// no word is lost.
// It gives all of them below each other.
func fits(t *testing.T, show func(b *strings.Builder, style Style) error, whole ...string) string {
	t.Helper()
	var all strings.Builder
	words := ""
	for _, width := range append([]int{0}, widths()...) {
		var b strings.Builder
		if err := show(&b, Style{}.Within(width)); err != nil {
			t.Fatal(err)
		}
		said := strings.Join(strings.Fields(b.String()), "") // a word that is wider than there is room, as a fingerprint may be, is broken
		if width == 0 {
			words = said
			continue
		}
		fmt.Fprintf(&all, "-- %d columns %s\n%s", width, strings.Repeat("-", width-len("-- 40 columns ")), b.String())
		if len(said) != len(words) {
			t.Errorf("%d columns: it says other words than where there is room:\n%s\n%s", width, said, words)
		}
		for line := range strings.Lines(b.String()) {
			line = strings.TrimRight(line, "\n")
			n := columnsOf(line)
			for _, w := range whole {
				if strings.Contains(line, w) {
					n = 0 // it stays in one piece
				}
			}
			if n > width {
				t.Errorf("%d columns: a line has %d: %q", width, n, line)
			}
		}
	}
	return all.String()
}

func TestPlanAtEveryWidth(t *testing.T) {
	site := rendertest.Site(t, 3, 4)
	p := rendertest.UpgradePlan(t, site, 2)
	p.Estimate = rendertest.StoryPlan().Estimate
	d := rendertest.BlockedFinding()
	d.Hint += "\nkiban apply tokyo-prod --accept-changes 0123456789ab --reviewed reviewed/tokyo-prod.json --lock-timeout 10m"
	p.Diagnostics = lifecycle.Diagnostics{d}
	golden(t, "plan_widths.txt", fits(t, func(b *strings.Builder, style Style) error { return PlanText(b, site, p, style) },
		"kiban apply tokyo-prod --accept-changes"))
}

// The lists of what there is fit a terminal as status does.
func TestListsAtEveryWidth(t *testing.T) {
	site := rendertest.Site(t, 1, 1)
	st := stateOf(t, site)
	st.Nodes = []lifecycle.NodeState{{Name: "worker-1", Ready: true, Unschedulable: true,
		Mark: lifecycle.Mark{Run: "20261121-220000-abcdef", Reason: "v1.35.7+k0s.0 to v1.36.3+k0s.2"}}}
	r := lifecycle.RunRecord{ID: "20261121-220400-dddddd", Site: site.Name, Who: "renovate", Where: "https://gitlab.example.org/-/jobs/4711",
		Began: rendertest.At(0), Ended: rendertest.At(62), Result: lifecycle.RunFailed, Steps: 24, Begun: 24, Done: 3, Revision: "3f2a1c9d5e6f70",
		Review: &lifecycle.Review{Plan: "sha256:aa", Where: "https://gitlab.example.org/-/merge_requests/42"}}
	runs := []lifecycle.ListedRun{{RunRecord: r, Here: true, Cluster: true}}
	keys := []lifecycle.HostKey{
		{Host: "controller-1", Address: "10.10.0.11", Type: "ssh-ed25519", Fingerprint: "SHA256:Qh7fQ0n3kGQpQn0cJbZp0C6rZ2n0yTq0sVbYk0m7a1Q"},
		{Host: "worker-1", Address: "10.10.0.101", Type: "ecdsa-sha2-nistp256", Standing: lifecycle.KeyChanged,
			Fingerprint: "SHA256:0a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6q7r8s9t0uA",
			Former:      []string{"SHA256:9z8y7x6w5v4u3t2s1r0q9p8o7n6m5l4k3j2i1h0gfeA"}}}
	soak := lifecycle.Soak{Site: site.Name, Reason: "worker-1: its node is not Ready, and 3 nodes of the zone wait for it",
		Observed: rendertest.At(0), Versions: []lifecycle.SoakVersion{
			{Name: "k0s", Version: "v1.36.3+k0s.2", Runs: true, Since: rendertest.At(-90000), Longest: 30 * time.Hour},
			{Name: "addon/ingress-nginx", Version: "4.13.1", Longest: 50 * time.Hour}}}
	golden(t, "list_widths.txt", fits(t, func(b *strings.Builder, style Style) error {
		return errors.Join(NodesText(b, site, st, style), AddonsText(b, site.Name, units(), style), RunList(b, runs, false, style),
			RunList(b, runs, true, style), HostKeys(b, keys, style), SoakText(b, soak, style))
	}))
}

func TestStatusAtEveryWidth(t *testing.T) {
	site := rendertest.Site(t, 1, 2)
	st := lifecycle.State{Site: site.Name}
	for _, h := range site.Cluster.Hosts {
		st.Hosts = append(st.Hosts, lifecycle.HostState{Name: h.Name, ServiceName: "k0sworker", Service: lifecycle.ServiceRunning,
			Running: site.Cluster.Version, Binary: site.Cluster.Version})
		st.Nodes = append(st.Nodes, lifecycle.NodeState{Name: h.Name, Ready: true, Kubelet: "v1.36.3+k0s", InternalIP: h.Address})
	}
	st.Nodes[2].Unschedulable, st.Nodes[2].Mark = true, lifecycle.Mark{Run: "20261121-220000-abcdef", Reason: "new disks"}
	st.API.Servers = []lifecycle.APIServer{{Host: "controller-1", Ready: true, Version: "v1.36.3+k0s"}}
	st.Etcd.Members = []lifecycle.EtcdMember{{Name: "controller-1", PeerAddress: "10.1.0.11"}}
	problems := lifecycle.Diagnostics{lifecycle.Warnf("worker-2", "the disk of /var/lib/k0s is nearly full").
		Because("4.1 GB of 80 GB are free, and a k0s binary with its images takes up 3 GB at least while both versions are there.").
		Try("Make room before the next upgrade: `kiban ssh tokyo-prod worker-2` and look at /var/lib/k0s/containerd.")}
	golden(t, "status_widths.txt", fits(t, func(b *strings.Builder, style Style) error { return StatusText(b, site, st, problems, style) },
		"`kiban ssh tokyo-prod worker-2`"))
}

// TestTableWithALongNote: the last column is broken within its own, as long as it has room beside the others.
func TestTableWithALongNote(t *testing.T) {
	all := fits(t, func(b *strings.Builder, style Style) error {
		return Table(b, style, "SITE\tK0S\tSTANDS", []string{
			"osaka\tv1.36.3\twell",
			"tokyo-prod\tv1.36.3,v1.37.1 of v1.37.1\trun 20261128 is changing it; 2 problems, of which the first: worker-3: no answer",
		})
	})
	golden(t, "table_widths.txt", all)
}
