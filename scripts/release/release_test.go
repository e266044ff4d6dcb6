// Package release holds what must be so for a tag to become a release: what the Dockerfile, GoReleaser's configuration and the changelog
// say of each other.
package release

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const root = "../.."

func content(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// The toolchain calls a build "dirty" when a file of the commit is not there: what an image is built from has all of them.
func TestImagesAreBuiltFromTheWholeCommit(t *testing.T) {
	cmd := exec.Command("git", "ls-files", "--cached", "--ignored", "--exclude-from=.dockerignore")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Skipf("this is no clone: %v", err)
	}
	if len(out) > 0 {
		t.Errorf(".dockerignore leaves out files of the repository:\n%s", out)
	}
	if regexp.MustCompile(`(?m)^/?\.git/?$`).MatchString(content(t, ".dockerignore")) {
		t.Error(".dockerignore leaves out .git, from which the version is read")
	}
}

// Whatever a release publishes as an image is a stage of the Dockerfile, which takes the release's binary; a build that names none gets a
// shell.
func TestImagesAreStages(t *testing.T) {
	stage := regexp.MustCompile(`(?m)^FROM (?:--\S+ )?(\S+) AS (\S+)$`)
	var stages []string
	for _, m := range stage.FindAllStringSubmatch(content(t, "Dockerfile"), -1) {
		stages = append(stages, m[2])
		if base := m[1]; base != "scratch" && !strings.HasPrefix(base, "binary-") && !slices.Contains(stages, base) && !regexp.MustCompile(`:v?\d+\.\d+`).MatchString(base) {
			t.Errorf("stage %s begins with %s, which is no exact version", m[2], base)
		}
	}
	var config struct {
		Dockers []struct {
			ID        string
			IDs       []string `yaml:"ids"`
			Flags     []string
			Tags      []string
			SBOM      string            `yaml:"sbom"`
			BuildArgs map[string]string `yaml:"build_args"`
		} `yaml:"dockers_v2"`
	}
	if err := yaml.Unmarshal([]byte(content(t, ".goreleaser.yaml")), &config); err != nil {
		t.Fatal(err)
	}
	var tags []string
	for _, d := range config.Dockers {
		target := ""
		for _, flag := range d.Flags {
			if name, found := strings.CutPrefix(flag, "--target="); found {
				target = name
			}
		}
		if d.SBOM != "true" || !slices.Contains(d.Flags, "--provenance=mode=max") {
			t.Errorf("image %s says neither what is in it nor how it was built: sbom %q, flags %q", d.ID, d.SBOM, d.Flags)
		}
		if !slices.Contains(stages, target) {
			t.Errorf("image %s is the stage %q, and there are %q", d.ID, target, stages)
		}
		if from := "binary-" + d.BuildArgs["BINARY"]; from != "binary-release" || !slices.Contains(stages, from) {
			t.Errorf("image %s has its binary from stage %q", d.ID, from)
		}
		want := []string{"kiban"}
		if d.ID == "lab" {
			want = []string{"kiban", "lab"}
		}
		if !slices.Equal(d.IDs, want) {
			t.Errorf("image %s is given the builds %q, not %q", d.ID, d.IDs, want)
		}
		tags = append(tags, d.Tags...)
	}
	if want := []string{"{{ .Version }}", "{{ .Version }}-bare", "{{ .Version }}-renovate", "{{ .Version }}-lab"}; !slices.Equal(tags, want) {
		t.Errorf("the images are tagged %q, not %q", tags, want)
	}
	if len(stages) == 0 || stages[len(stages)-1] != "job" {
		t.Errorf("the last stage, which is built when none is named, must be job: %q", stages)
	}
}

// The lab is shipped beside kiban, where kiban looks for it, with the same version: Go finds that of a module in a folder by a tag of its
// own.
func TestTheLabIsReleasedWithKiban(t *testing.T) {
	var config struct {
		Builds []struct {
			ID, Dir, Main, Binary string
			Flags, LDFlags, Env   []string
			Targets               []string
		}
		Archives []struct {
			IDs       []string `yaml:"ids"`
			Different bool     `yaml:"allow_different_binary_count"`
		}
		SBOMs []struct{ Documents []string } `yaml:"sboms"`
	}
	if err := yaml.Unmarshal([]byte(content(t, ".goreleaser.yaml")), &config); err != nil {
		t.Fatal(err)
	}
	if b := config.Builds; len(b) != 2 || b[0].Binary != "kiban" || b[1].Binary != "kiban-lab" {
		t.Fatalf("the builds are %+v", b)
	}
	kiban, lab := config.Builds[0], config.Builds[1]
	if _, err := os.Stat(filepath.Join(root, lab.Dir, lab.Main)); err != nil || lab.Dir != "lab" {
		t.Errorf("the lab is built from %s/%s: %v", lab.Dir, lab.Main, err)
	}
	if !slices.Equal(lab.Flags, kiban.Flags) || !slices.Equal(lab.LDFlags, kiban.LDFlags) || !slices.Equal(lab.Env, kiban.Env) {
		t.Errorf("kiban is built with %q %q %q, the lab with %q %q %q", kiban.Flags, kiban.LDFlags, kiban.Env, lab.Flags, lab.LDFlags, lab.Env)
	}
	for _, target := range lab.Targets {
		if !strings.HasPrefix(target, "linux_") || !slices.Contains(kiban.Targets, target) {
			t.Errorf("the lab is built for %s", target)
		}
	}
	if len(lab.Targets) != 2 {
		t.Errorf("the lab is built for %q", lab.Targets)
	}
	if a := config.Archives; len(a) != 1 || len(a[0].IDs) > 0 || !a[0].Different {
		t.Errorf("the archives, which have to take both: %+v", a)
	}
	if s := config.SBOMs; len(s) != 1 || len(s[0].Documents) != 1 || !strings.HasPrefix(s[0].Documents[0], "{{ .Binary }}_") {
		t.Errorf("what is in the two binaries is written to the same file: %+v", s)
	}
	if !strings.Contains(content(t, ".gitlab-ci.yml"), `git tag --force "lab/$CI_COMMIT_TAG"`) ||
		!strings.Contains(content(t, "Dockerfile"), `git tag --force "lab/$tag"`) {
		t.Error("Go finds no version for the lab")
	}
}

// TestTheLabsTagIsItsVersion holds that Go reads the version of a module in a folder from the tag that the release job sets.
func TestTheLabsTagIsItsVersion(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module example.com/a\n\ngo 1.26\n", "lab/go.mod": "module example.com/a/lab\n\ngo 1.26\n",
		"lab/main.go": "package main\n\nimport (\n\t\"os\"\n\t\"runtime/debug\"\n)\n\nfunc main() {\n\ti, _ := debug.ReadBuildInfo()\n" +
			"\tos.Stdout.WriteString(i.Main.Version)\n}\n",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run := func(name string, args ...string) string {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOFLAGS=", "GOPROXY=off", "CGO_ENABLED=0")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %q: %v\n%s", name, args, err, out)
		}
		return string(out)
	}
	run("git", "init", "-q")
	run("git", "add", ".")
	run("git", "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "-m", "a")
	run("git", "tag", "v1.2.3")
	run("git", "tag", "--force", "lab/v1.2.3")
	program := filepath.Join(t.TempDir(), "lab")
	run("go", "-C", "lab", "build", "-buildvcs=true", "-o", program, ".")
	if got := run(program); got != "v1.2.3" {
		t.Errorf("the version is %s", got)
	}
}

// One version of Go builds what is tested, what is published, and what images are built from by hand.
func TestOneGo(t *testing.T) {
	version := regexp.MustCompile(`(?:golang:|GO_VERSION: )(\d\S+)`)
	seen := map[string]bool{}
	for _, name := range []string{"Dockerfile", ".gitlab-ci.yml"} {
		found := version.FindAllStringSubmatch(content(t, name), -1)
		if len(found) == 0 {
			t.Errorf("%s names no version of Go", name)
		}
		for _, m := range found {
			seen[m[1]] = true
		}
	}
	if len(seen) != 1 {
		t.Errorf("several versions of Go: %v", seen)
	}
}

func TestNotes(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string, mode os.FileMode) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	put("scripts/release-notes", content(t, "scripts/release-notes"), 0o755)
	put("CHANGELOG.md", "# Changelog\n\n## [Unreleased]\n\n## [1.10.0] - 2026-12-02\n\n### Added\n\n- ten\n\n## [1.1.0] - 2026-12-01\n\n"+
		"- one\n  more\n", 0o644)
	for version, want := range map[string]string{"v1.10.0": "\n### Added\n\n- ten\n", "v1.1.0": "\n- one\n  more\n", "v1.1.0-rc.1": "",
		"v1.1": "", "Unreleased": "", "v2.0.0": ""} {
		out, err := exec.Command(filepath.Join(dir, "scripts", "release-notes"), version).Output()
		if (err != nil) != (want == "") || strings.TrimSpace(string(out)) != strings.TrimSpace(want) {
			t.Errorf("%s: %q, %v", version, out, err)
		}
	}
}

// Whoever changes a file of a release changes its checksum, and can't sign the file of checksums: all that is published is covered.
func TestReleasesAreSigned(t *testing.T) {
	var config struct {
		Checksum struct {
			Name string `yaml:"name_template"`
		}
		Signs []struct {
			Cmd, Artifacts string
			Args           []string
		}
		DockerSigns []struct {
			Cmd, Artifacts string
			Args           []string
		} `yaml:"docker_signs"`
		SBOMs []struct{ Artifacts string } `yaml:"sboms"`
	}
	if err := yaml.Unmarshal([]byte(content(t, ".goreleaser.yaml")), &config); err != nil {
		t.Fatal(err)
	}
	const key = "--key=env://COSIGN_PRIVATE_KEY"
	if s := config.Signs; len(s) != 1 || s[0].Cmd != "cosign" || s[0].Artifacts != "checksum" || !slices.Contains(s[0].Args, key) {
		t.Errorf("files are signed by %+v", s)
	}
	if s := config.DockerSigns; len(s) != 1 || s[0].Cmd != "cosign" || s[0].Artifacts != "all" || !slices.Contains(s[0].Args, key) {
		t.Errorf("images are signed by %+v", s)
	}
	if s := config.SBOMs; len(s) != 1 || s[0].Artifacts != "binary" {
		t.Errorf("what is inside is listed of %+v", s)
	}
	if page := content(t, "docs/release.md"); !strings.Contains(page, "cosign verify-blob --key kiban.pub --signature checksums.txt.sig") {
		t.Error("docs/release.md does not say how to check a signature")
	}
}

// A tag can be moved to other content, so a release job refuses bases without a digest.
func TestReleaseRefusesBasesWithoutDigest(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "scripts"), 0o755); err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(dir, "scripts", "release-bases")
	if err := os.WriteFile(copied, []byte(content(t, "scripts/release-bases")), 0o755); err != nil {
		t.Fatal(err)
	}
	for dockerfile, want := range map[string]string{
		"FROM golang:1.26.8 AS a\n": "golang:1.26.8",
		"FROM --platform=$BUILDPLATFORM golang:1.26.8@sha256:ab AS a\nFROM ghcr.io/b/c:1 AS d\n":   "ghcr.io/b/c:1",
		"FROM golang:1.26.8@sha256:ab AS a\nFROM binary-$BINARY AS b\nFROM scratch AS c\nFROM a\n": "",
	} {
		if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(dockerfile), 0o644); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(copied).CombinedOutput()
		if (err != nil) != (want != "") || !strings.Contains(string(out), want) || strings.Contains(string(out), "sha256:ab") {
			t.Errorf("%q: %v, %s", dockerfile, err, out)
		}
	}
	if !strings.Contains(content(t, ".gitlab-ci.yml"), "    - scripts/release-bases\n") {
		t.Error("the release job does not run it")
	}
}
