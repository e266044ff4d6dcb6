package k0s

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// keyPair is a certificate, which is its own authority, and its key, in PEM.
func keyPair(t testing.TB) (certificate, key []byte) {
	t.Helper()
	pair, err := onePair()
	if err != nil {
		t.Fatal(err)
	}
	return pair[0], pair[1]
}

var onePair = sync.OnceValues(func() (pair [2][]byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return pair, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "kubernetes-admin"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return pair, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	pair[0] = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	pair[1] = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
	return pair, err
})

// adminConf is an administrator's kubeconfig as k0s writes it.
func adminConf(t testing.TB) string {
	t.Helper()
	certificate, key := keyPair(t)
	b64 := base64.StdEncoding.EncodeToString
	return fmt.Sprintf(`apiVersion: v1
clusters:
- cluster:
    server: https://localhost:6443
    certificate-authority-data: %s
  name: local
contexts:
- context:
    cluster: local
    namespace: default
    user: user
  name: Default
current-context: Default
kind: Config
preferences: {}
users:
- name: user
  user:
    client-certificate-data: %s
    client-key-data: %s
`, b64(certificate), b64(certificate), b64(key))
}

func base64Of(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

const runningController = "service<0>ActiveState=active\nSubState=running\n"

// controllerSays are the facts of a running controller with that kubeconfig.
func controllerSays(kubeconfig string) []byte {
	return said("unit=k0scontroller", runningController, "kubeconfig<0>"+kubeconfig, `etcd<0>{"members":{"h1":"https://10.0.0.11:2380"}}`)
}

// TestA1_KubeconfigIsData: of what a controller has as its kubeconfig, certificates and a key are taken, and nothing else can be in it. The
// finding names the host and the field.
func TestA1_KubeconfigIsData(t *testing.T) {
	good := adminConf(t)
	certificate, key := keyPair(t)
	got := parseFacts(controllerSays(good), asked(lifecycle.RoleController))
	if c := got.credentials; string(c.Authority) != string(certificate) || string(c.Certificate) != string(certificate) ||
		string(c.Key) != string(key) || c.Kubeconfig != nil || len(got.host.Doubts) > 0 {
		t.Fatalf("k0s's own kubeconfig gives %#v %v", c, got.host.Doubts)
	}
	user := func(line string) string { return good + "    " + line + "\n" }
	cluster := func(line string) string {
		return strings.Replace(good, "  name: local\n", "    "+line+"\n  name: local\n", 1)
	}
	b64 := base64.StdEncoding.EncodeToString
	const none = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"
	for name, c := range map[string]struct{ text, want string }{
		"exec":                  {user("exec: {apiVersion: client.authentication.k8s.io/v1, command: sh}"), "users[0].user.exec"},
		"auth-provider":         {user("auth-provider: {name: gcp}"), "users[0].user.auth-provider"},
		"tokenFile":             {user("tokenFile: /root/.ssh/id"), "users[0].user.tokenFile"},
		"token":                 {user("token: abc"), "users[0].user.token"},
		"username":              {user("username: root"), "users[0].user.username"},
		"password":              {user("password: root"), "users[0].user.password"},
		"impersonation":         {user("as: system:admin"), "users[0].user.as"},
		"client-key file":       {user("client-key: /root/.ssh/id"), "users[0].user.client-key"},
		"client-certificate":    {user("client-certificate: /etc/passwd"), "users[0].user.client-certificate"},
		"proxy-url":             {cluster("proxy-url: http://10.6.6.6"), "clusters[0].cluster.proxy-url"},
		"insecure":              {cluster("insecure-skip-tls-verify: true"), "clusters[0].cluster.insecure-skip-tls-verify"},
		"tls-server-name":       {cluster("tls-server-name: x"), "clusters[0].cluster.tls-server-name"},
		"certificate-authority": {cluster("certificate-authority: /etc/passwd"), "clusters[0].cluster.certificate-authority"},
		"cluster extension":     {cluster("extensions: [{name: x}]"), "clusters[0].cluster.extensions"},
		"top level":             {good + "extensions: []\n", "extensions"},
		"preferences":           {strings.Replace(good, "preferences: {}", "preferences: {colors: true}", 1), "preferences.colors"},
		"two users":             {good + "- name: other\n  user: {}\n", "users"},
		"field twice":           {user("client-key-data: abc"), "twice"},
		"not YAML":              {"{", "not YAML"},
		"a key alone":           {string(key), "it is no mapping"},
		"nothing":               {"", "contexts"},
		"no key":                {good[:strings.Index(good, "    client-key-data")], "client-key-data holds no PEM"},
		"key is no base64":      {good[:strings.Index(good, "    client-key-data")] + "    client-key-data: '!!'\n", "is not base64"},
		"key is a number":       {good[:strings.Index(good, "    client-key-data")] + "    client-key-data: 7\n", "is no text"},
		"key is no PEM":         {strings.Replace(good, b64(key), b64([]byte("hello")), 1), "holds no PEM"},
		"key of another type":   {strings.Replace(good, b64(key), b64(certificate), 1), "another type"},
		"another's key":         {strings.Replace(good, b64(certificate), b64([]byte(none)), 2), "no certificate"},
		"too long":              {good + "# " + strings.Repeat("x", maxKubeconfig), "at most"},
	} {
		got := parseFacts(controllerSays(c.text), asked(lifecycle.RoleController))
		if !got.credentials.IsZero() {
			t.Errorf("%s: credentials were taken of\n%s", name, c.text)
		}
		if c.want == "at most" { // not even facts: an answer beyond all bounds
			if !strings.Contains(got.host.Why, c.want) {
				t.Errorf("%s: %q", name, got.host.Why)
			}
			continue
		}
		ds := got.host.Doubts
		if len(ds) != 1 || ds[0].Severity != lifecycle.SeverityError || ds[0].Subject != "h1" || !strings.Contains(ds[0].Detail, c.want) ||
			ds[0].Hint == "" {
			t.Errorf("%s: want %q in %+v", name, c.want, ds)
		}
		if strings.Contains(fmt.Sprint(ds), b64(key)[:40]) {
			t.Errorf("%s: the key is in the finding", name)
		}
	}
}

// TestA1_AWorkerGivesNoCredentials: what a machine runs does not make it a controller; only the site's declaration does. One that is to be
// removed is asked no more.
func TestA1_AWorkerGivesNoCredentials(t *testing.T) {
	leaving := asked(lifecycle.RoleController)
	leaving.host.Reset = true
	for name, q := range map[string]question{"worker": asked(lifecycle.RoleWorker), "leaving": leaving} {
		got := parseFacts(controllerSays(adminConf(t)), q)
		if !got.credentials.IsZero() || len(got.host.Doubts) > 0 {
			t.Errorf("%s: gave %v, %v", name, got.credentials, got.host.Doubts)
		}
		if name == "worker" && got.etcd != nil {
			t.Errorf("a worker told of etcd: %v", got.etcd)
		}
		if !strings.HasPrefix(arguments(q), nonce+" worker ") {
			t.Errorf("%s: it is asked as a controller", name)
		}
	}
	if !strings.HasPrefix(arguments(asked(lifecycle.RoleControllerWorker)), nonce+" controller ") {
		t.Error("a controller is not asked as one")
	}
}

// TestA1_CredentialsPrintNoSecret: whatever prints them by accident.
func TestA1_CredentialsPrintNoSecret(t *testing.T) {
	c := parseFacts(controllerSays(adminConf(t)), asked(lifecycle.RoleController)).credentials
	for _, form := range []string{"%v", "%+v", "%s", "%#v"} {
		if s := fmt.Sprintf(form, c) + fmt.Sprintf(form, lifecycle.MachineFacts{Credentials: c}); strings.Contains(s, "PRIVATE") ||
			strings.Contains(s, "45 45 45") || strings.Contains(s, "0x2d, 0x2d") {
			t.Errorf("%s prints %s", form, s)
		}
	}
}

// TestA1_OfSeveralControllers: the first that has k0s's own kubeconfig is believed; and where none has, the reason is told.
func TestA1_OfSeveralControllers(t *testing.T) {
	f := newFarm(t, "c1", "c2", "w1")
	evil := strings.Replace(adminConf(t), "    client-key-data", "    exec: {command: touch}\n    client-key-data", 1)
	for name, m := range f.fakes {
		m.write("bin/k0s", standIn("v1.35.7+k0s.0"), 0o755)
		m.write("unit/k0scontroller.service", "ExecStart=/usr/local/bin/k0s controller\n", 0o644)
		m.write("running/k0scontroller", "v1.35.7+k0s.0", 0o644)
		m.write("data/pki/admin.conf", evil, 0o600)
		if name == "w1" {
			m.write("data/pki/admin.conf", adminConf(t), 0o600)
		}
	}
	s := f.open(v135)
	got, err := s.Facts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !got.Credentials.IsZero() || len(got.Hosts[0].Doubts) != 1 || len(got.Hosts[1].Doubts) != 1 || len(got.Hosts[2].Doubts) > 0 {
		t.Errorf("got %v, %+v", got.Credentials, got.Hosts)
	}
	if _, err := s.Credentials(t.Context()); err == nil || !strings.Contains(err.Error(), "users[0].user.exec") {
		t.Errorf("got %v", err)
	}
	f.fakes["c2"].write("data/pki/admin.conf", adminConf(t), 0o600)
	if got, err = s.Facts(t.Context()); err != nil || got.Credentials.IsZero() || len(got.Hosts[0].Doubts) != 1 {
		t.Errorf("got %v, %v", got.Credentials, err)
	}
	if c, err := s.Credentials(t.Context()); err != nil || c.IsZero() {
		t.Errorf("got %v, %v", c, err)
	}
}
