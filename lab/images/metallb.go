package images

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
)

// What MetalLB's chart calls its things.
const (
	metalLBService       = "metallb-webhook-service"
	metalLBConfiguration = "metallb-webhook-configuration"
	metalLBCertificates  = "metallb-webhook-cert"
	metalLBManager       = "controller"
	metalLBConverted     = "bgppeers.metallb.io"
)

func poolResource() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "metallb.io", Version: "v1beta1", Resource: "ipaddresspools"}
}

// metalLBWebhooks serves MetalLB's admission and conversion webhooks. As with the real controller, the pod is Ready before: first it makes
// its certificates, keeps them in the chart's Secret, and writes their authority into the webhook configuration and into the definition of
// BGPPeer.
func metalLBWebhooks(c corev1.Container) Program {
	return func(ctx context.Context, e Env) {
		port := int32(0)
		for _, p := range c.Ports {
			if p.Name == "webhook-server" {
				port = p.ContainerPort
			}
		}
		if port == 0 || !pause(ctx, webhookAfter(e.Pod)) { // --webhook-mode=disabled has no port
			return
		}
		client, err := dynamic.NewForConfig(e.Config)
		if err != nil {
			e.Log.Warn("no client", "pod", e.Pod.Name, "error", err)
			return
		}
		var certs certificates
		if !insist(ctx, e, "make certificates", func() (err error) { certs, err = keptCertificates(ctx, e); return err }) {
			return
		}
		write := func() error {
			if err := writeBundle(ctx, e, metalLBConfiguration, metalLBManager, certs.ca); err != nil {
				return err
			}
			return absent(writeConversionBundle(ctx, client, metalLBConverted, metalLBManager, certs.ca))
		}
		if !insist(ctx, e, "write the authority", write) {
			return
		}
		go keepBundle(ctx, e, write)
		mux := http.NewServeMux()
		mux.HandleFunc("/convert", convert)
		mux.HandleFunc("/validate-metallb-io-v1beta1-ipaddresspool",
			admit(func(r *admissionv1.AdmissionRequest) error { return judgePool(ctx, client, r) }))
		mux.HandleFunc("/", admit(func(*admissionv1.AdmissionRequest) error { return nil }))
		insist(ctx, e, "serve", func() error { return serveTLS(ctx, e, port, certs, mux) })
	}
}

// keptCertificates are those of the Secret, or new ones that are then put there.
func keptCertificates(ctx context.Context, e Env) (certificates, error) {
	secrets := e.Client.CoreV1().Secrets(e.Pod.Namespace)
	s, err := secrets.Get(ctx, metalLBCertificates, metav1.GetOptions{})
	if err != nil {
		return certificates{}, err
	}
	kept := certificates{ca: s.Data["ca.crt"], cert: s.Data["tls.crt"], key: s.Data["tls.key"]}
	if len(kept.ca) > 0 && len(kept.cert) > 0 && len(kept.key) > 0 {
		return kept, nil
	}
	made, err := newCertificates(metalLBService, e.Pod.Namespace)
	if err != nil {
		return certificates{}, err
	}
	s.Data = map[string][]byte{"ca.crt": made.ca, "tls.crt": made.cert, "tls.key": made.key}
	_, err = secrets.Update(ctx, s, metav1.UpdateOptions{FieldManager: metalLBManager})
	return made, err
}

// judgePool refuses a pool whose addresses are none, or are another pool's too.
func judgePool(ctx context.Context, client dynamic.Interface, r *admissionv1.AdmissionRequest) error {
	var object unstructured.Unstructured
	if err := json.Unmarshal(r.Object.Raw, &object.Object); err != nil {
		return err
	}
	ranges, err := parsePool(object.GetName(), object)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	others, err := client.Resource(poolResource()).Namespace(r.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, other := range others.Items {
		theirs, err := parsePool(other.GetName(), other)
		if err != nil || other.GetName() == object.GetName() {
			continue
		}
		for _, a := range ranges {
			for _, b := range theirs {
				if a.overlaps(b) {
					return fmt.Errorf("CIDR %q in pool %q overlaps with already defined CIDR %q", a.text, cmp.Or(object.GetName(), r.Name), b.text)
				}
			}
		}
	}
	return nil
}
