package twin

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"os"
	"path"
	"path/filepath"
)

const (
	// encryptionFlag names the file that says how API servers encrypt at rest.
	encryptionFlag = "encryption-provider-config"
	// encryptionVariable names the file with the twin's own key, for the kiban in it.
	encryptionVariable = "KIBAN_SECRET_TWIN_ENCRYPTION"
)

// ownKey writes a configuration of encryption at rest with a key that nobody else has, and gives the variable that names it. It goes with
// the twin's folder.
func ownKey(dir string) (variable string, err error) {
	var key [32]byte
	rand.Read(key[:])
	file := filepath.Join(dir, "encryption.yaml")
	content := fmt.Sprintf(`apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
- resources: [secrets]
  providers:
  - secretbox: {keys: [{name: twin, secret: %s}]}
  - identity: {}
`, base64.StdEncoding.EncodeToString(key[:]))
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		return "", NoRoom(dir, err)
	}
	return encryptionVariable + "=" + file, nil
}

// encryptionOf is where a Cluster document has its API servers read how to encrypt at rest; "" where they are told nothing.
func encryptionOf(cluster map[string]any) string {
	args, _ := lookupPath(cluster, "spec.k0s.config.spec.api.extraArgs").(map[string]any)
	at := text(args, encryptionFlag)
	if at == "" {
		return ""
	}
	return path.Clean(at)
}

// encrypted puts the twin's own configuration of encryption at rest where the site has its own, for the same readers.
func (w *declaring) encrypted(site map[string]any) map[string]any {
	file := map[string]any{"on": "controllers", "mode": "0600", "owner": "kube-apiserver"}
	files, _ := lookupPath(site, "spec.files").(map[string]any)
	declared, _ := files[w.encryption].(map[string]any)
	keep(file, declared, "on", "mode", "owner", "group")
	file["from"] = map[string]any{"fileEnv": encryptionVariable}
	w.differs("Secrets are encrypted at rest with a key of the twin's own",
		"Whether the site's keys, or the plugin that has them, are well is not rehearsed.")
	return file
}
