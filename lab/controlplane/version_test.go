package controlplane_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestVersions takes one data directory through every minor that the lab plays.
func TestVersions(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a control plane four times")
	}
	s := newSite(t, "127.66.3")
	for i, version := range []struct{ k0s, kubernetes string }{
		{"v1.34.10+k0s.0", "v1.34.10+k0s"}, {"v1.35.7+k0s.0", "v1.35.7+k0s"}, {"v1.36.3+k0s.2", "v1.36.3+k0s"},
		{"v1.37.2+k0s.0", "v1.37.2+k0s"},
	} {
		c := s.controller(1, "")
		c.Version = version.k0s
		stop := s.run(c)
		if got, err := s.client(c).Discovery().ServerVersion(); err != nil || got.GitVersion != version.kubernetes {
			t.Errorf("%s: the API server reports %v, %v", version.k0s, got, err)
		}
		if i == 0 {
			mark := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "mark", Namespace: "default"}}
			if _, err := s.client(c).CoreV1().ConfigMaps("default").Create(t.Context(), mark, metav1.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		s.marked(c)
		stop()
	}
}
