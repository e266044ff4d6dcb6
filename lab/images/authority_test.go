package images

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
)

// TestAPodAnswersBothAsAWebhookAndInPlain: on one port, to whoever trusts the lab's authority under whatever name, while one connection
// says nothing.
func TestAPodAnswersBothAsAWebhookAndInPlain(t *testing.T) {
	a, err := NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	allow := Allow()
	server := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil {
			_, _ = io.WriteString(w, "plain")
			return
		}
		allow.ServeHTTP(w, r)
	})}
	go func() { _ = server.Serve(a.Listener(plain)) }()
	t.Cleanup(func() { server.Close() })
	silent, err := net.Dial("tcp", plain.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()

	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(a.ca.pem)
	ask := func(name, body string) string {
		t.Helper()
		client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true,
			TLSClientConfig: &tls.Config{RootCAs: trusted, ServerName: name}}}
		url := "https://" + plain.Addr().String() + "/any/path"
		if name == "" {
			url = "http://" + plain.Addr().String()
		}
		resp, err := client.Post(url, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if got := ask("", ""); got != "plain" {
		t.Errorf("in plain: %s", got)
	}
	for _, name := range []string{"policy.guard.svc", strings.Repeat("a-long-name-", 5) + ".of-a-namespace.svc"} {
		var review struct {
			APIVersion string
			Response   struct {
				UID     string
				Allowed bool
			}
		}
		got := ask(name, `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u1"}}`)
		if err := json.Unmarshal([]byte(got), &review); err != nil || !review.Response.Allowed || review.Response.UID != "u1" ||
			review.APIVersion != "admission.k8s.io/v1" {
			t.Errorf("%s: %s", name, got)
		}
	}
	got := ask("policy.guard.svc", `{"apiVersion":"apiextensions.k8s.io/v1","kind":"ConversionReview","request":{"uid":"u2",
		"desiredAPIVersion":"a.example.com/v2","objects":[{"apiVersion":"a.example.com/v1","kind":"A"}]}}`)
	if !strings.Contains(got, `"convertedObjects":[{"apiVersion":"a.example.com/v2","kind":"A"}]`) || !strings.Contains(got, `"Success"`) {
		t.Errorf("conversion: %s", got)
	}
}

// TestTheAuthorityGoesWhereItIsNamed: into webhooks that have a Service, of either kind; one with an address outside keeps what it has.
func TestTheAuthorityGoesWhereItIsNamed(t *testing.T) {
	url := "https://outside.example.com"
	policy := &admissionregistrationv1.ServiceReference{Namespace: "guard", Name: "policy"}
	inside := admissionregistrationv1.WebhookClientConfig{Service: policy, CABundle: []byte("old")}
	outside := admissionregistrationv1.WebhookClientConfig{URL: &url, CABundle: []byte("theirs")}
	client := fake.NewClientset(
		&admissionregistrationv1.ValidatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: "policy"},
			Webhooks: []admissionregistrationv1.ValidatingWebhook{{ClientConfig: inside}, {ClientConfig: outside}}},
		&admissionregistrationv1.MutatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: "policy"},
			Webhooks: []admissionregistrationv1.MutatingWebhook{{ClientConfig: inside}}})
	e := Env{Client: client}
	if err := writeBundle(t.Context(), e, "policy", "test", []byte("new")); err != nil {
		t.Fatal(err)
	}
	if err := writeMutatingBundle(t.Context(), e, "policy", "test", []byte("new")); err != nil {
		t.Fatal(err)
	}
	hooks := client.AdmissionregistrationV1()
	v, err := hooks.ValidatingWebhookConfigurations().Get(t.Context(), "policy", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := hooks.MutatingWebhookConfigurations().Get(t.Context(), "policy", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := []string{string(v.Webhooks[0].ClientConfig.CABundle), string(v.Webhooks[1].ClientConfig.CABundle),
		string(m.Webhooks[0].ClientConfig.CABundle)}; !slices.Equal(got, []string{"new", "theirs", "new"}) {
		t.Errorf("%q", got)
	}
	before := len(client.Actions())
	if err := writeBundle(t.Context(), e, "policy", "test", []byte("new")); err != nil || len(client.Actions()) != before+1 {
		t.Errorf("what is as it should be was written again: %v, %v", err, client.Actions()[before:])
	}
	if err := absent(writeBundle(t.Context(), e, "not-there-yet", "test", nil)); err != nil {
		t.Error(err)
	}
}

func TestWebhooksOfAPod(t *testing.T) {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{AnnotationWebhook: " a, b.example.com,,"}}}
	if got := Webhooks(pod); !slices.Equal(got, []string{"a", "b.example.com"}) {
		t.Errorf("%q", got)
	}
	if got := len(Of(pod).Programs); got != 1 {
		t.Errorf("%d programs", got)
	}
	pod.Spec.Containers = []corev1.Container{{Image: "quay.io/metallb/controller:v0.15"}, {Image: "lab.kiban.dev/webhook"}}
	if got := len(Of(pod).Programs); got != 2 { // its own way of handing out addresses, and no second webhook
		t.Errorf("%d programs", got)
	}
	pod.Annotations = nil
	if got := len(Of(pod).Programs); got != 3 {
		t.Errorf("%d programs without the annotation", got)
	}
}
