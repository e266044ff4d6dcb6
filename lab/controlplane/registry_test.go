package controlplane

import (
	"strings"
	"sync"
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

// Controllers that come up at the same time are of one cluster, whose kubelets then know all of them.
func TestControllersThatStartTogetherAreOfOneCluster(t *testing.T) {
	for range 200 {
		r := NewRegistry()
		servers := []string{"127.66.0.11:6443", "127.66.0.12:6443", "127.66.0.13:6443"}
		var entering sync.WaitGroup
		begin := make(chan struct{})
		for _, s := range servers {
			entering.Go(func() {
				<-begin
				r.enter([]byte("ca"), nil, s)
			})
		}
		close(begin)
		entering.Wait()
		c, _ := r.Find([]byte("ca"))
		if got := c.Servers(); len(got) != len(servers) {
			t.Fatalf("the cluster has %v", got)
		}
	}
}
