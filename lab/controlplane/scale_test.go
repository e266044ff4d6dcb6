package controlplane_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// BenchmarkWorkers joins a thousand workers to one controller and runs a Deployment of as many pods.
func BenchmarkWorkers(b *testing.B) {
	const count = 1000
	slog.SetDefault(slog.New(slog.DiscardHandler))
	for range b.N {
		s := newSite(b, "127.66.4")
		c := s.controller(1, "")
		stop := s.run(c)
		ctx, cancel := context.WithTimeout(b.Context(), hangs)
		token, err := c.CreateToken(ctx, "worker", time.Hour)
		if err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		errs := make(chan error, count)
		slots := make(chan struct{}, 30) // k0sctl's own limit
		for i := range count {
			slots <- struct{}{}
			go func() {
				defer func() { <-slots }()
				w := s.worker(i, token)
				w.Addr = fmt.Sprintf("127.66.%d.%d", 5+i/250, 1+i%250)
				errs <- s.fleet.Join(ctx, w)
			}()
		}
		for range count {
			if err := <-errs; err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(time.Since(began).Seconds(), "s-to-join")
		s.deploy(s.client(c), nil)
		began = time.Now()
		d, err := s.client(c).AppsV1().Deployments("default").Get(ctx, "web", metav1.GetOptions{})
		if err != nil {
			b.Fatal(err)
		}
		d.Spec.Replicas = ptr.To[int32](count)
		if _, err := s.client(c).AppsV1().Deployments("default").Update(ctx, d, metav1.UpdateOptions{}); err != nil {
			b.Fatal(err)
		}
		s.until("a thousand pods", func(ctx context.Context) error { return s.webReady(ctx, c, count) })
		b.ReportMetric(time.Since(began).Seconds(), "s-to-run-pods")
		b.ReportMetric(residentMB(b), "MB-kubelets")
		cancel()
		stop()
	}
}

// residentMB is this process's own memory, which is that of all kubelets and pods.
func residentMB(b *testing.B) float64 {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		var kb float64
		if n, _ := fmt.Sscanf(line, "RssAnon: %f kB", &kb); n == 1 {
			return kb / 1024
		}
	}
	b.Fatal("no RssAnon")
	return 0
}
