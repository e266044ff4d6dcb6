package images

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// annotationRefuse on an object makes the lab's webhook refuse it, with this message.
const annotationRefuse = "lab.kiban.dev/refuse"

// webhookProgram is lab.kiban.dev/webhook: an admission webhook that makes its own certificates and writes its authority into its
// configuration, some time after its pod is Ready. Its environment: LAB_WEBHOOK_SERVICE and LAB_WEBHOOK_CONFIGURATION name the Service and
// the ValidatingWebhookConfiguration. It listens on the container's first port.
func webhookProgram(c corev1.Container) Program {
	return func(ctx context.Context, e Env) {
		if len(c.Ports) == 0 || !pause(ctx, webhookAfter(e.Pod)) {
			return
		}
		certs, err := newCertificates(env(c, "LAB_WEBHOOK_SERVICE"), e.Pod.Namespace)
		if err != nil {
			e.Log.Warn("no certificates", "pod", e.Pod.Name, "error", err)
			return
		}
		write := func() error {
			return writeBundle(ctx, e, env(c, "LAB_WEBHOOK_CONFIGURATION"), "webhook", certs.ca)
		}
		if !insist(ctx, e, "write the authority", write) {
			return
		}
		go keepBundle(ctx, e, write)
		insist(ctx, e, "serve", func() error { return serveTLS(ctx, e, c.Ports[0].ContainerPort, certs, admit(refuseMarked)) })
	}
}

func refuseMarked(r *admissionv1.AdmissionRequest) error {
	var object metav1.PartialObjectMetadata
	if len(r.Object.Raw) == 0 {
		return nil
	}
	if err := json.Unmarshal(r.Object.Raw, &object); err != nil {
		return err
	}
	if why := object.Annotations[annotationRefuse]; why != "" {
		return errors.New(why)
	}
	return nil
}

func webhookAfter(pod *corev1.Pod) time.Duration {
	return duration(said(pod, AnnotationWebhookAfter, "LAB_WEBHOOK_AFTER"), 2*time.Second)
}
