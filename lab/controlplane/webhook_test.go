package controlplane_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
)

// TestWebhooksAreReached holds that the API server asks a webhook at its pod, refuses what it does while it is not up, and takes its word
// when it is.
func TestWebhooksAreReached(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a control plane")
	}
	s := newSite(t, "127.66.7")
	c := s.controller(1, "")
	s.run(c)
	s.join(c, 1)
	client := s.client(c)
	deployWebhook(t, client)

	makeMap := func(name string, marks map[string]string) error {
		_, err := client.CoreV1().ConfigMaps("default").
			Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: marks}}, metav1.CreateOptions{})
		return err
	}
	sawRefusal, sawAbsence := false, false
	s.until("the webhook allows", func(context.Context) error {
		err := makeMap("allowed", map[string]string{"judged": "yes"})
		if err != nil {
			sawRefusal = sawRefusal || strings.Contains(err.Error(), "failed calling webhook") && strings.Contains(err.Error(), "connection refused")
			sawAbsence = sawAbsence || strings.Contains(err.Error(), "no endpoints available for service")
		}
		return err
	})
	if !sawRefusal || !sawAbsence {
		t.Errorf("while it was coming up: connection refused %v, no endpoints %v", sawRefusal, sawAbsence)
	}
	err := makeMap("refused", map[string]string{"lab.kiban.dev/refuse": "too short"})
	if err == nil || !strings.Contains(err.Error(), `admission webhook "maps.lab.kiban.dev" denied the request: too short`) {
		t.Errorf("refused with %v", err)
	}
	standInForWebhooks(t, client)
	refused := false
	s.until("what stands in for a webhook allows", func(context.Context) error {
		_, err := client.CoreV1().Secrets("default").Create(t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "judged"}},
			metav1.CreateOptions{})
		refused = refused || err != nil && strings.Contains(err.Error(), "failed calling webhook")
		return err
	})
	if !refused {
		t.Error("nobody was asked: a webhook whose pod is not there yet has to be in the way")
	}
	s.until("CoreDNS and metrics server run", func(ctx context.Context) error {
		for _, name := range []string{"coredns", "metrics-server"} {
			d, err := client.AppsV1().Deployments("kube-system").Get(ctx, name, metav1.GetOptions{})
			if err != nil {
				return err
			}
			if d.Status.ReadyReplicas != 1 {
				return errors.New(name + " is not ready")
			}
		}
		return nil
	})
}

// standInForWebhooks makes a validating and a mutating configuration, and some pod behind both that is not made for it, on a port that only
// root may take.
func standInForWebhooks(t *testing.T, client kubernetes.Interface) {
	t.Helper()
	ctx, labels := t.Context(), map[string]string{"app": "policy"}
	fail, none := admissionregistrationv1.Fail, admissionregistrationv1.SideEffectClassNone
	meta := metav1.ObjectMeta{Name: "policy"}
	to := admissionregistrationv1.WebhookClientConfig{Service: &admissionregistrationv1.ServiceReference{Namespace: "default", Name: "policy"}}
	rules := []admissionregistrationv1.RuleWithOperations{{
		Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create},
		Rule:       admissionregistrationv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"secrets"}},
	}}
	hooks := client.AdmissionregistrationV1()
	_, err := hooks.ValidatingWebhookConfigurations().Create(ctx, &admissionregistrationv1.ValidatingWebhookConfiguration{ObjectMeta: meta,
		Webhooks: []admissionregistrationv1.ValidatingWebhook{{Name: "v.policy.example.com", FailurePolicy: &fail, SideEffects: &none,
			AdmissionReviewVersions: []string{"v1"}, ClientConfig: to, Rules: rules}}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = hooks.MutatingWebhookConfigurations().Create(ctx, &admissionregistrationv1.MutatingWebhookConfiguration{ObjectMeta: meta,
		Webhooks: []admissionregistrationv1.MutatingWebhook{{Name: "m.policy.example.com", FailurePolicy: &fail, SideEffects: &none,
			AdmissionReviewVersions: []string{"v1"}, ClientConfig: to, Rules: rules}}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.CoreV1().Services("default").Create(ctx, &corev1.Service{ObjectMeta: meta, Spec: corev1.ServiceSpec{Selector: labels,
		Ports: []corev1.ServicePort{{Port: 443, TargetPort: intstr.FromString("https")}}}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second) // the API server has to have heard of the configurations
	_, err = client.CoreV1().Pods("default").Create(ctx, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "policy", Labels: labels, Annotations: map[string]string{"lab.kiban.dev/webhook": "policy"}},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "policy", Image: "registry.example.com/policy:1",
			Ports: []corev1.ContainerPort{{Name: "https", ContainerPort: 443}}}}}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

func deployWebhook(t *testing.T, client kubernetes.Interface) {
	t.Helper()
	ctx, labels, path := t.Context(), map[string]string{"app": "hook"}, "/"
	fail, none := admissionregistrationv1.Fail, admissionregistrationv1.SideEffectClassNone
	_, err := client.AdmissionregistrationV1().ValidatingWebhookConfigurations().
		Create(ctx, &admissionregistrationv1.ValidatingWebhookConfiguration{
			ObjectMeta: metav1.ObjectMeta{Name: "hook"},
			Webhooks: []admissionregistrationv1.ValidatingWebhook{{
				Name: "maps.lab.kiban.dev", FailurePolicy: &fail, SideEffects: &none, AdmissionReviewVersions: []string{"v1"},
				ClientConfig: admissionregistrationv1.WebhookClientConfig{Service: &admissionregistrationv1.ServiceReference{Namespace: "default",
					Name: "hook", Path: &path}},
				NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: "default"}},
				MatchConditions:   []admissionregistrationv1.MatchCondition{{Name: "marked", Expression: "has(object.metadata.annotations)"}},
				Rules: []admissionregistrationv1.RuleWithOperations{{
					Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create},
					Rule:       admissionregistrationv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"configmaps"}},
				}},
			}},
		}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.CoreV1().Services("default").Create(ctx,
		&corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "hook"}, Spec: corev1.ServiceSpec{
			Selector: labels, Ports: []corev1.ServicePort{{Port: 443, TargetPort: intstr.FromInt32(9443)}},
		}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.AppsV1().Deployments("default").Create(ctx,
		&appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "hook"}, Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{
				Containers: []corev1.Container{{Name: "hook", Image: "lab.kiban.dev/webhook:1", Ports: []corev1.ContainerPort{{ContainerPort: 9443}},
					Env: []corev1.EnvVar{
						{Name: "LAB_WEBHOOK_AFTER", Value: "5s"},
						{Name: "LAB_WEBHOOK_SERVICE", Value: "hook"}, {Name: "LAB_WEBHOOK_CONFIGURATION", Value: "hook"},
					}}},
			}},
		}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
}
