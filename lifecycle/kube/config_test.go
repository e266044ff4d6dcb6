package kube

import (
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"kiban.dev/kiban/lifecycle"
)

// TestRESTConfig: another library's client goes through the same fail-over, with the same credentials, and holds none of its own.
func TestRESTConfig(t *testing.T) {
	a := newAuthority(t)
	addr, _ := a.serve(t, certificateName, newFakeAPI())
	c := New(given(a.kubeconfig(addr)), []Server{{Host: "gone", Address: "127.0.0.1:1"}, {Host: "c1", Address: addr}}, Options{})
	defer c.Close()
	cfg, err := c.RESTConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if cfg.BearerToken != "" || cfg.CAData != nil || cfg.QPS == 0 {
		t.Errorf("got %+v", cfg)
	}
	other, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if ns, err := other.CoreV1().Namespaces().Get(t.Context(), "kube-system", metav1.GetOptions{}); err != nil || ns.UID != "cluster-uid" {
		t.Errorf("got %v, %v", ns, err)
	}
}

// TestKubeconfigOfAnotherCluster: a context is chosen by name, and credentials may come from a program, as those of managed clusters do.
func TestKubeconfigOfAnotherCluster(t *testing.T) {
	a := newAuthority(t)
	addr, _ := a.serve(t, certificateName, newFakeAPI())
	program := fmt.Sprintf(`exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: sh, args: [-c, 'printf %%s "%s"']}`,
		strings.ReplaceAll(`{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"secret"}}`, `"`, `\"`))
	text := strings.Replace(string(a.kubeconfig(addr)), "{token: secret}", "{"+program+"}", 1)
	text = strings.Replace(text, "current-context: c\n", "current-context: none\n", 1)
	text = strings.Replace(text, "cluster: {server:", `cluster: {tls-server-name: kubernetes, server:`, 1)
	c := New(given([]byte(text)), nil, Options{Context: "c"})
	defer c.Close()
	if facts, err := c.Facts(t.Context()); err != nil || facts.API.ClusterUID != "cluster-uid" || len(facts.API.Servers) != 1 ||
		!facts.API.Servers[0].Ready {
		t.Errorf("got %+v, %v", facts, err)
	}
	err := New(given([]byte(text)), nil, Options{Context: "d"}).connect(t.Context())
	if err == nil || !strings.Contains(err.Error(), "no such context") {
		t.Errorf("got %v", err)
	}
	if ds := lifecycle.AsDiagnostics(err, ""); len(ds) != 1 || ds[0].Hint == "" || ds[0].Detail != "it has: c" {
		t.Errorf("got %+v", ds)
	}
}
