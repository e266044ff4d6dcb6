package fleet

import (
	"bytes"
	"crypto/sha256"
	"encoding/gob"
	"os"
	"path/filepath"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/atomicfile"
)

// compared is what is kept of a site to hold others against it.
type compared struct {
	Name string
	// Reads are the files and folders of the fleet that decide the rest, and Digest is of them.
	Reads  []string
	Digest string
	Site   lifecycle.Site
}

// maxCompared is how many bytes the file may have: 3,500 sites of fifteen machines take about a tenth of that.
const maxCompared = 256 << 20

// readCompared reads what was kept, by the names of sites. A file that is not there, or damaged, holds nothing.
func readCompared(file string) map[string]compared {
	info, err := os.Stat(file)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxCompared {
		return nil
	}
	content, err := os.ReadFile(file)
	if err != nil || len(content) < sha256.Size {
		return nil
	}
	sum := sha256.Sum256(content[sha256.Size:])
	if !bytes.Equal(content[:sha256.Size], sum[:]) {
		return nil
	}
	var kept []compared
	if gob.NewDecoder(bytes.NewReader(content[sha256.Size:])).Decode(&kept) != nil {
		return nil
	}
	out := make(map[string]compared, len(kept))
	for _, one := range kept {
		out[one.Name] = one
	}
	return out
}

// keepCompared puts those that have a digest into the file, behind a digest of them all.
func keepCompared(file string, all []compared) error {
	var kept []compared
	for _, one := range all {
		if one.Digest != "" {
			kept = append(kept, one)
		}
	}
	var content bytes.Buffer
	if err := gob.NewEncoder(&content).Encode(kept); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	sum := sha256.Sum256(content.Bytes())
	return atomicfile.Write(file, append(sum[:], content.Bytes()...), 0o600)
}
