package e2e

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// deploy creates a Deployment of n pods spread over the nodes, its Service, and a budget that allows maxUnavailable of them to be
// away; then waits until all are Ready.
func (b *bench) deploy(cs kubernetes.Interface, name string, n int32, maxUnavailable int) {
	b.t.Helper()
	ctx := context.Background()
	labels := map[string]string{"app": name}
	grace := int64(5)
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: appsv1.DeploymentSpec{Replicas: &n, Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels,
				Annotations: map[string]string{"lab.kiban.dev/serve": "true"}},
				Spec: corev1.PodSpec{TerminationGracePeriodSeconds: &grace,
					TopologySpreadConstraints: []corev1.TopologySpreadConstraint{{MaxSkew: 1, TopologyKey: "kubernetes.io/hostname",
						WhenUnsatisfiable: corev1.ScheduleAnyway, LabelSelector: &metav1.LabelSelector{MatchLabels: labels}}},
					Containers: []corev1.Container{{Name: "web", Image: "registry.example/web:1",
						Ports: []corev1.ContainerPort{{ContainerPort: 18080}}}}}}}}
	s := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.ServiceSpec{Selector: labels, Ports: []corev1.ServicePort{{Port: 80, TargetPort: intstr.FromInt32(18080)}}}}
	max := intstr.FromInt(maxUnavailable)
	p := &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: policyv1.PodDisruptionBudgetSpec{MaxUnavailable: &max, Selector: &metav1.LabelSelector{MatchLabels: labels}}}
	if _, err := cs.AppsV1().Deployments("default").Create(ctx, d, metav1.CreateOptions{}); err != nil {
		b.t.Fatal(err)
	}
	if _, err := cs.CoreV1().Services("default").Create(ctx, s, metav1.CreateOptions{}); err != nil {
		b.t.Fatal(err)
	}
	if _, err := cs.PolicyV1().PodDisruptionBudgets("default").Create(ctx, p, metav1.CreateOptions{}); err != nil {
		b.t.Fatal(err)
	}
	b.eventually(name+" is Ready", func() (bool, string) {
		d, err := cs.AppsV1().Deployments("default").Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return false, err.Error()
		}
		p, err := cs.PolicyV1().PodDisruptionBudgets("default").Get(ctx, name, metav1.GetOptions{})
		return err == nil && d.Status.ReadyReplicas == n && p.Status.ExpectedPods == n, fmt.Sprintf("%d of %d", d.Status.ReadyReplicas, n)
	})
}

// quorumWatch asks every controller's API server for its etcd check, all the time. That check is a read through the local member,
// which needs a quorum; so as long as a majority of servers answer, neither quorum nor the API was lost.
type quorumWatch struct {
	mu     sync.Mutex
	looks  int
	fewest int
	lost   []string
	stop   func()
}

func (b *bench) watchQuorum(cfg *rest.Config) *quorumWatch {
	ctx, cancel := context.WithCancel(context.Background())
	w := &quorumWatch{fewest: b.Controllers, stop: cancel}
	tc := &tls.Config{InsecureSkipVerify: true} // every server by its own address, whatever its certificate says
	cert, err := tls.X509KeyPair(cfg.CertData, cfg.KeyData)
	if err != nil {
		b.t.Fatal(err)
	}
	tc.Certificates = []tls.Certificate{cert}
	// A server without a quorum says so within two seconds. One that says nothing for a while is slow, which is no loss.
	hc := &http.Client{Timeout: time.Minute, Transport: &http.Transport{TLSClientConfig: tc, DisableKeepAlives: true}}
	go func() {
		for ctx.Err() == nil {
			var wg sync.WaitGroup
			var mu sync.Mutex
			up := 0
			for _, h := range b.Machines() {
				if h.Role != "controller" {
					continue
				}
				wg.Go(func() {
					r, err := hc.Get("https://" + h.Address + ":6443/readyz/etcd")
					if err != nil {
						return
					}
					r.Body.Close()
					if r.StatusCode == http.StatusOK {
						mu.Lock()
						up++
						mu.Unlock()
					}
				})
			}
			wg.Wait()
			w.mu.Lock()
			w.looks++
			w.fewest = min(w.fewest, up)
			if up <= b.Controllers/2 {
				w.lost = append(w.lost, fmt.Sprintf("%s: %d of %d", time.Now().Format("15:04:05.000"), up, b.Controllers))
			}
			w.mu.Unlock()
			time.Sleep(100 * time.Millisecond)
		}
	}()
	return w
}

// verdict ends the watch and fails the test when quorum was ever lost, or when the watch proves nothing.
func (w *quorumWatch) verdict(t *testing.T) {
	t.Helper()
	w.stop()
	w.mu.Lock()
	defer w.mu.Unlock()
	t.Logf("API servers with a quorum behind them: never fewer than %d, in %d looks", w.fewest, w.looks)
	if len(w.lost) > 0 {
		t.Errorf("quorum, or the API, was lost: %v", w.lost)
	}
	if w.looks < 20 {
		t.Errorf("only %d looks", w.looks)
	}
}
