package plan

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// clock is the time of every observation.
var clock = time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)

func v(s string) lifecycle.Version {
	parsed, err := lifecycle.ParseVersion(s)
	if err != nil {
		panic(err)
	}
	return parsed
}

var (
	v134 = v("v1.34.10+k0s.0")
	v135 = v("v1.35.7+k0s.0")
	v136 = v("v1.36.3+k0s.2")
)

// newSite is a site of controllers and workers at a version, with the policy's defaults.
func newSite(version lifecycle.Version, controllers, workers int, edit ...func(*lifecycle.Site)) lifecycle.Site {
	s := lifecycle.Site{
		Name: "lab", Digest: "sha256:site", Revision: "4f1c2a9",
		Cluster: lifecycle.Cluster{Name: "lab", Version: version},
		Policy: lifecycle.Policy{
			Workers: lifecycle.Rollout{MaxUnavailable: "2", Canary: 1},
			Drain:   lifecycle.Drain{Timeout: 10 * time.Minute, DeleteEmptyDirData: true, EvictionRetry: 2 * time.Second},
			Settle:  lifecycle.Settle{NodeTimeout: 5 * time.Minute, StableFor: 5 * time.Second, Timeout: 10 * time.Minute},
		},
	}
	for i := range controllers {
		h := lifecycle.Host{Name: fmt.Sprintf("controller-%d", i+1), Role: lifecycle.RoleController, Address: fmt.Sprintf("10.0.0.%d", 11+i),
			Port: 22, User: "root",
			Arguments: []string{"--config=/etc/k0s/k0s.yaml", "--data-dir=/var/lib/k0s"}}
		setConfig(&h, `{"spec":{"network":{"provider":"kuberouter"}}}`)
		s.Cluster.Hosts = append(s.Cluster.Hosts, h)
	}
	for i := range workers {
		s.Cluster.Hosts = append(s.Cluster.Hosts, lifecycle.Host{Name: fmt.Sprintf("worker-%d", i+1), Role: lifecycle.RoleWorker,
			Address: fmt.Sprintf("10.0.0.%d", 101+i),
			Port:    22, User: "root", Arguments: []string{"--data-dir=/var/lib/k0s"}})
	}
	for _, e := range edit {
		e(&s)
	}
	return s
}

func setConfig(h *lifecycle.Host, config string) {
	config = clusterConfig(config)
	h.Config, h.ConfigDigest = []byte(config), lifecycle.Digest([]byte(config))
}

// clusterConfig makes a mapping, as JSON, a configuration of k0s.
func clusterConfig(mapping string) string {
	return strings.Replace(mapping, "{", `{"apiVersion":"k0s.k0sproject.io/v1beta1","kind":"ClusterConfig",`, 1)
}

// host edits one declared host.
func host(name string, edit func(*lifecycle.Host)) func(*lifecycle.Site) {
	return func(s *lifecycle.Site) {
		for i := range s.Cluster.Hosts {
			if s.Cluster.Hosts[i].Name == name {
				edit(&s.Cluster.Hosts[i])
				return
			}
		}
		panic("no host " + name)
	}
}

// eachHost edits all declared hosts of a role.
func eachHost(role lifecycle.Role, edit func(*lifecycle.Host)) func(*lifecycle.Site) {
	return func(s *lifecycle.Site) {
		for i := range s.Cluster.Hosts {
			if s.Cluster.Hosts[i].Role == role {
				edit(&s.Cluster.Hosts[i])
			}
		}
	}
}

func reset(h *lifecycle.Host) { h.Reset = true }

func config(c string) func(*lifecycle.Host) {
	return func(h *lifecycle.Host) { setConfig(h, c) }
}

func argument(a string) func(*lifecycle.Host) {
	return func(h *lifecycle.Host) { h.Arguments = append(append([]string(nil), h.Arguments...), a) }
}

// file declares a file on a host; version stands for its content.
func file(path, version string, restart bool) func(*lifecycle.Host) {
	return func(h *lifecycle.Host) {
		h.Files = append(append([]lifecycle.HostFile(nil), h.Files...),
			lifecycle.HostFile{Path: path, Content: []byte(version), Digest: "sha256:" + version, Mode: "0644", Restart: restart})
	}
}

// since has a host's last file be for k0s from v1.36 on.
func since136(h *lifecycle.Host) {
	h.Files[len(h.Files)-1].Since = lifecycle.Version{Major: 1, Minor: 36}
}

func edits(all ...func(*lifecycle.Host)) func(*lifecycle.Host) {
	return func(h *lifecycle.Host) {
		for _, edit := range all {
			edit(h)
		}
	}
}

func role(r lifecycle.Role) func(*lifecycle.Host) {
	return func(h *lifecycle.Host) { h.Role = r }
}

func path(vs ...lifecycle.Version) func(*lifecycle.Site) {
	return func(s *lifecycle.Site) { s.Policy.Path = vs }
}

// serial picks the first target that can go on.
func serial(int) int { return 0 }

// built is a world in which the site has been brought up.
func built(t *testing.T, site lifecycle.Site) *world {
	t.Helper()
	w := freshWorld(site)
	converge(t, w, serial)
	return w
}

// converge makes and carries out plans until one is empty.
func converge(t *testing.T, w *world, pick func(int) int) {
	t.Helper()
	for range 8 {
		w.heal()
		p := makePlan(w.site, w.observe())
		orderly(t, p)
		if err := p.Diagnostics.Err(); err != nil {
			t.Fatalf("refused: %v\n%s", err, w)
		}
		if p.Empty() {
			if p.Unfinished != "" {
				t.Fatalf("an empty plan that is unfinished: %s", p.Unfinished)
			}
			break
		}
		if _, done := w.execute(t, p, pick, -1); !done {
			t.Fatal("not carried out")
		}
		if p.Unfinished == "" {
			w.heal()
			if next := makePlan(w.site, w.observe()); !next.Empty() {
				t.Fatalf("the plan after a whole plan is not empty:\n%s\nbefore:\n%s", outline(next), outline(p))
			}
		}
	}
	for _, l := range w.lost {
		t.Error(l)
	}
	if stale := w.stale(); len(stale) > 0 {
		t.Errorf("k0s has not read what is declared now: %v", stale)
	}
}
