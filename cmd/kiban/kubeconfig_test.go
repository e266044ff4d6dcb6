package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestKubeconfigForPeopleNeedsSignOn(t *testing.T) {
	r := (&fakeSite{}).kiban(t, t.TempDir(), nil, "kubeconfig", "lab", "--oidc")
	if r.code == exitDone || r.out != "" || !strings.Contains(r.err, "component sso") {
		t.Errorf("exit %d\n%s\n%s", r.code, r.out, r.err)
	}
}

// A file of other clusters is not replaced; one that holds this site's kubeconfig and nothing else is made anew.
func TestKubeconfigReplacesItsOwnOnly(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config")
	out := func(more ...string) result {
		return (&fakeSite{}).kiban(t, t.TempDir(), nil, append([]string{"kubeconfig", "lab", "--out", file}, more...)...)
	}
	for range 2 {
		if r := out(); r.code != exitDone {
			t.Fatalf("exit %d\n%s", r.code, r.err)
		}
	}
	const others = "apiVersion: v1\nkind: Config\nclusters: [{name: prod}]\ncontexts: [{name: prod}]\nusers: [{name: me}]\n"
	if err := os.WriteFile(file, []byte(others), 0o600); err != nil {
		t.Fatal(err)
	}
	r := out()
	if kept, err := os.ReadFile(file); r.code != exitFailed || err != nil || string(kept) != others || !strings.Contains(r.err, "--merge") {
		t.Errorf("exit %d, %v\n%s", r.code, err, r.err)
	}
	if r := out("--merge"); r.code != exitDone {
		t.Errorf("--merge: exit %d\n%s", r.code, r.err)
	}
	if r := out(); r.code != exitFailed { // two clusters now
		t.Errorf("exit %d\n%s", r.code, r.err)
	}
}
