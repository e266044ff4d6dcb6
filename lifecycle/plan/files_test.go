package plan

import (
	"slices"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

const mirrorFile = "/etc/k0s/containerd.d/mirror.toml"

// TestFiles holds one plan of each way in which files reach machines for a reviewer to read.
func TestFiles(t *testing.T) {
	policy := func(version string) func(*lifecycle.Site) {
		return eachHost(lifecycle.RoleController, file("/etc/k0s/audit-policy.yaml", version, true))
	}
	newConfig := eachHost(lifecycle.RoleController,
		config(`{"spec":{"api":{"extraArgs":{"audit-policy-file":"/etc/k0s/audit-policy.yaml"}},"network":{"provider":"kuberouter"}}}`))
	kubelet := eachHost(lifecycle.RoleWorker, edits(file("/var/lib/k0s/credentials.yaml", "2", true), file("/etc/motd", "2", false)))
	for name, c := range map[string]struct {
		from, to lifecycle.Site
		befall   func(*world)
	}{
		"files-of-controllers": {from: newSite(v136, 3, 1, policy("1")), to: newSite(v136, 3, 1, policy("2"))},
		"files-with-config":    {from: newSite(v136, 3, 1), to: newSite(v136, 3, 1, policy("1"), newConfig, windowed)},
		"files-of-workers":     {from: newSite(v136, 1, 3), to: newSite(v136, 1, 3, kubelet)},
		"files-without-restart": {from: newSite(v136, 1, 2),
			to: newSite(v136, 1, 2, eachHost(lifecycle.RoleWorker, file("/etc/motd", "2", false)))},
		"files-with-upgrade": {from: newSite(v135, 1, 2, policy("1")), to: newSite(v136, 1, 2, policy("2"), kubelet)},
		"files-of-a-version": {from: newSite(v134, 1, 2, eachHost(lifecycle.RoleWorker, file(mirrorFile, "2", true))),
			to: newSite(v136, 1, 2, path(v135), eachHost(lifecycle.RoleWorker, edits(file("/etc/motd", "2", false), file(mirrorFile, "3", true),
				since136)))},
		"files-picked-up": {from: newSite(v136, 3, 2), to: newSite(v136, 3, 2, eachHost(lifecycle.RoleWorker, file(mirrorFile, "2", false)),
			eachHost(lifecycle.RoleController, file("/var/lib/k0s/manifests/ours/a.yaml", "2", false)))},
		"files-that-mend": {from: newSite(v136, 3, 0, policy("1")), to: newSite(v136, 3, 0, policy("2")),
			befall: func(w *world) { w.etcd = nil }},
		"files-of-stopped-hosts": {from: newSite(v136, 3, 1, policy("1")), to: newSite(v136, 3, 1, policy("2"), kubelet),
			befall: func(w *world) { w.stop("controller-2"); w.drained["worker-1"] = true; w.stop("worker-1") }},
	} {
		t.Run(name, func(t *testing.T) {
			w := built(t, c.from)
			w.declare(c.to)
			if c.befall != nil {
				c.befall(w)
			}
			p := makePlan(w.site, w.observe())
			orderly(t, p)
			golden(t, name, p)
		})
	}
}

// TestOneRestart: whatever differs together, a controller restarts once for it.
func TestOneRestart(t *testing.T) {
	audit := edits(file("/etc/k0s/audit-policy.yaml", "1", true), file("/etc/motd", "1", false))
	newConfig, arg := config(`{"spec":{"telemetry":{"enabled":false}}}`), argument("--policy-file=/etc/k0s/audit-policy.yaml")
	for name, edit := range map[string]func(*lifecycle.Host){
		"files": audit, "files and config": edits(audit, newConfig), "files and arguments": edits(audit, arg),
		"all": edits(audit, newConfig, arg),
	} {
		for _, from := range []lifecycle.Version{v135, v136} {
			w := built(t, newSite(from, 3, 1))
			w.declare(newSite(v136, 3, 1, eachHost(lifecycle.RoleController, edit)))
			p := makePlan(w.site, w.observe())
			for _, h := range []string{"controller-1", "controller-2", "controller-3"} {
				var restarts []string
				for _, s := range p.Steps {
					if s.Target == h && s.Disrupts {
						restarts = append(restarts, s.ID)
					}
				}
				if len(restarts) != 1 {
					t.Errorf("%s from %s: %s is disturbed by %v", name, from, h, restarts)
				}
			}
		}
	}
}

// TestUnknownFile: a file that cannot be read here stops the plan only where a host lacks it.
func TestUnknownFile(t *testing.T) {
	unknown := func(h *lifecycle.Host) {
		h.Files = []lifecycle.HostFile{{Path: "/etc/k0s/encryption.yaml", Missing: "the environment variable KIBAN_ENCRYPTION_CONFIG is not set",
			Secret: true, Restart: true}}
	}
	w := built(t, newSite(v136, 3, 1))
	w.declare(newSite(v136, 3, 1, eachHost(lifecycle.RoleController, unknown)))
	for _, h := range []string{"controller-1", "controller-3"} {
		w.hosts[h].Files = []lifecycle.FileState{{Path: "/etc/k0s/encryption.yaml", Digest: "sha256:1", Mode: "0600"}}
	}
	p := makePlan(w.site, w.observe())
	if !p.Empty() || len(p.Diagnostics) != 1 {
		t.Fatalf("steps %v, findings %v", p.Steps, p.Diagnostics)
	}
	d := p.Diagnostics[0]
	if d.Severity != lifecycle.SeverityBlocked || d.Subject != "controller-2" || !strings.Contains(d.Error(), "KIBAN_ENCRYPTION_CONFIG") {
		t.Errorf("finding is %+v", d)
	}
	w.hosts["controller-2"].Files = w.hosts["controller-1"].Files
	if p := makePlan(w.site, w.observe()); !p.Empty() || p.Diagnostics.Err() != nil {
		t.Errorf("where every host has it: %v, %v", p.Steps, p.Diagnostics)
	}
	fresh := freshWorld(w.site)
	if p := makePlan(fresh.site, fresh.observe()); !slices.ContainsFunc(p.Diagnostics, func(d lifecycle.Diagnostic) bool {
		return d.Subject == "3 machines: controller-1, controller-2, controller-3" && d.Severity == lifecycle.SeverityBlocked
	}) {
		t.Errorf("a machine that is to be set up lacks it too: %v", p.Diagnostics)
	}
}

// TestAilingControllerFirst: a file that keeps an API server from starting is mended before the others are touched, which would wait for
// it.
func TestAilingControllerFirst(t *testing.T) {
	policy := func(version string) func(*lifecycle.Site) {
		return eachHost(lifecycle.RoleController, file("/etc/k0s/audit-policy.yaml", version, true))
	}
	w := built(t, newSite(v136, 3, 0, policy("1")))
	w.declare(newSite(v136, 3, 0, policy("2")))
	state := w.observe()
	state.API.Servers[1].Ready, state.API.Servers[1].Why = false, "connection refused"
	var order []string
	for _, s := range makePlan(w.site, state).Steps {
		if s.Action == lifecycle.ActionFiles {
			order = append(order, s.ID)
		}
	}
	if want := []string{"controller-2/files", "controller-1/files", "controller-3/files"}; !slices.Equal(order, want) {
		t.Errorf("order is %v, want %v", order, want)
	}
}

// TestKeysChange: a change of the encryption keys is warned of where several API servers must read what each other writes.
func TestKeysChange(t *testing.T) {
	keys := func(version string) func(*lifecycle.Site) {
		return eachHost(lifecycle.RoleController, edits(file("/etc/k0s/keys.yaml", version, true),
			config(`{"spec":{"api":{"extraArgs":{"encryption-provider-config":"/etc/k0s/keys.yaml"}}}}`)))
	}
	for name, c := range map[string]struct {
		from, to lifecycle.Site
		told     bool
	}{
		"another key":               {newSite(v136, 3, 0, keys("1")), newSite(v136, 3, 0, keys("2")), true},
		"encryption is turned on":   {newSite(v136, 3, 0), newSite(v136, 3, 0, keys("1")), true},
		"the same":                  {newSite(v136, 3, 0, keys("1")), newSite(v136, 3, 0, keys("1")), false},
		"one controller":            {newSite(v136, 1, 0, keys("1")), newSite(v136, 1, 0, keys("2")), false},
		"only a new one is without": {newSite(v136, 1, 0, keys("1")), newSite(v136, 3, 0, keys("1")), false},
	} {
		w := built(t, c.from)
		w.declare(c.to)
		p := makePlan(w.site, w.observe())
		if told := slices.ContainsFunc(p.Diagnostics,
			func(d lifecycle.Diagnostic) bool { return strings.Contains(d.Summary, "keys that Secrets") }); told != c.told {
			t.Errorf("%s: told %t, want %t: %v", name, told, c.told, p.Diagnostics)
		}
	}
}

// TestFilesInTheDarkKeepQuorum: where etcd answers and the API does not, the API may be well and only out of reach from here. Controllers
// that get a file then restart only while etcd has its quorum without them. Where etcd says nothing either, the file may be what keeps all
// of it down.
func TestFilesInTheDarkKeepQuorum(t *testing.T) {
	w := built(t, newSite(v136, 3, 1))
	w.declare(newSite(v136, 3, 1, eachHost(lifecycle.RoleController, file("/etc/k0s/audit.yaml", "2", true))))
	for _, answers := range []bool{true, false} {
		state := w.observe()
		state.API = lifecycle.APIState{Unknown: "no route to host"}
		state.Nodes = nil
		if !answers {
			state.Etcd = lifecycle.EtcdState{Unknown: "no answer"}
		}
		steps := 0
		for _, s := range makePlan(w.site, state).Steps {
			if s.Action != lifecycle.ActionFiles {
				continue
			}
			steps++
			if got := slices.ContainsFunc(s.Before, func(g lifecycle.Gate) bool { return g.Kind == lifecycle.GateEtcdQuorum }); got != answers {
				t.Errorf("etcd answers: %t, and %s waits for its quorum: %t", answers, s.ID, got)
			}
		}
		if steps != 3 {
			t.Errorf("etcd answers: %t, and %d controllers get the file", answers, steps)
		}
	}
}
