package fleet

import (
	"os"

	"kiban.dev/kiban/lifecycle"
)

// Scratch makes a folder for what is needed while a verb runs. The caller removes it.
func Scratch(pattern string) (string, error) {
	dir, err := os.MkdirTemp("", pattern)
	if err != nil {
		return "", lifecycle.Errorf(os.TempDir(), "there is no room for temporary files").
			Try("Set TMPDIR to a folder that may be written to.").
			From(err)
	}
	return dir, nil
}
