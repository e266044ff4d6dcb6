package session

import (
	"errors"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

func TestRevisionBefore(t *testing.T) {
	run := func(revision, digest string, result lifecycle.RunResult) lifecycle.RunRecord {
		return lifecycle.RunRecord{Revision: revision, Digest: digest, Result: result}
	}
	doing := func(what string, r lifecycle.RunRecord) lifecycle.RunRecord { r.Doing = what; return r }
	for _, tt := range []struct {
		name string
		runs []lifecycle.RunRecord
		want string
	}{
		{"none", nil, ""},
		{"the first", []lifecycle.RunRecord{run("b", "2", lifecycle.RunDone)}, ""},
		{"the one before", []lifecycle.RunRecord{run("b", "2", lifecycle.RunDone), run("a", "1", lifecycle.RunDone)}, "a"},
		{"the same twice", []lifecycle.RunRecord{run("c", "2", lifecycle.RunDone), run("b", "2", lifecycle.RunDone),
			run("a", "1", lifecycle.RunDone)}, "a"},
		{"after a failure", []lifecycle.RunRecord{run("b", "2", lifecycle.RunFailed), run("a", "1", lifecycle.RunDone)}, "a"},
		{"past a failure", []lifecycle.RunRecord{run("c", "3", lifecycle.RunDone), run("b", "2", lifecycle.RunFailed),
			run("a", "1", lifecycle.RunDone)}, "a"},
		{"past what was not committed", []lifecycle.RunRecord{run("c", "3", lifecycle.RunDone), run("b-dirty", "2", lifecycle.RunDone),
			run("a", "1", lifecycle.RunDone)}, "a"},
		{"past a backup from another revision", []lifecycle.RunRecord{doing("backup", run("d", "4", lifecycle.RunDone)),
			doing("apply of revision c", run("c", "3", lifecycle.RunDone)), doing("node drain w1", run("b", "2", lifecycle.RunDone)),
			doing("apply", run("a", "1", lifecycle.RunDone))}, "a"},
		{"past what is not known", []lifecycle.RunRecord{run("c", "3", lifecycle.RunDone), run("", "2", lifecycle.RunDone)}, ""},
	} {
		if got := revisionBefore(tt.runs); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestTooFarBack(t *testing.T) {
	v := func(minor int) lifecycle.Version { return lifecycle.Version{Major: 1, Minor: minor} }
	site := lifecycle.Site{Name: "lab", Revision: "4f1c2a9"}
	site.Cluster.Version = v(35)
	site.Cluster.Hosts = []lifecycle.Host{{Name: "c1", Role: lifecycle.RoleController}, {Name: "w1", Role: lifecycle.RoleWorker}}
	state := func(running, binary lifecycle.Version, data bool) lifecycle.State {
		return lifecycle.State{Hosts: []lifecycle.HostState{{Name: "c1", Running: running, Binary: binary, Data: data},
			{Name: "w1", Running: v(36), Data: true}}}
	}
	kept := []lifecycle.KeptBackup{{Name: "36", Version: v(36), Verified: "then"}, {Name: "35-unread", Version: v(35)},
		{Name: "35-new", Version: v(35), Verified: "then", Encrypted: true}, {Name: "35-old", Version: v(35), Verified: "then"}}
	for _, tt := range []struct {
		name  string
		state lifecycle.State
		kept  []lifecycle.KeptBackup
		says  string // of detail or hint; "" for no refusal
	}{
		{"the same version", state(v(35), v(35), true), kept, ""},
		{"an older one runs", state(v(34), v(34), true), kept, ""},
		{"a newer one runs", state(v(36), v(36), true), kept, "kiban restore lab --from 35-new --identity KEY.txt"},
		{"a newer one has run", state(lifecycle.Version{}, v(36), true), kept, "kiban restore lab --from 35-new --identity KEY.txt"},
		{"a newer binary on a fresh machine", state(lifecycle.Version{}, v(36), false), kept, ""},
		{"no backup of it", state(v(36), v(36), true), kept[:1], "No backup of v1.35.0+k0s.0"},
	} {
		err := tooFarBack(site, tt.state, func() []lifecycle.KeptBackup { return tt.kept })
		var d lifecycle.Diagnostic
		if got := errors.As(err, &d); got != (tt.says != "") || !strings.Contains(d.Detail+d.Hint, tt.says) {
			t.Errorf("%s: %v (%s), want %q", tt.name, err, d.Hint, tt.says)
		}
	}
}
