package kube

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"kiban.dev/kiban/lifecycle"
)

// TestRESTConfig: another library's client goes through the same fail-over, with the same credentials, and holds none of its own.
func TestRESTConfig(t *testing.T) {
	a := newAuthority(t)
	addr, _ := a.serve(t, certificateName, newFakeAPI())
	c := New(given(a.kubeconfig(addr)), []Server{{Host: "gone", Address: "127.0.0.1:1"}, {Host: "c1", Address: addr}}, Options{})
	defer c.Close()
	cfg, err := c.RESTConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if cfg.BearerToken != "" || cfg.CAData != nil || cfg.QPS == 0 {
		t.Errorf("got %+v", cfg)
	}
	other, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if ns, err := other.CoreV1().Namespaces().Get(t.Context(), "kube-system", metav1.GetOptions{}); err != nil || ns.UID != "cluster-uid" {
		t.Errorf("got %v, %v", ns, err)
	}
}

// TestKubeconfigOfAnotherCluster: a context is chosen by name, and credentials may come from a program, as those of managed clusters do.
func TestKubeconfigOfAnotherCluster(t *testing.T) {
	a := newAuthority(t)
	addr, _ := a.serve(t, certificateName, newFakeAPI())
	program := fmt.Sprintf(`exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: sh, args: [-c, 'printf %%s "%s"']}`,
		strings.ReplaceAll(`{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"secret"}}`, `"`, `\"`))
	text := strings.Replace(string(a.kubeconfig(addr)), "{token: secret}", "{"+program+"}", 1)
	text = strings.Replace(text, "current-context: c\n", "current-context: none\n", 1)
	text = strings.Replace(text, "cluster: {server:", `cluster: {tls-server-name: kubernetes, server:`, 1)
	c := New(given([]byte(text)), nil, Options{Context: "c"})
	defer c.Close()
	if facts, err := c.Facts(t.Context()); err != nil || facts.API.ClusterUID != "cluster-uid" || len(facts.API.Servers) != 1 ||
		!facts.API.Servers[0].Ready {
		t.Errorf("got %+v, %v", facts, err)
	}
	err := New(given([]byte(text)), nil, Options{Context: "d"}).connect(t.Context())
	if err == nil || !strings.Contains(err.Error(), "no such context") {
		t.Errorf("got %v", err)
	}
	if ds := lifecycle.AsDiagnostics(err, ""); len(ds) != 1 || ds[0].Hint == "" || ds[0].Detail != "it has: c" {
		t.Errorf("got %+v", ds)
	}
}

// TestA1_OfAControllerOnlyDataCounts: the client of a site's own controllers goes to the declared servers, verified by the one name, with
// certificates and a key; it knows no way to start a program, read a file or go through a proxy.
func TestA1_OfAControllerOnlyDataCounts(t *testing.T) {
	a, api := newAuthority(t), newFakeAPI()
	addr, _ := a.serve(t, certificateName, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.TLS.PeerCertificates) == 1 && r.Header.Get("Authorization") == "" {
			r.Header.Set("Authorization", "Bearer secret") // what the fake lets in
		}
		api.ServeHTTP(w, r)
	}))
	secret, err := x509.MarshalPKCS8PrivateKey(a.key)
	if err != nil {
		t.Fatal(err)
	}
	from := lifecycle.Credentials{Authority: a.pem, Certificate: a.pem, Key: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})}
	c := New(func(context.Context) (lifecycle.Credentials, error) { return from, nil }, []Server{{Host: "c1", Address: addr}}, Options{})
	defer c.Close()
	if facts, err := c.Facts(t.Context()); err != nil || facts.API.ClusterUID != "cluster-uid" {
		t.Errorf("got %+v, %v", facts.API, err)
	}
	cfg, err := c.restConfig(from)
	if err != nil {
		t.Fatal(err)
	}
	want := &rest.Config{Host: "https://" + addr, TLSClientConfig: rest.TLSClientConfig{CAData: from.Authority, CertData: from.Certificate,
		KeyData: from.Key, ServerName: certificateName}}
	if !reflect.DeepEqual(cfg, want) {
		t.Errorf("got %+v", cfg)
	}
	if err := New(func(context.Context) (lifecycle.Credentials, error) { return from, nil }, nil, Options{}).connect(t.Context()); err == nil {
		t.Error("credentials without a declared server led somewhere")
	}
}
