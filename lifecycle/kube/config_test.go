package kube

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
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
	text := strings.Replace(signedOn(a.kubeconfig(addr), "sh"), "current-context: c\n", "current-context: none\n", 1)
	text = strings.Replace(text, "cluster: {server:", `cluster: {tls-server-name: kubernetes, server:`, 1)
	c := New(given([]byte(text)), nil, Options{Context: "c", Plugins: []string{"aws", "sh"}})
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

// signedOn is a kubeconfig whose token comes from that program.
func signedOn(kubeconfig []byte, command string) string {
	program := fmt.Sprintf("exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: %s, "+
		`args: [-c, 'printf %%s "%s"']}`,
		command, strings.ReplaceAll(`{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"secret"}}`,
			`"`, `\"`))
	return strings.Replace(string(kubeconfig), "{token: secret}", "{"+program+"}", 1)
}

// TestA1_OnlyTheFleetsProgramsRun: a program in an external site's kubeconfig runs when the fleet's owners name it, and a refusal says how
// they would. A name stands for the program that a shell would find by it, and for no other of that name.
func TestA1_OnlyTheFleetsProgramsRun(t *testing.T) {
	a := newAuthority(t)
	addr, _ := a.serve(t, certificateName, newFakeAPI())
	dir, ran := t.TempDir(), filepath.Join(t.TempDir(), "ran")
	evil := filepath.Join(dir, "sh")
	if err := os.WriteFile(evil, []byte("#!/bin/sh\ntouch "+ran+"\nexec /bin/sh \"$@\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		command string
		allowed []string
		runs    bool
	}{
		{"sh", nil, false},
		{"sh", []string{"aws"}, false},
		{"sh", []string{"sh"}, true},
		{"/bin/sh", []string{"/bin/sh"}, true},
		{evil, nil, false},
		{evil, []string{"sh"}, false},
		{evil, []string{"/bin/sh", "aws"}, false},
		{evil, []string{evil}, true},
	} {
		text := strings.Replace(signedOn(a.kubeconfig(addr), c.command), "cluster: {server:", `cluster: {tls-server-name: kubernetes, server:`, 1)
		client := New(given([]byte(text)), nil, Options{Plugins: c.allowed})
		_, err := client.Facts(t.Context())
		client.Close()
		if c.runs {
			if err != nil {
				t.Errorf("%s with %v: %v", c.command, c.allowed, err)
			}
			os.Remove(ran)
			continue
		}
		ds := lifecycle.AsDiagnostics(err, "")
		if len(ds) != 1 || !strings.Contains(ds[0].Summary, c.command) || !strings.Contains(ds[0].Hint, "execPlugins: ["+c.command+"]") ||
			!strings.Contains(ds[0].Hint, "fleet.yaml") {
			t.Errorf("%s with %v: %+v", c.command, c.allowed, err)
		}
		if _, err := os.Stat(ran); err == nil {
			t.Fatalf("%s ran, allowed are %v", c.command, c.allowed)
		}
	}
}

// TestA1_AKubeconfigReadsNoFile: what an external site's kubeconfig needs is in it.
func TestA1_AKubeconfigReadsNoFile(t *testing.T) {
	a := newAuthority(t)
	good := string(a.kubeconfig("127.0.0.1:1"))
	for field, text := range map[string]string{
		"tokenFile":             strings.Replace(good, "token: secret", "tokenFile: /etc/hostname", 1),
		"client-key":            strings.Replace(good, "token: secret", "client-key: /etc/hostname", 1),
		"client-certificate":    strings.Replace(good, "token: secret", "client-certificate: /etc/hostname", 1),
		"certificate-authority": strings.Replace(good, "certificate-authority-data: ", "certificate-authority: /etc/hostname, x: ", 1),
		"auth-provider":         strings.Replace(good, "token: secret", "auth-provider: {name: gcp}", 1),
	} {
		_, err := externalConfig([]byte(text), "", nil)
		if ds := lifecycle.AsDiagnostics(err, ""); len(ds) != 1 || !strings.Contains(ds[0].Summary, field) || ds[0].Hint == "" {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := externalConfig([]byte(good), "", nil); err != nil {
		t.Error(err)
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
	from := lifecycle.Credentials{Authority: a.pem, Certificate: a.pem,
		Key: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})}
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
