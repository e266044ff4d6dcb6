package twin

import (
	"os"
	"strings"
	"testing"
)

const encrypting = `apiVersion: k0sctl.k0sproject.io/v1beta1
kind: Cluster
metadata: {name: tokyo}
spec:
  hosts:
  - {hostname: cp-1, role: controller, ssh: {address: 10.0.0.1}}
  k0s:
    config:
      spec:
        api:
          extraArgs: {encryption-provider-config: /etc/k0s//encryption.yaml, encryption-provider-config-automatic-reload: "true"}
---
apiVersion: kiban.dev/v1alpha1
kind: Site
metadata: {name: tokyo}
spec:
  files:
    /etc/k0s/encryption.yaml: {from: {env: KIBAN_SECRET_KEYS}, on: controllers, mode: "0640", owner: root, group: apiserver}
    /etc/other: {from: {env: KIBAN_SECRET_OTHER}, on: all}
`

// TestDeclareEncryption: the twin of a site that encrypts at rest encrypts, too, with a key of its own, in a file of the same path, owner
// and mode; the site's own key is not asked for, and nothing else of its files is there.
func TestDeclareEncryption(t *testing.T) {
	cluster, site, left, err := Declare([]byte(encrypting), Declaration{Site: "tokyo", Lab: testPlace(), OwnKey: true})
	if err != nil {
		t.Fatal(err)
	}
	all := string(cluster) + string(site)
	for _, want := range []string{"encryption-provider-config: /etc/k0s/encryption.yaml\n", "encryption-provider-config-automatic-reload:",
		"/etc/k0s/encryption.yaml:\n", "fileEnv: " + encryptionVariable, "group: apiserver", `mode: "0640"`, "owner: root"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not there:\n%s", want, all)
		}
	}
	for _, bad := range []string{"KIBAN_SECRET_KEYS", "KIBAN_SECRET_OTHER"} {
		if strings.Contains(all, bad) {
			t.Errorf("the site's %s is asked for:\n%s", bad, all)
		}
	}
	told := ""
	for _, d := range left {
		told += d.What + " " + d.Consequence + "\n"
	}
	if !strings.Contains(told, "a key of the twin's own") || strings.Contains(told, "extra arguments") ||
		!strings.Contains(told, "1 declared file") || strings.Contains(told, "encryption.yaml") {
		t.Errorf("it is told as:\n%s", told)
	}
	plain := strings.Replace(encrypting, "encryption-provider-config: /etc/k0s//encryption.yaml, ", "", 1)
	if _, site, _, err = Declare([]byte(plain), Declaration{Site: "tokyo", Lab: testPlace(), OwnKey: true}); err != nil ||
		strings.Contains(string(site), encryptionVariable) {
		t.Errorf("a site that encrypts nothing gets a key: %v\n%s", err, site)
	}
}

// TestOwnKey: no two twins have the same key, and nobody else reads it.
func TestOwnKey(t *testing.T) {
	var content [2]string
	for i := range content {
		variable, err := ownKey(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		_, file, _ := strings.Cut(variable, "=")
		info, err := os.Stat(file)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Fatalf("%v, %v", info, err)
		}
		b, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(b), "kind: EncryptionConfiguration") {
			t.Fatalf("%v: %s", err, b)
		}
		content[i] = string(b)
	}
	if content[0] == content[1] {
		t.Error("two twins have the same key")
	}
}
