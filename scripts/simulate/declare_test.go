package simulate

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// versions are those that sites go through, in order.
func versions() []lifecycle.Version {
	var out []lifecycle.Version
	for _, s := range []string{"v1.34.10+k0s.0", "v1.35.7+k0s.0", "v1.36.3+k0s.2", "v1.36.4+k0s.0"} {
		v, err := lifecycle.ParseVersion(s)
		if err != nil {
			panic(err)
		}
		out = append(out, v)
	}
	return out
}

// randomSite is what the repository declares at first.
func randomSite(r *rand.Rand) lifecycle.Site {
	s := lifecycle.Site{
		Name: "lab", Cluster: lifecycle.Cluster{Name: "lab", Version: versions()[r.IntN(2)]},
		Policy: lifecycle.Policy{
			Workers: lifecycle.Rollout{MaxUnavailable: []string{"1", "2", "50%"}[r.IntN(3)], Canary: r.IntN(2)},
			Drain:   lifecycle.Drain{Timeout: 3 * time.Minute, DeleteEmptyDirData: true, EvictionRetry: 2 * time.Second},
			Settle:  lifecycle.Settle{NodeTimeout: 2 * time.Minute, StableFor: 5 * time.Second, Timeout: 4 * time.Minute},
		},
	}
	controllers, workers := []int{1, 1, 3, 3, 5}[r.IntN(5)], r.IntN(5)
	for range controllers {
		s.Cluster.Hosts = append(s.Cluster.Hosts, newHost(s, lifecycle.RoleController))
	}
	if r.IntN(4) == 0 {
		s.Cluster.Hosts[0].Role = lifecycle.RoleControllerWorker
	}
	for range workers {
		s.Cluster.Hosts = append(s.Cluster.Hosts, newHost(s, lifecycle.RoleWorker))
	}
	return revised(s, 1)
}

// newHost is a host that no machine of the site was called by yet.
func newHost(s lifecycle.Site, role lifecycle.Role) lifecycle.Host {
	name, address := "worker", 100
	if role.IsController() {
		name, address = "controller", 10
	}
	n := 1
	for _, h := range s.Cluster.Hosts {
		var i int
		if _, err := fmt.Sscanf(h.Name, name+"-%d", &i); err == nil && i >= n {
			n = i + 1
		}
	}
	h := lifecycle.Host{Name: fmt.Sprintf("%s-%d", name, n), Role: role, Address: fmt.Sprintf("10.0.0.%d", address+n), Port: 22, User: "root",
		Arguments: []string{"--data-dir=/var/lib/k0s"}}
	if role.IsController() {
		h.Arguments = []string{"--config=/etc/k0s/k0s.yaml", "--data-dir=/var/lib/k0s"}
		setConfig(&h, 1)
	}
	return h
}

func setConfig(h *lifecycle.Host, n int) {
	h.Config = fmt.Appendf(nil, `{"spec":{"network":{"provider":"kuberouter"},"telemetry":{"enabled":%t}}}`, n%2 == 0)
	h.ConfigDigest = lifecycle.Digest(h.Config)
}

// revised is the site with what tells revisions apart.
func revised(s lifecycle.Site, n int) lifecycle.Site {
	s.Revision, s.Digest = fmt.Sprintf("r%d", n), fmt.Sprintf("sha256:%d", n)
	s.Policy.Path = nil
	for _, v := range versions() {
		if v.Minor < s.Cluster.Version.Minor && v.Minor > 34 {
			s.Policy.Path = append(s.Policy.Path, v)
		}
	}
	return s
}

// change is the next thing that is merged. Not all of it makes sense at every time; then nothing is.
func (w *world) change(r *rand.Rand) (lifecycle.Site, bool) {
	s := w.site
	s.Cluster.Hosts = slices.Clone(s.Cluster.Hosts)
	s.Cluster.Hosts = slices.DeleteFunc(s.Cluster.Hosts, func(h lifecycle.Host) bool {
		return h.Reset && w.isGone(h.Name) &&
			!w.sim.wanted(h.Name)
	})
	n := 0
	_, _ = fmt.Sscanf(s.Revision, "r%d", &n)
	kinds := []func(*lifecycle.Site, *rand.Rand) bool{upgraded, upgraded, widened, widened, w.narrowed, reconfigured, rearranged, refiled}
	for range 1 + r.IntN(2) {
		if !kinds[r.IntN(len(kinds))](&s, r) {
			return s, false
		}
	}
	return revised(s, n+1), true
}

// wanted reports whether a run is under way that has the host as one that stays: nobody takes a host out of the overlay while it may yet be
// joined. It is called with s.mu held.
func (s *sim) wanted(host string) bool {
	return slices.ContainsFunc(s.processes, func(p *process) bool {
		h, ok := p.site.Cluster.Host(host)
		return p.kill != nil && !p.dead && ok && !h.Reset
	})
}

func (w *world) isGone(name string) bool {
	m := w.machines[name]
	return !m.disk.Installed() && !m.disk.Data && w.nodes[name] == nil && !slices.Contains(w.etcd, name) && m.disk.Binary.IsZero()
}

func upgraded(s *lifecycle.Site, r *rand.Rand) bool {
	later := slices.DeleteFunc(versions(), func(v lifecycle.Version) bool { return !s.Cluster.Version.Less(v) })
	if len(later) == 0 {
		return false
	}
	s.Cluster.Version = later[r.IntN(min(2, len(later)))]
	return true
}

func widened(s *lifecycle.Site, r *rand.Rand) bool {
	if len(s.Cluster.Hosts) > 9 {
		return false
	}
	role := lifecycle.RoleWorker
	if r.IntN(3) == 0 {
		role = lifecycle.RoleController
	}
	more := 1 + r.IntN(2)
	if role.IsController() && len(s.Cluster.Controllers())+more == 2 {
		more = 2 // two controllers can lose none: kiban restarts neither
	}
	for range more {
		s.Cluster.Hosts = append(s.Cluster.Hosts, newHost(*s, role))
	}
	return true
}

// narrowed marks a host for removal, where enough stay.
func (w *world) narrowed(s *lifecycle.Site, r *rand.Rand) bool {
	i := r.IntN(len(s.Cluster.Hosts))
	h := s.Cluster.Hosts[i]
	if h.Reset || h.Role.IsController() && (len(s.Cluster.Controllers()) < 4 || i == 0) {
		return false
	}
	if !h.Role.IsController() && len(s.Cluster.Workers())-len(w.closed) < 4 {
		return false
	}
	s.Cluster.Hosts[i].Reset = true
	return true
}

func reconfigured(s *lifecycle.Site, r *rand.Rand) bool {
	n := r.IntN(2)
	for i := range s.Cluster.Hosts {
		if h := &s.Cluster.Hosts[i]; h.Role.IsController() {
			setConfig(h, n)
		}
	}
	return true
}

// rearranged changes arguments, of controllers or of workers.
func rearranged(s *lifecycle.Site, r *rand.Rand) bool {
	role, flag := lifecycle.RoleWorker, fmt.Sprintf("--profile=p%d", r.IntN(3))
	if r.IntN(2) == 0 {
		role, flag = lifecycle.RoleController, fmt.Sprintf("--feature-gates=G%d=true", r.IntN(3))
	}
	name, _, _ := strings.Cut(flag, "=")
	for i := range s.Cluster.Hosts {
		if h := &s.Cluster.Hosts[i]; h.Role == role {
			h.Arguments = slices.DeleteFunc(slices.Clone(h.Arguments), func(a string) bool { return strings.HasPrefix(a, name+"=") })
			h.Arguments = append(h.Arguments, flag)
			slices.Sort(h.Arguments)
		}
	}
	return true
}

// refiled changes declared files, of which k0s reads some when it starts.
func refiled(s *lifecycle.Site, r *rand.Rand) bool {
	f := lifecycle.HostFile{Path: "/etc/motd", Digest: fmt.Sprintf("sha256:motd%d", r.IntN(3)), Mode: "0644"}
	if r.IntN(2) == 0 {
		f = lifecycle.HostFile{Path: "/etc/k0s/audit.yaml", Digest: fmt.Sprintf("sha256:audit%d", r.IntN(3)), Mode: "0644", Restart: true}
	}
	f.Content = []byte(f.Digest)
	controllers := r.IntN(2) == 0
	for i := range s.Cluster.Hosts {
		h := &s.Cluster.Hosts[i]
		if h.Role.IsController() != controllers {
			continue
		}
		h.Files = slices.DeleteFunc(slices.Clone(h.Files), func(o lifecycle.HostFile) bool { return o.Path == f.Path })
		h.Files = append(h.Files, f)
		slices.SortFunc(h.Files, func(a, b lifecycle.HostFile) int { return strings.Compare(a.Path, b.Path) })
	}
	return true
}

// populate gives a site that has nodes enough workloads with budgets.
func (w *world) populate(r *rand.Rand) {
	if len(w.site.Cluster.Workers()) < 3 {
		return
	}
	for i := range r.IntN(3) {
		a := app{name: fmt.Sprintf("web%d", i), replicas: 2 + r.IntN(2)}
		a.desired = a.replicas - 1
		w.apps = append(w.apps, a)
		for p := range a.replicas {
			w.pods = append(w.pods, &pod{name: fmt.Sprintf("%s-%d", a.name, p), app: a.name})
		}
	}
}

// describe is a declared site in a line.
func describe(s lifecycle.Site) string {
	var hosts []string
	for _, h := range s.Cluster.Hosts {
		word := h.Name
		if h.Role == lifecycle.RoleControllerWorker {
			word += " (works)"
		}
		if h.Reset {
			word += " (reset)"
		}
		hosts = append(hosts, word)
	}
	return fmt.Sprintf("%s: k0s %s, %s at once, %s", s.Revision, s.Cluster.Version, s.Policy.Workers.MaxUnavailable, strings.Join(hosts, ", "))
}
