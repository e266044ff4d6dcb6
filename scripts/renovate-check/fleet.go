package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// declared is a version that a site has, by what kiban reads.
type declared struct {
	site, tier, name, version string
}

func (d declared) String() string { return d.site + ": " + d.name + " " + d.version }

// copyFleet makes a repository of the fleet's files as they are in the work tree, and the sites of testdata beside them. Their container
// registries are the one at registry. Renovate reads what git tracks, and would change nothing here, but a check has no business in the
// repository that it checks.
func copyFleet(ctx context.Context, fleet, to, registry string) error {
	out, err := output(ctx, fleet, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--",
		"clusters", "overlays", "renovate", configFile, ".gitlab-ci.yml", "templates", "Dockerfile")
	if err != nil {
		return err
	}
	here := []string{"registry.example.com", registry, "ghcr.io", registry}
	for name := range strings.SplitSeq(strings.TrimSuffix(out, "\x00"), "\x00") {
		if err := copyFile(filepath.Join(fleet, name), filepath.Join(to, name), here...); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	own := filepath.Join(fleet, "scripts/renovate-check/testdata/fleet")
	err = filepath.WalkDir(own, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		return copyFile(path, filepath.Join(to, strings.TrimPrefix(path, own)), here...)
	})
	if err != nil {
		return err
	}
	return commit(ctx, to)
}

// commit makes a folder a repository.
func commit(ctx context.Context, dir string) error {
	for _, args := range [][]string{{"init", "-q", "-b", "main"}, {"add", "-A"},
		{"-c", "user.name=check", "-c", "user.email=check@example.com", "commit", "-q", "-m", "fleet"}} {
		if _, err := output(ctx, dir, "git", args...); err != nil {
			return err
		}
	}
	return nil
}

func copyFile(from, to string, replace ...string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, []byte(strings.NewReplacer(replace...).Replace(string(b))), 0o644)
}

// sites are the versions that kiban finds in every site of the fleet.
func sites(ctx context.Context, kiban, fleet string) ([]declared, error) {
	folders, err := filepath.Glob(filepath.Join(fleet, "overlays", "*", "kustomization.yaml"))
	if err != nil {
		return nil, err
	}
	var all []declared
	for _, f := range folders {
		site := filepath.Base(filepath.Dir(f))
		out, err := output(ctx, fleet, kiban, "--fleet", fleet, "render", site)
		if err != nil {
			return nil, err
		}
		found, err := versions(site, out)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", site, err)
		}
		all = append(all, found...)
	}
	return all, nil
}

type document struct {
	Kind     string
	Metadata struct {
		Labels map[string]string
	}
	Spec struct {
		K0s       struct{ Version string }
		Chart     struct{ Repo, Name, Version string }
		Manifests []string
	}
}

// versions reads the documents of `kiban render`: k0s, charts, manifests of releases, and images.
func versions(site, text string) ([]declared, error) {
	release := regexp.MustCompile(
		`^https://(?:github\.com/([^/]+/[^/]+)/releases/download|raw\.githubusercontent\.com/([^/]+/[^/]+))/([^/]+)/`,
	)
	image := regexp.MustCompile(`(?m)^\s*-?\s*(?:image|probeImage): "?([^\s"@]+):([\w.-]+)`)
	var found []declared
	tier := ""
	add := func(name, version string) {
		if version != "" {
			found = append(found, declared{site: site, name: name, version: version})
		}
	}
	for decoder := yaml.NewDecoder(strings.NewReader(text)); ; {
		var node yaml.Node
		err := decoder.Decode(&node)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		var head struct{ APIVersion, Kind string }
		var doc document
		_ = node.Decode(&head)
		switch head.Kind {
		case "Site", "Cluster", "Addon":
			if err := node.Decode(&doc); err != nil {
				return nil, err
			}
		}
		if doc.Kind == "Site" {
			tier = doc.Metadata.Labels["tier"]
		}
		add("k0s", doc.Spec.K0s.Version)
		add(doc.Spec.Chart.Name, doc.Spec.Chart.Version)
		for _, url := range doc.Spec.Manifests {
			if m := release.FindStringSubmatch(url); m != nil {
				add(m[1]+m[2], m[3])
			}
		}
		body, _ := yaml.Marshal(&node)
		if doc.Kind != "Addon" { // values of charts name images in ways of their own, and follow the chart
			for _, m := range image.FindAllStringSubmatch(string(body), -1) {
				add(m[1], m[2])
			}
		}
	}
	for i := range found {
		found[i].tier = tier
	}
	return found, nil
}

// output runs a command in a folder and gives what it prints; its error holds what it printed there.
func output(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return string(out), nil
}
