package session

import (
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

func TestAPIPort(t *testing.T) {
	for config, want := range map[string]int{"": 6443, "spec: {api: {port: 7443}}": 7443, `{"spec":{"api":{}}}`: 6443, "[": 6443} {
		if got := apiPort(lifecycle.Host{Config: []byte(config)}); got != want {
			t.Errorf("%q: got %d, want %d", config, got, want)
		}
	}
}

// TestA1_KubeconfigIsMadeAnew: it has certificates, a key, and what the site declares, and there is no way for a machine to add to it.
func TestA1_KubeconfigIsMadeAnew(t *testing.T) {
	site := signOn("")
	out, err := adminKubeconfig(administrators(), site)
	want := `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: Q0E=
    server: https://10.0.0.11:6443
  name: tokyo
contexts:
- context:
    cluster: tokyo
    user: tokyo-admin
  name: tokyo
current-context: tokyo
kind: Config
users:
- name: tokyo-admin
  user:
    client-certificate-data: Q1JU
    client-key-data: S0VZ
`
	if err != nil || string(out) != want {
		t.Errorf("%v\n%s", err, out)
	}
	site.API.Endpoint = "https://api.tokyo.example:6443"
	if out, err = adminKubeconfig(administrators(), site); err != nil || !strings.Contains(string(out), "server: "+site.API.Endpoint) {
		t.Errorf("%v\n%s", err, out)
	}
	site.Provider = lifecycle.ProviderExternal
	if out, err = adminKubeconfig(lifecycle.Credentials{Kubeconfig: []byte("{}")}, site); err == nil {
		t.Errorf("one of another's cluster was made:\n%s", out)
	}
}
