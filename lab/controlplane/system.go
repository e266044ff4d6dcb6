package controlplane

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
)

// createSystem creates CoreDNS and the metrics server, by the names and labels that k0s gives them. Their pods just run.
func createSystem(ctx context.Context, client kubernetes.Interface, dns string) error {
	in := metav1.NamespaceSystem
	for _, d := range []*appsv1.Deployment{
		systemDeployment("coredns", "k8s-app", "kube-dns", "quay.io/k0sproject/coredns:1.13.1",
			corev1.ContainerPort{Name: "dns", ContainerPort: 53, Protocol: corev1.ProtocolUDP}),
		systemDeployment("metrics-server", "k8s-app", "metrics-server", "registry.k8s.io/metrics-server/metrics-server:v0.8.0",
			corev1.ContainerPort{Name: "https", ContainerPort: 10250}),
	} {
		if err := create(ctx, func() error {
			_, err := client.AppsV1().Deployments(in).Create(ctx, d, metav1.CreateOptions{FieldManager: "k0s"})
			return err
		}); err != nil {
			return err
		}
	}
	for _, s := range []*corev1.Service{
		systemService("kube-dns", "kube-dns", dns, corev1.ServicePort{Name: "dns", Port: 53, Protocol: corev1.ProtocolUDP},
			corev1.ServicePort{Name: "dns-tcp", Port: 53}),
		systemService("metrics-server", "metrics-server", "",
			corev1.ServicePort{Name: "https", Port: 443, TargetPort: intstr.FromString("https")}),
	} {
		if err := create(ctx, func() error {
			// of a Service that is there, the API server says that its address is taken, not that it exists
			if _, err := client.CoreV1().Services(in).Get(ctx, s.Name, metav1.GetOptions{}); err == nil {
				return nil
			}
			_, err := client.CoreV1().Services(in).Create(ctx, s, metav1.CreateOptions{FieldManager: "k0s"})
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

func systemDeployment(name, label, value, image string, port corev1.ContainerPort) *appsv1.Deployment {
	labels, one := map[string]string{label: value}, int32(1)
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: metav1.NamespaceSystem, Labels: labels},
		Spec: appsv1.DeploymentSpec{Replicas: &one, Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: labels},
			Spec: corev1.PodSpec{
				PriorityClassName: "system-cluster-critical",
				Containers:        []corev1.Container{{Name: name, Image: image, Ports: []corev1.ContainerPort{port}}},
				Tolerations: []corev1.Toleration{
					{Key: "CriticalAddonsOnly", Operator: corev1.TolerationOpExists},
					{Key: "node-role.kubernetes.io/control-plane", Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoSchedule},
				},
			},
		}},
	}
}

func systemService(name, app, address string, ports ...corev1.ServicePort) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: metav1.NamespaceSystem, Labels: map[string]string{"k8s-app": app}},
		Spec:       corev1.ServiceSpec{Selector: map[string]string{"k8s-app": app}, ClusterIP: address, Ports: ports},
	}
}
