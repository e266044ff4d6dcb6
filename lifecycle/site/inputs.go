package site

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// Inputs are the files of the repository that a site's addons read and its merged documents only name, with "sha256:<hex>" of each:
// manifests, charts' archives and folders (of their files' names and contents). Keys are as the documents have them. What is fetched over
// the network is not among them: the lock file stands for that. A file that is not there has "".
func Inputs(s lifecycle.Site) (map[string]string, error) {
	out := map[string]string{}
	for _, a := range s.Addons {
		for _, m := range a.Manifests {
			if isRemote(m) {
				continue
			}
			sum, err := fileDigest(absolute(s.Dir, m))
			if err != nil {
				return nil, err
			}
			out[m] = sum
		}
		if a.Chart == nil || isRemote(a.Chart.Repo) {
			continue
		}
		name, sum, err := chartDigest(absolute(s.Dir, a.Chart.Repo), *a.Chart)
		if err != nil {
			return nil, err
		}
		out[strings.TrimSuffix(a.Chart.Repo, "/")+"/"+name] = sum
	}
	return out, nil
}

func fileDigest(file string) (string, error) {
	b, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case err != nil:
		return "", err
	}
	return digest(b), nil
}

// chartDigest finds a chart where charts are looked for: an archive of its version, or its folder.
func chartDigest(dir string, c lifecycle.Chart) (name, sum string, err error) {
	archive := c.Name + "-" + c.Version + ".tgz"
	if sum, err := fileDigest(filepath.Join(dir, archive)); sum != "" || err != nil {
		return archive, sum, err
	}
	sum, err = folderDigest(filepath.Join(dir, c.Name))
	return c.Name, sum, err
}

func folderDigest(dir string) (string, error) {
	var parts [][]byte
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if !d.Type().IsRegular() {
			return lifecycle.Errorf(rel, "the chart %s holds a symbolic link", filepath.Base(dir)).
				Because(rel + " leads to what may not be in the commit.").
				Try("Put the file itself there.")
		}
		b, err := os.ReadFile(path)
		parts = append(parts, []byte(filepath.ToSlash(rel)), b)
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return digest(parts...), err
}
