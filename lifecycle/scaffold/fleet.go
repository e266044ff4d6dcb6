package scaffold

import (
	"embed"
	"fmt"
	"io/fs"
	"regexp"
	"strings"

	"kiban.dev/kiban/clusters"
	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/explain"
)

// FirstVersion is the k0s version of a new fleet's first site, where nobody says another.
const FirstVersion = "v1.36.3+k0s.2"

// What a fleet has beside its declarations. renovate.json5 and config.js are written by scripts/renovate-check from what renovate/ holds.
//
//go:embed fleet
var around embed.FS

// Tool is where a fleet's pipeline finds kiban.
type Tool struct {
	// Image is the repository of its images, without a tag: "registry.example.com/platform/kiban". The project of GitLab that has the
	// pipeline is called as what follows the registry.
	Image string
	// Version is a release, "1.4.0".
	Version string
}

var releaseForm = regexp.MustCompile(`^v\d+\.\d+\.\d+(-rc\.\d+)?$`)

var imageName = regexp.MustCompile(`^[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9][a-z0-9._-]*)+$`)

func (t Tool) project() (string, error) {
	if !imageName.MatchString(t.Image) {
		return "", lifecycle.Errorf(t.Image, "%q is no repository of images", t.Image).
			Try("Name registry and project, without a tag: registry.example.com/platform/kiban.")
	}
	_, project, _ := strings.Cut(t.Image, "/")
	return project, nil
}

// Fleet is a repository with one site: clusters/base as kiban ships it, the site's overlay, the pipeline, what Renovate is told, and what
// git is to leave alone. The error is a lifecycle.Diagnostic when the tool can't be where it is said to be.
func Fleet(first Site, tool Tool) ([]File, error) {
	project, err := tool.project()
	if err != nil {
		return nil, err
	}
	files, err := baseFiles()
	if err != nil {
		return nil, fmt.Errorf("read the base: %w", err)
	}
	schema, err := explain.Schema("")
	if err != nil {
		return nil, err
	}
	files = append(files, File{explain.SchemaFile, schema})
	for _, f := range first.Overlay() {
		files = append(files, File{"overlays/" + first.Name + "/" + f.Path, f.Content})
	}
	fill := strings.NewReplacer("KIBAN_PROJECT", project, "KIBAN_IMAGE", tool.Image, "KIBAN_VERSION", tool.Version, "KIBAN_SITE", first.Name)
	for _, f := range []struct{ from, to string }{
		{"gitlab-ci.yml", ".gitlab-ci.yml"},
		{"kiban.yml", ".gitlab/kiban.yml"},
		{"gitignore", ".gitignore"},
		{"README.md", "README.md"},
		{"overlays.md", "overlays/README.md"}, // git keeps no empty folder: without one, a fleet whose last site goes would be none
		{"renovate.json5", "renovate.json5"},
		{"config.js", "renovate/config.js"},
	} {
		content, err := around.ReadFile("fleet/" + f.from)
		if err != nil {
			return nil, err
		}
		files = append(files, File{f.to, []byte(fill.Replace(string(content)))})
	}
	return files, nil
}

func baseFiles() ([]File, error) {
	var files []File
	err := fs.WalkDir(clusters.Base, "base", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(clusters.Base, path)
		files = append(files, File{"clusters/" + path, content})
		return err
	})
	return files, err
}

// ReleaseOf is the release that a build's version names, "1.4.0" of "v1.4.0"; a build between two takes the first one, for Renovate to
// replace.
func ReleaseOf(version string) string {
	if !releaseForm.MatchString(version) {
		return "1.0.0"
	}
	return version[1:]
}
