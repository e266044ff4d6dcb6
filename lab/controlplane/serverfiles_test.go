package controlplane_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"kiban.dev/kiban/lab/controlplane"
	"kiban.dev/kiban/lab/oidc"
)

// TestServerFilesTakeEffect holds that files of the machine which the API server's arguments name do what they are for: sign-on, the audit
// log, encryption in etcd, defaults of Pod Security, the last through a file that another one names.
func TestServerFilesTakeEffect(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a control plane")
	}
	issuer, err := oidc.Start(t.TempDir(), "127.66.8.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer issuer.Close()
	s := newSite(t, "127.66.8")
	c := s.controller(1, "")
	c.Config.APIArgs = writeServerFiles(t, c, issuer)
	s.run(c)
	client, ctx := s.client(c), t.Context()

	// Sign-on.
	token, err := issuer.Token(map[string]any{"sub": "1", "email": "ann@example.com", "groups": []string{"product-a"}})
	if err != nil {
		t.Fatal(err)
	}
	var ann *authenticationv1.SelfSubjectReview
	s.until("the token is taken", func(ctx context.Context) error {
		ann, err = bearer(t, c, token).AuthenticationV1().SelfSubjectReviews().
			Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
		return err
	})
	if u := ann.Status.UserInfo; u.Username != "oidc:ann@example.com" || !strings.Contains(strings.Join(u.Groups, " "), "oidc:product-a") {
		t.Errorf("she is %+v", u)
	}
	stranger, err := issuer.Token(map[string]any{"aud": "somebody-else", "email": "bob@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bearer(t, c, stranger).AuthenticationV1().SelfSubjectReviews().
		Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{}); !apierrors.IsUnauthorized(err) {
		t.Errorf("a token for another audience: %v", err)
	}

	// Encryption: what etcd holds is not what was written.
	if _, err := client.CoreV1().Secrets("default").Create(ctx,
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "key"}, StringData: map[string]string{"k": "plain-to-see"}},
		metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if stored := inEtcd(t, c); !bytes.Contains(stored, []byte("k8s:enc:")) || bytes.Contains(stored, []byte("plain-to-see")) {
		t.Errorf("etcd holds the Secret unencrypted, or not at all: %d bytes", len(stored))
	}

	// Pod Security.
	privileged := true
	s.until("service account", func(ctx context.Context) error {
		_, err := client.CoreV1().ServiceAccounts("default").Get(ctx, "default", metav1.GetOptions{})
		return err
	})
	_, err = client.CoreV1().Pods("default").Create(ctx, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "bad"}, Spec: corev1.PodSpec{
		Containers: []corev1.Container{{Name: "c", Image: "x", SecurityContext: &corev1.SecurityContext{Privileged: &privileged}}}}},
		metav1.CreateOptions{})
	if err == nil || !strings.Contains(err.Error(), "violates PodSecurity") {
		t.Errorf("a privileged pod: %v", err)
	}

	s.until("audit log", func(context.Context) error {
		log, err := os.ReadFile(filepath.Join(c.Root, "var/log/kube-apiserver/audit.log"))
		if err == nil && !bytes.Contains(log, []byte(`"oidc:ann@example.com"`)) {
			err = errors.New("she is not in it")
		}
		return err
	})
}

func writeServerFiles(t *testing.T, c *controlplane.Controller, issuer *oidc.Issuer) (args map[string]string) {
	t.Helper()
	files := map[string]string{
		"authentication.yaml": fmt.Sprintf(`apiVersion: apiserver.config.k8s.io/v1
kind: AuthenticationConfiguration
jwt:
- issuer:
    url: %s
    audiences: [kubernetes]
    certificateAuthority: |
      %s
  claimMappings:
    username: {claim: email, prefix: "oidc:"}
    groups: {claim: groups, prefix: "oidc:"}
`, issuer.URL(), strings.ReplaceAll(strings.TrimSpace(string(issuer.CA())), "\n", "\n      ")),
		"audit.yaml": "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- level: Metadata\n",
		"encryption.yaml": `apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
- resources: [secrets]
  providers:
  - secretbox: {keys: [{name: a, secret: MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=}]}
  - identity: {}
`,
		"admission.yaml": "apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\nplugins:\n- name: PodSecurity\n" +
			"  path: /etc/k0s/levels.yaml\n",
		"levels.yaml": "apiVersion: pod-security.admission.config.k8s.io/v1\nkind: PodSecurityConfiguration\ndefaults: {enforce: baseline}\n" +
			"exemptions: {namespaces: [kube-system]}\n",
	}
	dir := filepath.Join(c.Root, "etc/k0s")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return map[string]string{
		"authentication-config": "/etc/k0s/authentication.yaml", "audit-policy-file": "/etc/k0s/audit.yaml",
		"audit-log-path":             "/var/log/kube-apiserver/audit.log",
		"encryption-provider-config": "/etc/k0s/encryption.yaml", "admission-control-config-file": "/etc/k0s/admission.yaml",
	}
}

// bearer is a client with a token and nothing else.
func bearer(t *testing.T, c *controlplane.Controller, token string) kubernetes.Interface {
	t.Helper()
	doc, err := c.AdminKubeconfig()
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := clientcmd.RESTConfigFromKubeConfig(doc)
	if err != nil {
		t.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(&rest.Config{Host: cfg.Host, BearerToken: token,
		TLSClientConfig: rest.TLSClientConfig{CAData: cfg.CAData}})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// inEtcd is the Secret default/key as etcd holds it: all of its write-ahead log, which has it once.
func inEtcd(t *testing.T, c *controlplane.Controller) []byte {
	t.Helper()
	logs, err := filepath.Glob(filepath.Join(c.DataDir, "etcd/member/wal/*.wal"))
	if err != nil || len(logs) == 0 {
		t.Fatalf("no write-ahead log: %v", err)
	}
	var all []byte
	for _, f := range logs {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	i := bytes.Index(all, []byte("/registry/secrets/default/key"))
	if i < 0 {
		t.Fatal("the Secret is not in etcd's log")
	}
	return all[i:]
}
