package machine

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"

	"kiban.dev/kiban/lab/machine/k0s"
)

// WriteMirror writes a release mirror: <dir>/<version>/k0s-<version>-amd64 and, beside it, sha256sums.txt as `sha256sum` prints it.
func WriteMirror(dir string, versions []string) error {
	for _, v := range versions {
		folder := filepath.Join(dir, v)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
		name, b := "k0s-"+v+"-amd64", k0s.Binary(v)
		if err := os.WriteFile(filepath.Join(folder, name), b, 0o755); err != nil {
			return err
		}
		sums := fmt.Sprintf("%x  %s\n", sha256.Sum256(b), name)
		if err := os.WriteFile(filepath.Join(folder, "sha256sums.txt"), []byte(sums), 0o644); err != nil {
			return err
		}
	}
	return nil
}
