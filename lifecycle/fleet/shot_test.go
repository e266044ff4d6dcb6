package fleet

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// shot is a Snapshot of what files hold; that of "" is the commit.
type shot map[string]string

func (s shot) Revision() string { return s[""] }

func (s shot) Entries(folder string) (files, folders map[string]string, err error) {
	files, folders = map[string]string{}, map[string]string{}
	for name, content := range s {
		rest, below := strings.CutPrefix(name, folder+"/")
		if folder == "" {
			rest, below = name, name != ""
		}
		first, _, deeper := strings.Cut(rest, "/")
		switch {
		case !below:
		case deeper:
			folders[first] = "folder " + strings.Join(s.below(strings.TrimPrefix(folder+"/"+first, "/")), " ")
		default:
			files[first] = content
		}
	}
	return files, folders, nil
}

// below is what tells folders apart: all that they hold.
func (s shot) below(folder string) (out []string) {
	for name, content := range s {
		if rest, is := strings.CutPrefix(name, folder+"/"); is {
			out = append(out, rest+"="+content)
		}
	}
	slices.Sort(out)
	return out
}

func (s shot) Content(name string) ([]byte, bool, error) {
	content, is := s[name]
	if !is {
		return nil, false, errors.New("no such file: " + name)
	}
	return []byte(content), true, nil
}

func (s shot) Write(into string, names ...string) (err error) {
	for file, content := range s {
		for _, name := range names {
			if file == "" || file != name && !strings.HasPrefix(file, name+"/") {
				continue
			}
			to := filepath.Join(into, file)
			err = errors.Join(err, os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, []byte(content), 0o600))
		}
	}
	return err
}

func (s shot) Beside() ([]string, error) { return nil, nil }
