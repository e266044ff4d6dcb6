package kube

import (
	"cmp"
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kiban.dev/kiban/lifecycle"
)

// probeUser is the user of the probes' pods: nobody.
const probeUser = 65534

// loadBalancer proves that a Service of type LoadBalancer gets an address or a name.
func (p *prober) loadBalancer() probe {
	lb := p.platform.LoadBalancer
	out := probe{name: "load balancer"}
	if !lb.Promised && lb.Class == "" && len(lb.Annotations) == 0 {
		out.skip = "the platform promises none"
		return out
	}
	services := p.client.api.CoreV1().Services(p.namespace)
	s := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "load-balancer", Annotations: lb.Annotations},
		Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer, Selector: map[string]string{"probe": "load-balancer"},
			Ports: []corev1.ServicePort{{Port: 80}}}}
	if lb.Class != "" {
		s.Spec.LoadBalancerClass = &lb.Class
	}
	out.make = func(ctx context.Context) error {
		_, err := services.Create(ctx, s, metav1.CreateOptions{FieldManager: manager})
		return unlessThere(err)
	}
	out.look = func(ctx context.Context) (bool, string, error) {
		now, err := services.Get(ctx, s.Name, metav1.GetOptions{})
		if err != nil {
			return false, "", err
		}
		for _, in := range now.Status.LoadBalancer.Ingress {
			if address := cmp.Or(in.IP, in.Hostname); address != "" {
				return true, "a Service got " + address, nil
			}
		}
		why, err := p.client.lastWarning(ctx, lifecycle.ObjectRef{Kind: "Service", Namespace: p.namespace, Name: s.Name})
		return false, "a Service of type LoadBalancer gets no address: " +
			cmp.Or(why, "no controller has said anything of it; is one installed that serves class "+fmt.Sprintf("%q", lb.Class)+"?"), err
	}
	return out
}

// storage proves that a claim is bound and a pod starts with it.
func (p *prober) storage() probe {
	class := p.platform.Storage.Class
	out := probe{name: "storage"}
	if class == "" {
		out.skip = "the platform promises none"
		return out
	}
	claims := p.client.api.CoreV1().PersistentVolumeClaims(p.namespace)
	claim := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Name: "storage"},
		Spec: corev1.PersistentVolumeClaimSpec{StorageClassName: &class,
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}}}}
	user := p.pod("storage", "sleep 600")
	user.Spec.Volumes = []corev1.Volume{{Name: "data",
		VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim.Name}}}}
	user.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "data", MountPath: "/data"}}
	out.make = func(ctx context.Context) error {
		if _, err := p.client.api.StorageV1().StorageClasses().Get(ctx, class, metav1.GetOptions{}); apierrors.IsNotFound(err) {
			return fmt.Errorf("%w: there is no StorageClass %s", errBroken, class) // a claim would wait for it for ever
		}
		if _, err := claims.Create(ctx, claim, metav1.CreateOptions{FieldManager: manager}); unlessThere(err) != nil {
			return err
		}
		return p.create(ctx, user) // a class may bind a claim only when a pod uses it
	}
	out.look = func(ctx context.Context) (bool, string, error) {
		now, err := claims.Get(ctx, claim.Name, metav1.GetOptions{})
		if err != nil {
			return false, "", err
		}
		if now.Status.Phase != corev1.ClaimBound {
			why, err := p.client.lastWarning(ctx, lifecycle.ObjectRef{Kind: "PersistentVolumeClaim", Namespace: p.namespace, Name: claim.Name})
			if why == "" && err == nil {
				_, why, err = p.started(ctx, user.Name)
			}
			return false, fmt.Sprintf("a claim of class %s is not bound: %s", class, why), err
		}
		up, seen, err := p.started(ctx, user.Name)
		if up {
			seen = "a claim is bound to " + now.Spec.VolumeName + ", and a pod uses it"
		}
		return up, seen, err
	}
	return out
}

// dns proves that a pod finds the API by its name.
func (p *prober) dns() probe {
	asker := p.pod("dns", "nslookup kubernetes.default")
	return probe{name: "dns", make: func(ctx context.Context) error { return p.create(ctx, asker) },
		look: func(ctx context.Context) (bool, string, error) {
			now, err := p.client.api.CoreV1().Pods(p.namespace).Get(ctx, asker.Name, metav1.GetOptions{})
			switch {
			case err != nil:
				return false, "", err
			case now.Status.Phase == corev1.PodSucceeded:
				return true, "kubernetes.default answers", nil
			case now.Status.Phase == corev1.PodFailed:
				why, _ := podTrouble(now)
				return false, "", fmt.Errorf("%w: a pod can't look up kubernetes.default: %s", errBroken, why)
			}
			up, seen, err := p.started(ctx, asker.Name)
			if up {
				seen = "nslookup kubernetes.default has no answer yet: " + seen
			}
			return false, seen, err
		}}
}

// nodeLabel proves that a pod that asks for a label is placed and starts.
func (p *prober) nodeLabel(n int, key, value string) probe {
	asker := p.pod(fmt.Sprintf("label-%d", n), "sleep 600")
	asker.Spec.NodeSelector = map[string]string{key: value}
	return probe{name: "node label " + key + "=" + value, make: func(ctx context.Context) error { return p.create(ctx, asker) },
		look: func(ctx context.Context) (bool, string, error) { return p.started(ctx, asker.Name) }}
}

// started reports whether a probe's pod runs, and where, or what it waits for.
func (p *prober) started(ctx context.Context, name string) (bool, string, error) {
	now, err := p.client.api.CoreV1().Pods(p.namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return false, "", err
	}
	if podReady(now) || now.Status.Phase == corev1.PodSucceeded {
		return true, "a pod runs on " + now.Spec.NodeName, nil
	}
	why, _ := podTrouble(now)
	if message := unpulled(now); message != "" {
		return false, "", noImage{p.image, fmt.Sprintf("pod %s can't have its image %s: %s", name, p.image, message)}
	}
	warning, err := p.client.lastWarning(ctx, lifecycle.ObjectRef{Kind: "Pod", Namespace: p.namespace, Name: name})
	if warning != "" && now.Spec.NodeName != "" {
		why += "; " + warning
	}
	return false, "pod " + name + " does not start: " + why, err
}

// unpulled is what the kubelet says of an image that it could not pull more than once, or can't ever; "" otherwise.
func unpulled(p *corev1.Pod) string {
	for _, s := range p.Status.ContainerStatuses {
		if w := s.State.Waiting; w != nil && (w.Reason == "ImagePullBackOff" || w.Reason == "InvalidImageName") {
			return cmp.Or(w.Message, w.Reason)
		}
	}
	return ""
}

// noImage is a probe whose image could not be pulled: nothing was proven.
type noImage struct{ image, why string }

func (e noImage) Error() string { return e.why }
func (noImage) Unwrap() error   { return errBroken }

// pod is a pod that the strictest Pod Security Standard lets pass.
func (p *prober) pod(name, command string) *corev1.Pod {
	yes, no, user, now := true, false, int64(probeUser), int64(0)
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"probe": name}}, Spec: corev1.PodSpec{
		RestartPolicy: corev1.RestartPolicyNever, AutomountServiceAccountToken: &no, TerminationGracePeriodSeconds: &now,
		SecurityContext: &corev1.PodSecurityContext{RunAsNonRoot: &yes, RunAsUser: &user, RunAsGroup: &user, FSGroup: &user,
			SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}},
		Containers: []corev1.Container{{Name: "probe", Image: p.image, Command: []string{"sh", "-c", command},
			TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,
			SecurityContext: &corev1.SecurityContext{AllowPrivilegeEscalation: &no,
				Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}},
			Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("10m"),
				corev1.ResourceMemory: resource.MustParse("16Mi")},
				Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("64Mi")}}}},
	}}
}

func (p *prober) create(ctx context.Context, pod *corev1.Pod) error {
	_, err := p.client.api.CoreV1().Pods(p.namespace).Create(ctx, pod, metav1.CreateOptions{FieldManager: manager})
	return unlessThere(err)
}

// unlessThere lets an object that is there already pass: a former attempt made it.
func unlessThere(err error) error {
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}
