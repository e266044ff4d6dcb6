package e2e

import (
	"fmt"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
)

// TestReadyFindsPodsWithoutAPlace plants, in a cluster of two workers: a workload of one on each node, one that is too large for what the
// other node has left and whose budget would hold the drain, one whose PriorityClass is gone, and a webhook that nobody answers. Each is
// found against real servers, and nothing before.
func TestReadyFindsPodsWithoutAPlace(t *testing.T) {
	t.Parallel()
	b := start(t, "127.236.9", 1, 2)
	b.Version = v136
	b.write()
	b.apply(0)
	mine := func() (out []readiness) {
		found, unseen := b.ready("1.37")
		for _, u := range unseen {
			if strings.Contains(u, "pods") {
				t.Errorf("not seen: %s", u)
			}
		}
		for _, f := range found {
			if strings.HasPrefix(f.Rule, "pods-") || strings.HasPrefix(f.Rule, "webhook-") {
				out = append(out, f)
			}
		}
		return out
	}
	if found := mine(); len(found) > 0 {
		t.Errorf("before anything is planted: %+v", found)
	}
	cs, _ := b.admin()
	node, err := cs.CoreV1().Nodes().Get(t.Context(), "worker-1", metav1.GetOptions{})
	must(t, err)
	cpu := node.Status.Allocatable.Cpu().MilliValue()
	_, err = cs.SchedulingV1().PriorityClasses().Create(t.Context(), &schedulingv1.PriorityClass{ObjectMeta: metav1.ObjectMeta{Name: "gold"},
		Value: 7},
		metav1.CreateOptions{})
	must(t, err)
	deploy := func(name string, replicas int32, edit func(*corev1.PodSpec)) {
		labels := map[string]string{"app": name}
		d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: appsv1.DeploymentSpec{Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "a", Image: "registry.example/web:1"}}}}}}
		edit(&d.Spec.Template.Spec)
		_, err := cs.AppsV1().Deployments("default").Create(t.Context(), d, metav1.CreateOptions{})
		must(t, err)
		b.eventually(name+" is ready", func() (bool, string) {
			d, err := cs.AppsV1().Deployments("default").Get(t.Context(), name, metav1.GetOptions{})
			if err != nil {
				return false, err.Error()
			}
			return d.Status.ReadyReplicas == replicas, fmt.Sprintf("%d of %d are", d.Status.ReadyReplicas, replicas)
		})
	}
	deploy("apart", 2, func(s *corev1.PodSpec) {
		s.Affinity = &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{
			RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{{
				LabelSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "apart"}}, TopologyKey: corev1.LabelHostname}}}}
	})
	deploy("large", 4, func(s *corev1.PodSpec) {
		s.Containers[0].Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: *resource.NewMilliQuantity(cpu*2/5, resource.DecimalSI)}
	})
	deploy("golden", 1, func(s *corev1.PodSpec) { s.PriorityClassName = "gold" })
	must(t, cs.SchedulingV1().PriorityClasses().Delete(t.Context(), "gold", metav1.DeleteOptions{}))
	_, err = cs.PolicyV1().PodDisruptionBudgets("default").Create(t.Context(),
		&policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Name: "large"},
			Spec: policyv1.PodDisruptionBudgetSpec{MaxUnavailable: ptr.To(intstr.FromInt32(1)),
				Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "large"}}}}, metav1.CreateOptions{})
	must(t, err)
	b.eventually("the budget is counted", func() (bool, string) {
		p, err := cs.PolicyV1().PodDisruptionBudgets("default").Get(t.Context(), "large", metav1.GetOptions{})
		if err != nil {
			return false, err.Error()
		}
		return p.Status.DisruptionsAllowed == 1, fmt.Sprintf("it allows %d", p.Status.DisruptionsAllowed)
	})
	none := admissionv1.SideEffectClassNone
	_, err = cs.AdmissionregistrationV1().ValidatingWebhookConfigurations().Create(t.Context(), &admissionv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: "policy"}, Webhooks: []admissionv1.ValidatingWebhook{{Name: "pods.policy.example", SideEffects: &none,
			AdmissionReviewVersions: []string{"v1"},
			ClientConfig:            admissionv1.WebhookClientConfig{Service: &admissionv1.ServiceReference{Namespace: "default", Name: "nobody"}},
			Rules: []admissionv1.RuleWithOperations{{Operations: []admissionv1.OperationType{admissionv1.Create},
				Rule: admissionv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"pods"}}}}}}}, metav1.CreateOptions{})
	must(t, err)

	got := map[string]readiness{}
	for _, f := range mine() {
		got[f.Rule+" "+f.Subject] = f
	}
	for key, want := range map[string][2]string{
		"pods-fit-nowhere Deployment default/apart": {"good to know", "by their own rules"},
		"pods-fit-nowhere Deployment default/large": {"blocks", "the drain would not end"},
		"pods-refused Deployment default/golden":    {"blocks", "the PriorityClass gold is gone"},
		"webhook-down webhook pods.policy.example":  {"blocks", "nobody answers it"},
	} {
		if f := got[key]; f.Rank != want[0] || !strings.Contains(f.Summary, want[1]) {
			t.Errorf("%s: %+v among %v", key, f, got)
		}
	}
	if len(got) != 4 {
		t.Errorf("%d findings: %+v", len(got), got)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
