package images

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
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
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return certificates{}, err
	}
	now := time.Now()
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: service + "-ca"}, NotBefore: now.Add(-time.Hour),
		NotAfter: now.AddDate(10, 0, 0),
		IsCA:     true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey)
	if err != nil {
		return certificates{}, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return certificates{}, err
	}
	name := service + "." + namespace + ".svc"
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano() + 1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(10, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, ca, key.Public(), caKey)
	if err != nil {
		return certificates{}, err
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return certificates{}, err
	}
	return certificates{
		ca:   pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER}),
		cert: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		key:  pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER}),
	}, nil
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
	return retry.RetryOnConflict(retry.DefaultRetry, func() error {
		hooks := e.Client.AdmissionregistrationV1().ValidatingWebhookConfigurations()
		c, err := hooks.Get(ctx, configuration, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if bundled(c, ca) {
			return nil
		}
		for i := range c.Webhooks {
			c.Webhooks[i].ClientConfig.CABundle = ca
		}
		_, err = hooks.Update(ctx, c, metav1.UpdateOptions{FieldManager: by})
		return err
	})
}

func bundled(c *admissionregistrationv1.ValidatingWebhookConfiguration, ca []byte) bool {
	for _, w := range c.Webhooks {
		if string(w.ClientConfig.CABundle) != string(ca) {
			return false
		}
	}
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
