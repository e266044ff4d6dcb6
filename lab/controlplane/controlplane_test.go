package controlplane_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"kiban.dev/kiban/lab/applet"
	"kiban.dev/kiban/lab/controlplane"
	"kiban.dev/kiban/lab/kubelet"
)

// The test binary is its own applet binary.
func TestMain(m *testing.M) {
	applet.Run(os.Args)
	os.Exit(m.Run())
}

// site is a lab of controllers and kubelets below one directory.
type site struct {
	t        testing.TB
	dir      string
	net      string
	log      *slog.Logger
	registry *controlplane.Registry
	fleet    *kubelet.Fleet
	sans     []string
}

// newSite prepares a lab on addresses net.11, net.12 ... for controllers and net.101 ... for workers.
func newSite(t testing.TB, net string) *site {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	s := &site{t: t, dir: t.TempDir(), net: net, log: log, registry: controlplane.NewRegistry()}
	s.fleet = kubelet.NewFleet(ctx, kubelet.Options{Registry: s.registry, Log: log})
	for i := 1; i <= 3; i++ {
		s.sans = append(s.sans, s.addr(10+i))
	}
	return s
}

func (s *site) addr(n int) string { return fmt.Sprintf("%s.%d", s.net, n) }

func (s *site) controller(i int, token string) *controlplane.Controller {
	exe, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	root := filepath.Join(s.dir, fmt.Sprintf("controller-%d", i))
	return &controlplane.Controller{
		Name: fmt.Sprintf("controller-%d", i), Addr: s.addr(10 + i), Root: root,
		DataDir: filepath.Join(root, "var/lib/k0s"), LogDir: filepath.Join(root, "var/log"),
		Version: "v1.36.3+k0s.2", Exe: []string{exe, "applet"}, JoinToken: token,
		Config: controlplane.Config{SANs: s.sans}, LeaseScale: 0.2, StopPatience: time.Second, Registry: s.registry, Log: s.log,
	}
}

// run starts a controller; stop stops it and fails the test when Run failed. Stopping twice is harmless.
func (s *site) run(c *controlplane.Controller) (stop func()) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx); close(done) }()
	stop = func() {
		cancel()
		if err := <-done; err != nil {
			s.t.Error(err)
		}
	}
	s.t.Cleanup(stop)
	s.until(c.Name+" ready", func(ctx context.Context) error { return c.ReadyZ(ctx) })
	return stop
}

func (s *site) join(c *controlplane.Controller, i int) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), hangs)
	defer cancel()
	var token string
	s.until("worker token", func(ctx context.Context) (err error) {
		token, err = c.CreateToken(ctx, "worker", time.Minute)
		return err
	})
	if err := s.fleet.Join(ctx, s.worker(i, token)); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) worker(i int, token string) kubelet.Worker {
	name := fmt.Sprintf("worker-%d", i)
	return kubelet.Worker{
		Name: name, Addr: s.addr(100 + i), DataDir: filepath.Join(s.dir, name), Version: "v1.36.3+k0s.2", Token: token,
		Labels: map[string]string{"zone": fmt.Sprintf("z%d", i), "node-role.kubernetes.io/worker": ""},
	}
}

func (s *site) client(c *controlplane.Controller) kubernetes.Interface {
	s.t.Helper()
	doc, err := c.AdminKubeconfig()
	if err != nil {
		s.t.Fatal(err)
	}
	cfg, err := clientcmd.RESTConfigFromKubeConfig(doc)
	if err != nil {
		s.t.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	return client
}

// hangs is how long nothing takes that does not hang, on the slowest machine that tests run on.
const hangs = 3 * time.Minute

// until asks again and again until ask has no error, and fails the test when it never does.
func (s *site) until(what string, ask func(context.Context) error) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), hangs)
	defer cancel()
	began := time.Now()
	for {
		err := ask(ctx)
		if err == nil {
			s.t.Logf("%s after %v", what, time.Since(began).Round(time.Millisecond))
			return
		}
		select {
		case <-ctx.Done():
			s.t.Fatalf("%s: not within %v: %v", what, hangs, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// deploy creates a Deployment of two serving pods with a Service and a budget that lets one go at a time.
func (s *site) deploy(client kubernetes.Interface, annotations map[string]string) {
	s.t.Helper()
	ctx := s.t.Context()
	labels, replicas, one := map[string]string{"app": "web"}, int32(2), intstr.FromInt32(1)
	meta := metav1.ObjectMeta{Name: "web", Namespace: "default"}
	marks := map[string]string{kubelet.AnnotationServe: "true"}
	for k, v := range annotations {
		marks[k] = v
	}
	_, err := client.AppsV1().Deployments("default").Create(ctx, &appsv1.Deployment{ObjectMeta: meta, Spec: appsv1.DeploymentSpec{
		Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: labels},
		Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels, Annotations: marks},
			Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: "example/web:1",
				Ports: []corev1.ContainerPort{{ContainerPort: 8080}}}}}},
	}}, metav1.CreateOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	_, err = client.CoreV1().Services("default").Create(ctx, &corev1.Service{ObjectMeta: meta, Spec: corev1.ServiceSpec{
		Selector: labels, Ports: []corev1.ServicePort{{Port: 80, TargetPort: intstr.FromInt32(8080)}},
	}}, metav1.CreateOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	_, err = client.PolicyV1().PodDisruptionBudgets("default").
		Create(ctx, &policyv1.PodDisruptionBudget{ObjectMeta: meta, Spec: policyv1.PodDisruptionBudgetSpec{
			MaxUnavailable: &one, Selector: &metav1.LabelSelector{MatchLabels: labels},
		}}, metav1.CreateOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	s.until("deployment ready", func(ctx context.Context) error {
		d, err := client.AppsV1().Deployments("default").Get(ctx, "web", metav1.GetOptions{})
		if err == nil && d.Status.ReadyReplicas != replicas {
			err = fmt.Errorf("%d ready", d.Status.ReadyReplicas)
		}
		return err
	})
}
