package drill

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/backup"
	"kiban.dev/kiban/lifecycle/twin"
)

const document = `apiVersion: k0sctl.k0sproject.io/v1beta1
kind: Cluster
metadata: {name: tokyo}
spec:
  hosts:
  - {hostname: cp-1, role: controller, privateAddress: 10.0.0.1, ssh: {address: cp-1.example.com}}
  - {hostname: old, role: controller, reset: true, ssh: {address: 10.0.0.2}}
  - {hostname: node-1, role: worker, ssh: {address: 10.0.0.11}}
  k0s:
    version: v1.35.7+k0s.0
    config: {spec: {api: {extraArgs: {encryption-provider-config: /etc/k0s/enc.yaml, profiling: "false"}}}}
`

const keys = `apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
- resources: [secrets]
  providers:
  - secretbox: {keys: [{name: a, secret: hunter2-planted}]}
  - aescbc: {keys: [{name: b, secret: hunter2-planted}, {name: a, secret: hunter2-planted}]}
  - kms: {apiVersion: v2, name: vault, endpoint: "unix:///x"}
  - identity: {}
`

func site(content string, missing string) lifecycle.Site {
	f := lifecycle.HostFile{Path: "/etc/k0s/enc.yaml", Mode: "0400", Owner: "kube-apiserver", Missing: missing}
	if content != "" {
		f.Content = []byte(content)
	}
	v := lifecycle.Version{Major: 1, Minor: 35, Patch: 7}
	return lifecycle.Site{Name: "tokyo", Cluster: lifecycle.Cluster{Document: []byte(document), Version: v, Hosts: []lifecycle.Host{
		{Name: "cp-1", Role: lifecycle.RoleController, Address: "cp-1.example.com", PrivateAddress: "10.0.0.1", Files: []lifecycle.HostFile{f}},
		{Name: "node-1", Role: lifecycle.RoleWorker, Address: "10.0.0.11"}}}}
}

func TestEncryptionOf(t *testing.T) {
	e, err := EncryptionOf(site(keys, ""))
	if err != nil || !slices.Equal(e.Keys, []string{"aescbc/a", "aescbc/b", "kms/vault", "secretbox/a"}) {
		t.Errorf("%+v, %v", e, err)
	}
	none := site(keys, "")
	none.Cluster.Document = []byte("spec: {k0s: {}}")
	if e, err := EncryptionOf(none); e != nil || err != nil {
		t.Errorf("a site without it has %v, %v", e, err)
	}
	undeclared := site(keys, "")
	undeclared.Cluster.Hosts[0].Files = nil
	for says, s := range map[string]lifecycle.Site{"KIBAN_SECRET_ENC is not set": site("", "KIBAN_SECRET_ENC is not set"),
		"lies on the controllers": undeclared, "keys of encryption at rest can't be read": site("hunter2-planted: [", "")} {
		_, err := EncryptionOf(s)
		if err == nil {
			t.Errorf("%s: no error", says)
			continue
		}
		d := lifecycle.AsDiagnostics(err, "")[0]
		if text := d.Error() + d.Detail; !strings.Contains(text, says) || strings.Contains(text, "hunter2") || d.Hint == "" {
			t.Errorf("%s: %s", says, text)
		}
	}
	if err := usable("tokyo", []string{"secretbox/a", "kms/vault"}); err == nil || usable("tokyo", []string{"secretbox/a"}) != nil {
		t.Errorf("a plugin's key: %v", err)
	}
}

// fake is a lab, and the cluster in it.
type fake struct {
	ends            string // where Ctrl-C comes
	interrupt       func()
	found           lifecycle.Contents
	restore, read   error
	stopped, closed int
	waited          int
	late            lifecycle.Contents // what is found later than at once
	fleet           string
	restored        string // what the fleet declared then
}

func (f *fake) at(phase string) {
	if f.ends == phase {
		f.interrupt()
	}
}

func (f *fake) Restore(ctx context.Context) error {
	if f.at("restore"); ctx.Err() != nil {
		return ctx.Err()
	}
	b, err := os.ReadFile(filepath.Join(f.fleet, "overlays", "tokyo", "cluster.yaml"))
	f.restored = string(b)
	return errors.Join(err, f.restore)
}
func (f *fake) ReadBack(ctx context.Context) (lifecycle.Contents, int, error) {
	if f.at("read"); ctx.Err() != nil {
		return lifecycle.Contents{}, 0, ctx.Err()
	}
	if f.waited > 0 && f.late.Known() {
		return f.late, 3, f.read
	}
	return f.found, 3, f.read
}
func (f *fake) Plan(context.Context) (lifecycle.Plan, error) {
	return lifecycle.Plan{Steps: []lifecycle.Step{{ID: "cp-1/upgrade", Reason: "older"}}}, nil
}
func (f *fake) Close() error { f.closed++; return nil }

func contents(secrets, pods int64) lifecycle.Contents {
	return lifecycle.Contents{Cluster: "u", Objects: map[string]lifecycle.Amount{"secrets": {Least: secrets, Most: secrets},
		"pods": {Least: pods, Most: pods}}}
}

func (f *fake) run(t *testing.T, s lifecycle.Site) (lifecycle.Drill, error) {
	t.Helper()
	e, err := EncryptionOf(s)
	if err != nil {
		t.Fatal(err)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	if f.interrupt == nil {
		f.interrupt = interrupt
	}
	v := backup.Verified{Source: &backup.Source{File: backup.File{Path: "/b/tokyo.tar.gz", Version: lifecycle.Version{Major: 1, Minor: 34}},
		Digest: "sha256:d"}, Data: backup.Data{Contents: contents(3, 9)}, Known: backup.Known{Contents: contents(3, 9)}}
	place := twin.Place{Port: 2222, KeyFile: "/lab/key", KnownHosts: "/lab/kh", Mirror: "/lab/mirror"}
	place.Machines = append(place.Machines, struct {
		Name    string `json:"name"`
		Address string `json:"address"`
	}{"cp-1", "127.9.0.11"})
	var d lifecycle.Drill
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	err = Run(ctx, Input{Site: s, Backup: v, Encryption: e, Plays: twin.LabVersion{Minors: []string{"1.34", "1.35"}},
		Folder: t.TempDir(), By: "ann on laptop"}, Ways{
		Say:  func(string, ...any) {},
		Wait: func(context.Context) error { f.waited++; f.at("wait"); return ctx.Err() },
		Now:  func() time.Time { at = at.Add(time.Second); return at },
		Start: func(_ context.Context, _ string, machines []twin.Machine, releases []string) (twin.Place, func(), error) {
			if len(machines) != 1 || machines[0].Name != "cp-1" || len(releases) != 2 {
				t.Errorf("the lab has %+v and %q", machines, releases)
			}
			return place, func() { f.stopped++ }, nil
		},
		Open: func(_ context.Context, fleet string) (Cluster, error) { f.fleet = fleet; return f, nil },
	}, &d)
	if f.stopped != 1 && err == nil {
		t.Errorf("the lab was ended %d times", f.stopped)
	}
	return d, err
}

// TestRun: a proof is there when all came back, and says who and how long. The lab has the backup's version, controllers alone, the
// site's
// keys, and nothing that leads to the site.
func TestRun(t *testing.T) {
	f := &fake{found: contents(3, 8)}
	d, err := f.run(t, site(keys, ""))
	if err != nil || d.Proof == nil || d.Findings.Err() != nil {
		t.Fatalf("%+v, %v", d, err)
	}
	if p := *d.Proof; p.By != "ann on laptop" || p.Took != time.Second || p.Digest != "sha256:d" || p.Backup != "tokyo.tar.gz" ||
		p.Objects != 11 ||
		!slices.Equal(d.Left, []string{"cp-1/upgrade: older"}) || !strings.HasPrefix(d.Sentence("it"), "it is proven: 3 of 3 objects") {
		t.Errorf("%+v %q %s", p, d.Left, d.Sentence("it"))
	}
	for _, kept := range []string{"v1.34.0", "encryption-provider-config: /etc/k0s/enc.yaml", "127.9.0.11"} {
		if !strings.Contains(f.restored, kept) {
			t.Errorf("%q is not declared:\n%s", kept, f.restored)
		}
	}
	for _, left := range []string{"node-1", "10.0.0", "example.com", "old", "hunter2"} {
		if strings.Contains(f.restored, left) {
			t.Errorf("%q is declared:\n%s", left, f.restored)
		}
	}
	over := filepath.Join(f.fleet, "overlays", "tokyo")
	if b, err := os.ReadFile(filepath.Join(over, "cluster.yaml")); err != nil || !strings.Contains(string(b), "v1.35.7") {
		t.Errorf("the plan is made for %s, %v", b, err)
	}
	b, err := os.ReadFile(filepath.Join(over, "site.yaml"))
	if err != nil || strings.Contains(string(b), "hunter2") || !strings.Contains(string(b), "owner: kube-apiserver") {
		t.Errorf("%s, %v", b, err)
	}
	if st, err := os.Stat(filepath.Join(f.fleet, ownKeys)); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", st, err)
	}
}

// TestKindsThatComeLate: what the data define is served a moment after the API.
func TestKindsThatComeLate(t *testing.T) {
	f := &fake{found: contents(0, 9), late: contents(3, 9)}
	if d, err := f.run(t, site(keys, "")); err != nil || d.Proof == nil || f.waited != 1 {
		t.Errorf("waited %d times, %+v, %v", f.waited, d.Findings, err)
	}
}

// TestRunProvesNothing: a backup that does not come up, cannot be asked, or lacks something is not proven, and no error either.
func TestRunProvesNothing(t *testing.T) {
	another := contents(3, 9)
	another.Cluster = "other"
	for name, c := range map[string]struct {
		f    fake
		says string
	}{
		"it does not come up":     {fake{restore: errors.New("etcd exits")}, "does not come up"},
		"it can't be asked":       {fake{read: errors.New("no answer")}, "can't be asked"},
		"a secret is lost":        {fake{found: contents(2, 9)}, "secrets of the backup did not come back"},
		"another cluster":         {fake{found: another}, "another cluster came up"},
		"all of one kind is gone": {fake{found: contents(3, 0)}, "pods of the backup did not come back"},
	} {
		d, err := c.f.run(t, site(keys, ""))
		if err != nil || d.Proof != nil || d.Findings.Err() == nil || !strings.Contains(d.Findings[0].Summary, c.says) ||
			d.Findings[0].Hint == "" || strings.Contains(d.Sentence("it"), "not started") {
			t.Errorf("%s: %+v, %v", name, d, err)
		}
	}
	gate := lifecycle.Errorf("cp-1", "cp-1/restore: not met: the API server is ready").Because("waited 5m0s", "its log says why")
	f := &fake{restore: lifecycle.Diagnostics{gate}}
	d, err := f.run(t, site(keys, ""))
	const once = "cp-1: cp-1/restore: not met: the API server is ready\nwaited 5m0s\nits log says why"
	if err != nil || d.Findings[0].Detail != once || d.Sentence("it") != "it is not proven: it does not come up" {
		t.Errorf("%s %q, %v", d.Sentence("it"), d.Findings[0].Detail, err)
	}
	late := site(keys, "")
	late.Cluster.Version.Minor = 36 // the lab need not play what is declared, only what the backup has
	f = &fake{found: contents(3, 9)}
	v := backup.Verified{Source: &backup.Source{File: backup.File{Path: "b", Version: lifecycle.Version{Major: 1, Minor: 30}}}}
	err = Run(t.Context(), Input{Site: late, Backup: v, Plays: twin.LabVersion{Minors: []string{"1.34"}}}, Ways{}, &lifecycle.Drill{})
	if err == nil || !strings.Contains(err.Error(), "can't pose as k0s v1.30") || f.stopped > 0 {
		t.Errorf("a version that the lab does not play: %v", err)
	}
}

// TestNoRoomIsNotTheBackups: a computer without room for the lab proves nothing against the backup.
func TestNoRoomIsNotTheBackups(t *testing.T) {
	for name, full := range map[string]error{"said by the system": fmt.Errorf("write k0s: %w", syscall.ENOSPC),
		"said by a machine": errors.New("ssh: mv: cannot move: no space left on device")} {
		f := &fake{restore: full}
		d, err := f.run(t, site(keys, ""))
		if err == nil || !strings.Contains(err.Error(), "there is no room for the files of the lab") || d.Proof != nil || len(d.Findings) > 0 {
			t.Errorf("%s: %+v, %v", name, d.Findings, err)
		}
	}
}

// TestInterruptedDrill: Ctrl-C, whenever it comes, ends the lab, finds nothing, and proves nothing.
func TestInterruptedDrill(t *testing.T) {
	for _, phase := range []string{"restore", "read", "wait"} {
		f := &fake{ends: phase, found: contents(0, 9)}
		d, err := f.run(t, site(keys, ""))
		if err == nil || d.Proof != nil || len(d.Findings) > 0 || f.stopped != 1 || f.closed == 0 {
			t.Errorf("%s: %v, %+v; the lab was ended %d times", phase, err, d, f.stopped)
		}
	}
}
