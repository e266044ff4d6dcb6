package lifecycle

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// quorumSite has three controllers, of which those named are up, those in stopped are stopped, and the others do not answer.
func quorumSite(t *testing.T, up, stopped string) (Site, State) {
	site := Site{Name: "lab"}
	st := State{API: APIState{Unknown: "no API server answers"}, Etcd: EtcdState{Unknown: "timed out"}}
	for _, name := range []string{"c1", "c2", "c3"} {
		site.Cluster.Hosts = append(site.Cluster.Hosts, Host{Name: name, Role: RoleController})
		h := HostState{Name: name, ServiceName: "k0scontroller", Service: ServiceRunning, Running: mustVersion(t, "v1.36.3+k0s.0"), Data: true}
		switch {
		case strings.Contains(stopped, name):
			h.Service, h.Running = ServiceStopped, Version{}
		case !strings.Contains(up, name):
			h = HostState{Name: name, Problem: HostUnreachable, Why: "no route to host."}
		}
		st.Hosts = append(st.Hosts, h)
	}
	site.Cluster.Hosts = append(site.Cluster.Hosts, Host{Name: "w1", Role: RoleWorker})
	st.Hosts = append(st.Hosts, HostState{Name: "w1"})
	return site, st
}

// silentHost is a controller whose k0s does not answer.
func silentHost(name string, service ServiceState) HostState {
	return HostState{Name: name, ServiceName: "k0scontroller", Service: service, Data: true}
}

// Etcd's quorum is lost where the API is away and too few of several members are up. Anything else that silences an API is not that.
func TestLostQuorum(t *testing.T) {
	for name, c := range map[string]struct {
		up, stopped string
		change      func(*Site, *State)
		lost        bool
		says        []string
		not         string
	}{
		"one of three": {up: "c1", lost: true, says: []string{"etcd has 1 of 3 members: no quorum", "c2: no route to host\n",
			"Up: c1. It takes 2",
			"Bring c2 or c3 back", "kiban backup lab", "systemctl stop k0scontroller && k0s reset", "kiban restore lab --from BACKUP"},
			not: "kiban apply"},
		"one that could be started": {up: "c1", stopped: "c3", lost: true, says: []string{"c3: k0scontroller is stopped",
			"c3 can be reached: kiban apply lab starts k0s there"}},
		"one whose service runs and does not answer": {up: "c1", lost: true, not: "kiban apply",
			says:   []string{"c3: the k0s service runs, but", "kiban node logs lab c3 says what k0s does there"},
			change: func(_ *Site, st *State) { st.Hosts[2] = silentHost("c3", ServiceRunning) }},
		"one that crashes again and again": {up: "c1", lost: true, not: "kiban apply",
			says:   []string{"c3: k0scontroller is starting", "kiban node logs lab c3"},
			change: func(_ *Site, st *State) { st.Hosts[2] = silentHost("c3", ServiceStarting) }},
		"none of three": {stopped: "c1,c2,c3", lost: true, says: []string{"etcd has 0 of 3 members", "Bring 2 of c1, c2 and c3 back"},
			not: "kiban backup lab"},
		"a backup is known": {up: "c1", lost: true, says: []string{"kiban restore lab --from b.tar.gz", "taken at 2026-11-29T02:00:00Z"},
			change: func(_ *Site, st *State) {
				st.Past.Backups = []KeptBackup{{Name: "b.tar.gz", Taken: "2026-11-29T02:00:00Z"}}
			}},
		"two of three":       {up: "c1,c2"},
		"nobody tells":       {},
		"an API that serves": {up: "c1", change: func(_ *Site, st *State) { st.API.Unknown = "" }},
		"no cluster yet":     {up: "c1", change: func(_ *Site, st *State) { st.API.NotYet = true }},
		"etcd answers":       {up: "c1", change: func(_ *Site, st *State) { st.Etcd = EtcdState{Members: []EtcdMember{{Name: "c1"}}} }},
		"someone else's":     {up: "c1", change: func(s *Site, _ *State) { s.Provider = ProviderExternal }},
		"one alone": {stopped: "c1", change: func(s *Site, _ *State) {
			s.Cluster.Hosts = slices.DeleteFunc(s.Cluster.Hosts, func(h Host) bool { return h.Name == "c2" || h.Name == "c3" })
		}},
		"two that never joined": {up: "c1", change: func(_ *Site, st *State) {
			st.Hosts[1], st.Hosts[2] = HostState{Name: "c2"}, HostState{Name: "c3"}
		}},
		"kine": {up: "c1", change: func(s *Site, _ *State) {
			s.Cluster.Hosts[0].Config = []byte(`{"spec":{"storage":{"type":"kine"}}}`)
		}},
		"an etcd of their own": {up: "c1", change: func(s *Site, _ *State) {
			s.Cluster.Hosts[0].Config = []byte(`{"spec":{"storage":{"etcd":{"externalCluster":{"endpoints":["https://e"]}}}}}`)
		}},
	} {
		site, st := quorumSite(t, c.up, c.stopped)
		if c.change != nil {
			c.change(&site, &st)
		}
		q, lost := LostQuorum(site, st)
		if lost != c.lost {
			t.Errorf("%s: %t, %+v", name, lost, q)
		}
		if !lost {
			continue
		}
		d := q.Finding(site, st)
		text := d.Summary + "\n" + d.Detail + "\n" + d.Hint
		for _, want := range c.says {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in %s", name, want, text)
			}
		}
		if c.not != "" && strings.Contains(text, c.not) {
			t.Errorf("%s: %q in %s", name, c.not, text)
		}
	}
}

// A backup of a member without a quorum says whose data it has and until when, or that this is not known.
func TestBackupThatMayBeBehind(t *testing.T) {
	site, st := quorumSite(t, "c1", "c2")
	q := QuorumOf(site.Cluster, st.Hosts)
	d := q.Behind("c1", "`k0s etcd member-list`: no answer", time.Date(2026, 11, 29, 3, 12, 40, 0, time.UTC))
	for _, want := range []string{"k0s runs on 1 of 3 controllers", "no answer", "c2: k0scontroller is stopped", "data of c1 alone",
		"last written to at 2026-11-29 03:12:40 UTC"} {
		if !strings.Contains(d.Detail, want) {
			t.Errorf("no %q in %s", want, d.Detail)
		}
	}
	if d.Summary != "etcd has no quorum, so the backup may be behind" {
		t.Error(d.Summary)
	}
	if d := q.Behind("c1", "no answer", time.Time{}); !strings.Contains(d.Detail, "is not known") || d.Severity != SeverityWarning {
		t.Errorf("%+v", d)
	}
	site, st = quorumSite(t, "c1,c2,c3", "")
	if d := QuorumOf(site.Cluster, st.Hosts).Behind("c1", "no answer", time.Time{}); d.Summary !=
		"whether etcd has a quorum is not known, so the backup may be behind" || strings.Contains(d.Hint, "brought back") {
		t.Errorf("all run: %+v", d)
	}
}
