package session

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/site"
)

// secrets finds what a site's documents do not hold: in the environment, and in files, relative to the overlay.
type secrets struct {
	site   lifecycle.Site
	getenv func(string) string
}

// Find is the value of a source; false: it is not here. An empty variable is none, as GitLab passes one for a variable that a job may not
// see. A file's last line end is not part of a value.
func (s secrets) Find(src lifecycle.SecretSource) (value []byte, here bool, err error) {
	if src.Env != "" {
		if err := s.allowed(src); err != nil {
			return nil, false, err
		}
		v := s.env(src.Env)
		return []byte(v), v != "", nil
	}
	b, here, err := s.read(src)
	return []byte(strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")), here, err
}

// read is the content of a file that a source names.
func (s secrets) read(src lifecycle.SecretSource) (content []byte, here bool, err error) {
	if err := s.allowed(src); err != nil {
		return nil, false, err
	}
	file := src.File
	if src.FileEnv != "" {
		file = s.env(src.FileEnv)
	}
	if file == "" {
		return nil, false, nil
	}
	if src.FileEnv == "" {
		if !filepath.IsAbs(file) {
			file = filepath.Join(s.site.Dir, file)
		}
		if file, err = site.LocalFile(s.site, file); errors.Is(err, fs.ErrNotExist) {
			return nil, false, nil
		}
		if err != nil {
			return nil, false, fmt.Errorf("%s: %w", src.File, err)
		}
	}
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	return b, err == nil, err
}

// allowed holds a source to the variables that the fleet's owners allow; what a document says was judged when it was read, and is again
// here.
func (s secrets) allowed(src lifecycle.SecretSource) error {
	allows := s.site.Fleet.AllowsSecret
	if src == s.site.API.Kubeconfig {
		allows = s.site.Fleet.AllowsKubeconfig
	}
	if name := src.Env + src.FileEnv; name != "" && !allows(name) {
		return lifecycle.Errorf(s.site.Name, "secrets may not come from %s", name).
			Because("It is neither called " + lifecycle.SecretPrefix + "... nor listed by the fleet's owners.").
			Try("List it in " + lifecycle.FleetFile + ": `spec: {secretVariables: [" + name + "]}`.")
	}
	return nil
}

func (s secrets) env(name string) string {
	if s.getenv == nil {
		return ""
	}
	return s.getenv(name)
}

// kubeconfig is that of a site that someone else runs.
func (s secrets) kubeconfig(of lifecycle.Site) ([]byte, error) {
	src := of.API.Kubeconfig
	find := s.read
	if src.Env != "" {
		find = s.Find
	}
	b, here, err := find(src)
	if err == nil && here {
		return b, nil
	}
	d := lifecycle.Errorf(of.Name, "the site's kubeconfig is not here").
		Because(fmt.Sprintf("spec.api.kubeconfig of the Site says that it is %s.", src)).
		Try("Set it where kiban runs (in GitLab: a variable of type File), then run the same command again.").
		From(err)
	if err != nil {
		d.Detail += " " + err.Error()
	}
	return nil, d
}
