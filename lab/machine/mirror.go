package machine

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"

	"kiban.dev/kiban/lab/machine/k0s"
)

// WriteMirror writes a release mirror: <dir>/<version>/k0s-<version>-<arch> for each architecture (amd64 when none is given) and, beside
// them, sha256sums.txt as `sha256sum` prints it. The binaries of a version are alike: any machine runs each.
func WriteMirror(dir string, versions []string, archs ...string) error {
	if len(archs) == 0 {
		archs = []string{"amd64"}
	}
	for _, v := range versions {
		folder := filepath.Join(dir, v)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
		b, sums := k0s.Binary(v), ""
		for _, arch := range archs {
			name := "k0s-" + v + "-" + arch
			if err := os.WriteFile(filepath.Join(folder, name), b, 0o755); err != nil {
				return err
			}
			sums += fmt.Sprintf("%x  %s\n", sha256.Sum256(b), name)
		}
		if err := os.WriteFile(filepath.Join(folder, "sha256sums.txt"), []byte(sums), 0o644); err != nil {
			return err
		}
	}
	return nil
}
