package session

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// secrets finds what a site's documents do not hold: in the environment, and in files, relative to the overlay.
type secrets struct {
	dir    string
	getenv func(string) string
}

// Find is the value of a source; false: it is not here. An empty variable is none, as GitLab passes one for a variable that a job may not
// see. A file's last line end is not part of a value.
func (s secrets) Find(src lifecycle.SecretSource) (value []byte, here bool, err error) {
	if src.Env != "" {
		v := s.env(src.Env)
		return []byte(v), v != "", nil
	}
	b, here, err := s.read(src)
	return []byte(strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")), here, err
}

// read is the content of a file that a source names.
func (s secrets) read(src lifecycle.SecretSource) (content []byte, here bool, err error) {
	file := src.File
	if src.FileEnv != "" {
		file = s.env(src.FileEnv)
	}
	if file == "" {
		return nil, false, nil
	}
	if !filepath.IsAbs(file) && src.FileEnv == "" {
		file = filepath.Join(s.dir, file)
	}
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	return b, err == nil, err
}

func (s secrets) env(name string) string {
	if s.getenv == nil {
		return ""
	}
	return s.getenv(name)
}

// kubeconfig is that of a site that someone else runs.
func (s secrets) kubeconfig(site lifecycle.Site) ([]byte, error) {
	src := site.API.Kubeconfig
	find := s.read
	if src.Env != "" {
		find = s.Find
	}
	b, here, err := find(src)
	if err == nil && here {
		return b, nil
	}
	d := lifecycle.Errorf(site.Name, "the site's kubeconfig is not here").
		Because(fmt.Sprintf("spec.api.kubeconfig of the Site says that it is %s.", src)).
		Try("Set it where kiban runs (in GitLab: a variable of type File), then run the same command again.").
		From(err)
	if err != nil {
		d.Detail += " " + err.Error()
	}
	return nil, d
}
