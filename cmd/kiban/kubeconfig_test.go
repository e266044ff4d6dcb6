package main

import (
	"strings"
	"testing"
)

func TestKubeconfigForPeopleNeedsSignOn(t *testing.T) {
	r := (&fakeSite{}).kiban(t, t.TempDir(), nil, "kubeconfig", "lab", "--oidc")
	if r.code == exitDone || r.out != "" || !strings.Contains(r.err, "component sso") {
		t.Errorf("exit %d\n%s\n%s", r.code, r.out, r.err)
	}
}
