package fleet

import (
	"os"
	"path/filepath"
)

// Folders are the names of the files in each folder of a folder of a fleet, such as "overlays" or "clusters/components", sorted. What
// can't be read has none: whoever shows it says what is there, and nothing of what is not.
func Folders(fleet, of string) map[string][]string {
	out := map[string][]string{}
	entries, _ := os.ReadDir(filepath.Join(fleet, filepath.FromSlash(of)))
	for _, e := range entries {
		files, err := os.ReadDir(filepath.Join(fleet, filepath.FromSlash(of), e.Name()))
		if err != nil {
			continue // a file, or a folder that is not for us
		}
		names := []string{}
		for _, f := range files {
			if !f.IsDir() {
				names = append(names, f.Name())
			}
		}
		out[e.Name()] = names
	}
	return out
}
