package k0s

import (
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/k0sproject/k0sctl/pkg/apis/k0sctl.k0sproject.io/v1beta1/cluster"

	"kiban.dev/kiban/lifecycle"
)

// hostFiles describes the files that the document declares for a host, sorted by path. An entry may stand for several.
func (d *describer) hostFiles(h *cluster.Host, i int) []lifecycle.HostFile {
	byPath := map[string]lifecycle.HostFile{}
	for _, f := range h.Files {
		files, err := d.expand(f, h.K0sDataDir())
		if err != nil {
			d.fail(subject(h, i), "a file to upload cannot be read", err.Error(), "Write src relative to the overlay's folder")
		}
		for _, file := range files {
			if was, twice := byPath[file.Path]; twice {
				d.warn(subject(h, i), "two files are declared for one path",
					fmt.Sprintf("%s: %s and %s; the latter is used", file.Path, was.Source, file.Source),
					"Declare each path once")
			}
			byPath[file.Path] = file
		}
	}
	var out []lifecycle.HostFile
	for _, f := range byPath {
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b lifecycle.HostFile) int { return strings.Compare(a.Path, b.Path) })
	return out
}

// expand reads what one entry stands for.
func (d *describer) expand(f *cluster.UploadFile, dataDir string) ([]lifecycle.HostFile, error) {
	as := func(name string) lifecycle.HostFile {
		dest := f.DestinationFile
		if dest == "" {
			dest = name
		}
		if !path.IsAbs(dest) {
			dest = path.Join(f.DestinationDir, dest)
		}
		return lifecycle.HostFile{Path: dest, Mode: f.PermString, DirMode: f.DirPermString, Owner: f.User, Group: f.Group,
			Restart: lifecycle.ReadAtStart(dest, dataDir), Source: f.String()}
	}
	if f.HasData() {
		file := as(f.Name)
		file.Content, file.Digest = []byte(f.Data), digest([]byte(f.Data))
		return []lifecycle.HostFile{file}, nil
	}
	var out []lifecycle.HostFile
	for _, s := range f.Sources {
		local := filepath.Join(filepath.FromSlash(f.Base), filepath.FromSlash(s.Path))
		source, err := d.sources.read(local)
		if err != nil {
			return out, err
		}
		file := as(s.Path)
		file.Content, file.Local, file.Digest = source.content, source.local, source.digest
		if file.Mode == "" {
			file.NewMode = source.mode
		}
		out = append(out, file)
	}
	return out, nil
}
