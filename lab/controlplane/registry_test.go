package controlplane

import (
	"strings"
	"testing"
)

func TestRegistry(t *testing.T) {
	r := NewRegistry()
	if _, ok := r.Find([]byte("ca")); ok {
		t.Error("an empty registry knows a cluster")
	}
	leaveFirst := r.enter([]byte("ca\n"), []byte("kubeconfig"), "127.66.0.11:6443")
	r.enter([]byte("ca\n"), []byte("kubeconfig"), "127.66.0.12:6443")
	r.enter([]byte("another"), nil, "127.66.9.11:6443")
	c, ok := r.Find([]byte("ca"))
	if !ok || string(c.Kubeconfig()) != "kubeconfig" {
		t.Fatal("the cluster is not found by its authority")
	}
	leaveFirst()
	if got := strings.Join(c.Servers(), " "); got != "127.66.0.12:6443 127.66.0.11:6443" {
		t.Error(got)
	}
}
