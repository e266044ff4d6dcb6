package session

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// logsOf are logs by machine; of one that has none they can't be read.
type logsOf struct {
	lines map[string][]string
	mu    sync.Mutex
	asked []string
}

func (l *logsOf) LastLog(_ context.Context, host string, _ int) ([]string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked = append(l.asked, host)
	lines, ok := l.lines[host]
	if !ok {
		return nil, errors.New("sudo wants a password")
	}
	return lines, nil
}

// TestListen: the logs of controllers that answer and do not serve are read, and of nobody else. What can't be read says why.
func TestListen(t *testing.T) {
	site := lifecycle.Site{Name: "lab"}
	for _, name := range []string{"c1", "c2", "c3", "c4", "c5"} {
		site.Cluster.Hosts = append(site.Cluster.Hosts, lifecycle.Host{Name: name, Role: lifecycle.RoleController})
	}
	site.Cluster.Hosts = append(site.Cluster.Hosts, lifecycle.Host{Name: "w1", Role: lifecycle.RoleWorker})
	look := func() lifecycle.State {
		k0s := "k0scontroller"
		return lifecycle.State{Hosts: []lifecycle.HostState{{Name: "c1", ServiceName: k0s}, {Name: "c2", ServiceName: k0s},
			{Name: "c3", ServiceName: k0s, Problem: lifecycle.HostUnreachable}, {Name: "c4"}, {Name: "c5", ServiceName: k0s},
			{Name: "w1", ServiceName: "k0sworker"}}, API: lifecycle.APIState{Servers: []lifecycle.APIServer{{Host: "c5", Ready: true},
			{Host: "c1", Why: "etcd"}}}}
	}
	logs := &logsOf{lines: map[string][]string{"c1": {"fine", "Error: no"}}}
	s := With(site, Options{}, Parts{Logs: logs})
	seen := look()
	s.listen(t.Context(), &seen)
	slices.Sort(logs.asked)
	if !slices.Equal(logs.asked, []string{"c1", "c2"}) {
		t.Errorf("asked %s", logs.asked)
	}
	if got := seen.Hosts[0].Log; !slices.Equal(got.Value, []string{"Error: no"}) || got.Unknown != "" {
		t.Errorf("c1: %+v", got)
	}
	if got := seen.Hosts[1].Log; got.Value != nil || !strings.Contains(got.Unknown, "sudo wants") {
		t.Errorf("c2: %+v", got)
	}
	logs.lines = map[string][]string{"c1": nil}
	seen = look()
	if s.listen(t.Context(), &seen); seen.Hosts[0].Log.Value == nil {
		t.Error("a log that is empty is one that was not asked")
	}
	quiet := look()
	With(site, Options{}, Parts{}).listen(t.Context(), &quiet)
	if quiet.Hosts[0].Log.Value != nil || quiet.Hosts[0].Log.Unknown != "" {
		t.Error("nobody asks, and something is said")
	}
}

// TestRunsAreReadWhereTheyMatter: what was tried matters where a controller does not serve, and where a change is to be made.
func TestRunsAreReadWhereTheyMatter(t *testing.T) {
	host := lifecycle.Host{Name: "c1", Role: lifecycle.RoleController, ConfigDigest: "sha256:a", Arguments: []string{"--a=b"},
		Environment: "sha256:e", Files: []lifecycle.HostFile{{Path: "/etc/a", Digest: "sha256:f"}}}
	same := lifecycle.HostState{Name: "c1", ServiceName: "k0scontroller", ConfigDigest: "sha256:a", Arguments: []string{"--a=b"},
		Environment: "sha256:e", Files: []lifecycle.FileState{{Path: "/etc/a", Digest: "sha256:f"}}}
	site := lifecycle.Site{Cluster: lifecycle.Cluster{Hosts: []lifecycle.Host{host}}}
	for name, c := range map[string]struct {
		edit func(*lifecycle.HostState)
		want bool
	}{
		"as declared":         {func(*lifecycle.HostState) {}, false},
		"another k0s.yaml":    {func(h *lifecycle.HostState) { h.ConfigDigest = "sha256:b" }, true},
		"another argument":    {func(h *lifecycle.HostState) { h.Arguments = nil }, true},
		"another environment": {func(h *lifecycle.HostState) { h.Environment = "" }, true},
		"another file":        {func(h *lifecycle.HostState) { h.Files = nil }, true},
		"not installed yet":   {func(h *lifecycle.HostState) { h.ServiceName, h.ConfigDigest = "", "" }, false},
	} {
		h := same
		c.edit(&h)
		if got := settingsChange(site, lifecycle.State{Hosts: []lifecycle.HostState{h}}); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
	up := lifecycle.APIState{Servers: []lifecycle.APIServer{{Host: "c1", Ready: true}}}
	for api, want := range map[*lifecycle.APIState]bool{{}: true, &up: false} {
		if got := controllerAway(site, lifecycle.State{Hosts: []lifecycle.HostState{same}, API: *api}); got != want {
			t.Errorf("its server is ready: %t, away: %t", !want, got)
		}
	}
}
