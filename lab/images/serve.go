package images

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"
)

// certificates are a webhook's own authority and what it serves with, PEM. The authority's key is not kept.
type certificates struct{ ca, cert, key []byte }

// newCertificates makes those of a Service's name.
func newCertificates(service, namespace string) (certificates, error) {
	ca, err := newIssuer(service + "-ca")
	if err != nil {
		return certificates{}, err
	}
	cert, key, err := ca.issue(service + "." + namespace + ".svc")
	return certificates{ca: ca.pem, cert: cert, key: key}, err
}

// serveTLS answers on a port of the pod until ctx ends.
func serveTLS(ctx context.Context, e Env, port int32, c certificates, handler http.Handler) error {
	pair, err := tls.X509KeyPair(c.cert, c.key)
	if err != nil {
		return err
	}
	l, err := e.Listen(port)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	err = server.Serve(tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}))
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// writeBundle puts the authority into every webhook of a configuration, as programs do that make their certificates themselves. The write
// is theirs in managedFields: by is the name of the program.
func writeBundle(ctx context.Context, e Env, configuration, by string, ca []byte) error {
	hooks := e.Client.AdmissionregistrationV1().ValidatingWebhookConfigurations()
	return bundled(ca, func() (list []*admissionregistrationv1.WebhookClientConfig, update func() error, err error) {
		c, err := hooks.Get(ctx, configuration, metav1.GetOptions{})
		if err != nil {
			return nil, nil, err
		}
		for i := range c.Webhooks {
			list = append(list, &c.Webhooks[i].ClientConfig)
		}
		return list, func() error {
			_, err := hooks.Update(ctx, c, metav1.UpdateOptions{FieldManager: by})
			return err
		}, nil
	})
}

// writeMutatingBundle is writeBundle for a MutatingWebhookConfiguration.
func writeMutatingBundle(ctx context.Context, e Env, configuration, by string, ca []byte) error {
	hooks := e.Client.AdmissionregistrationV1().MutatingWebhookConfigurations()
	return bundled(ca, func() (list []*admissionregistrationv1.WebhookClientConfig, update func() error, err error) {
		c, err := hooks.Get(ctx, configuration, metav1.GetOptions{})
		if err != nil {
			return nil, nil, err
		}
		for i := range c.Webhooks {
			list = append(list, &c.Webhooks[i].ClientConfig)
		}
		return list, func() error {
			_, err := hooks.Update(ctx, c, metav1.UpdateOptions{FieldManager: by})
			return err
		}, nil
	})
}

// bundled puts the authority into the webhooks that read returns, and updates what they are of when one of them lacked it.
func bundled(ca []byte, read func() ([]*admissionregistrationv1.WebhookClientConfig, func() error, error)) error {
	return retry.RetryOnConflict(retry.DefaultRetry, func() error {
		hooks, update, err := read()
		if err != nil {
			return err
		}
		changed := false
		for _, h := range hooks {
			changed = bundle(h, ca) || changed
		}
		if !changed {
			return nil
		}
		return update()
	})
}

// bundle puts the authority into one webhook, and reports whether it was not there. One with an address of its own is no pod's.
func bundle(c *admissionregistrationv1.WebhookClientConfig, ca []byte) (changed bool) {
	if c.Service == nil || bytes.Equal(c.CABundle, ca) {
		return false
	}
	c.CABundle = ca
	return true
}

// keepBundle writes the authority now, and again whenever somebody has taken it away: until ctx ends.
func keepBundle(ctx context.Context, e Env, write func() error) {
	for pause(ctx, 2*time.Second) {
		if err := write(); err != nil && ctx.Err() == nil {
			e.Log.Debug("authority not written", "pod", e.Pod.Name, "error", err)
		}
	}
}

// admit handles admission requests: judge returns why an object is refused, or nil.
func admit(judge func(*admissionv1.AdmissionRequest) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var review admissionv1.AdmissionReview
		if err := json.NewDecoder(r.Body).Decode(&review); err != nil || review.Request == nil {
			http.Error(w, fmt.Sprintf("not an admission review: %v", err), http.StatusBadRequest)
			return
		}
		answer := &admissionv1.AdmissionResponse{UID: review.Request.UID, Allowed: true}
		if err := judge(review.Request); err != nil {
			answer.Allowed, answer.Result = false, &metav1.Status{Message: err.Error(), Reason: metav1.StatusReasonForbidden,
				Code: http.StatusForbidden}
		}
		review.Request, review.Response = nil, answer
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(review) // the API server may have gone away
	}
}
