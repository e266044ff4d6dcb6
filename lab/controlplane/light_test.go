package controlplane_test

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kiban.dev/kiban/lab/controlplane"
)

// runLight runs a light controller until its API answers; end stops it.
func runLight(t *testing.T, c *controlplane.Controller) (end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	for deadline := time.Now().Add(time.Minute); c.ReadyZ(t.Context()) != nil; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the API does not answer")
		}
	}
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// A light controller has a cluster of its own, which outlives its restart as another version, and comes back from a backup.
func TestLight(t *testing.T) {
	dir := t.TempDir()
	c := &controlplane.Controller{Name: "n", Addr: "127.66.9.11", DataDir: filepath.Join(dir, "a"), Version: "v1.35.7+k0s.0", Light: true}
	end := runLight(t, c)
	client, err := c.Client()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.CoreV1().ConfigMaps("default").Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "kept"}},
		metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	var backup bytes.Buffer
	if err := c.Backup(t.Context(), &backup); err != nil {
		t.Fatal(err)
	}
	end()
	if c.ReadyZ(t.Context()) == nil {
		t.Error("the API answers after Run has returned")
	}
	restored := *c
	restored.DataDir, restored.Version = filepath.Join(dir, "b"), "v1.36.3+k0s.2"
	if err := restored.Restore(&backup); err != nil {
		t.Fatal(err)
	}
	c.Version = "v1.36.3+k0s.2"
	for _, again := range []*controlplane.Controller{c, &restored} {
		end := runLight(t, again)
		client, err := again.Client()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.CoreV1().ConfigMaps("default").Get(t.Context(), "kept", metav1.GetOptions{}); err != nil {
			t.Error(err)
		}
		if v, err := client.Discovery().ServerVersion(); err != nil || v.GitVersion != "v1.36.3+k0s" {
			t.Errorf("%v, %v", v, err)
		}
		end()
	}
	joining := *c
	joining.JoinToken = "x"
	joining.DataDir = filepath.Join(dir, "c")
	if err := joining.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "it can't join another one") {
		t.Errorf("it joins another cluster: %v", err)
	}
}
