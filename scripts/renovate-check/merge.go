package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// follows is the configuration of a fleet elsewhere: the presets by their project, and nothing else.
const follows = `{
  extends: ["config:recommended", "local>platform/fleet//renovate/fleet.json5"],
  enabledManagers: ["custom.jsonata"],
  labels: ["renovate"],
  dependencyDashboard: true,
}
`

// opens runs Renovate to the end, with the job's own configuration, against a GitLab of the check's: a merge request for staging, with the
// lock file in it, and none for production until someone ticks it.
func opens(ctx context.Context, tool renovate, fleet, kiban, work string) error {
	clone := filepath.Join(work, "merge")
	if err := mergeFleet(ctx, fleet, clone); err != nil {
		return err
	}
	there := world{"github-releases k0sproject/k0s": around(version{text: "v1.33.9+k0s.0", number: [4]int{1, 33, 9, 0}})}
	registries := there.serve(time.Now())
	defer registries.Close()
	project, err := newGitlab(ctx, work, clone, registries.Config.Handler)
	if err != nil {
		return err
	}
	server := httptest.NewServer(project)
	defer server.Close()
	project.url = server.URL

	pass := func(n int) error {
		return tool.job(ctx, clone, filepath.Join(work, fmt.Sprintf("merge-%d.log", n)), "CI_API_V4_URL="+server.URL+"/api/v4",
			"RENOVATE_TOKEN=none",
			"RENOVATE_GITHUB_COM_TOKEN=none", "RENOVATE_CONFIG="+there.job(server.URL),
			"PATH="+filepath.Dir(kiban)+":"+tool.bin+":"+os.Getenv("PATH"))
	}
	staging, production := "renovate/check-staging-k0s-1.33.x", "renovate/check-prod-k0s-1.33.x"
	if err := pass(1); err != nil {
		return err
	}
	if err := branches(project.opened(), staging); err != nil {
		return fmt.Errorf("before anybody ticks production: %w", err)
	}
	if !project.tick(production) {
		return fmt.Errorf("the dependency dashboard does not offer %s for approval", production)
	}
	if err := pass(2); err != nil {
		return err
	}
	if err := branches(project.opened(), staging, production); err != nil {
		return fmt.Errorf("after someone has ticked production: %w", err)
	}
	return errors.Join(
		contents(ctx, project, project.opened()[0], "check-staging", "tier::staging"),
		contents(ctx, project, project.opened()[1], "check-prod", "tier::production"))
}

// mergeFleet makes a fleet of two sites whose k0s is a file beside them, so that `kiban pin` asks nobody.
func mergeFleet(ctx context.Context, fleet, to string) error {
	for from, into := range map[string]string{"clusters/base": "clusters/base", "renovate": "renovate",
		"scripts/renovate-check/testdata/merge": ""} {
		if err := os.CopyFS(filepath.Join(to, into), os.DirFS(filepath.Join(fleet, from))); err != nil {
			return err
		}
	}
	for _, version := range []string{"v1.33.9+k0s.0", "v1.33.9+k0s.1"} {
		sums := ""
		for _, arch := range []string{"amd64", "arm64"} {
			sums += fmt.Sprintf("%s  k0s-%s-%s\n", digest(version, arch), version, arch)
		}
		dir := filepath.Join(to, "mirror", version)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, "sha256sums.txt"), []byte(sums), 0o644); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(to, configFile), []byte(follows), 0o644); err != nil {
		return err
	}
	return commit(ctx, to)
}

func digest(version, arch string) string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte(version+" "+arch)))
}

// job runs Renovate as the scheduled job does.
func (r renovate) job(ctx context.Context, dir, log string, env ...string) error {
	out, err := os.Create(log)
	if err != nil {
		return err
	}
	defer out.Close()
	cmd := exec.CommandContext(ctx, filepath.Join(r.bin, "renovate"))
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, out, out
	cmd.Env = r.env(append([]string{"LOG_LEVEL=debug", "LOG_FORMAT=json", "RENOVATE_CONFIG_FILE=renovate/config.js",
		"RENOVATE_BASE_DIR=" + log + ".base"}, env...)...)
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("renovate: %w; its log is %s", err, log)
	}
	return entries(log, func(entry) error { return nil })
}

func branches(opened []mergeRequest, want ...string) error {
	var got []string
	for _, mr := range opened {
		got = append(got, mr.SourceBranch)
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("merge requests\n  expected %s\n  opened   %s", list(want), list(got))
	}
	return nil
}

// contents holds what a reviewer sees: one site's two files, the new version's digests among them, labels, and what to mind.
func contents(ctx context.Context, g *gitlab, mr mergeRequest, site, tier string) error {
	changed, err := output(ctx, g.bare, "git", "diff", "--name-only", "main..."+mr.SourceBranch)
	if err != nil {
		return err
	}
	diff, err := output(ctx, g.bare, "git", "diff", "main..."+mr.SourceBranch)
	if err != nil {
		return err
	}
	var errs []error
	if want := fmt.Sprintf("overlays/%s/cluster.yaml\noverlays/%s/kiban.lock\n", site, site); changed != want {
		errs = append(errs, fmt.Errorf("%s changes\n%s  not\n%s", mr.SourceBranch, changed, want))
	}
	for _, want := range []string{"+    version: \"v1.33.9+k0s.1\" # was v1.33.9+k0s.0\n",
		"v1.33.9+k0s.1/amd64: sha256:" + digest("v1.33.9+k0s.1", "amd64")} {
		if !strings.Contains(diff, want) {
			errs = append(errs, fmt.Errorf("%s does not have %q:\n%s", mr.SourceBranch, want, diff))
		}
	}
	slices.Sort(mr.Labels)
	if want := []string{"k0s", "renovate", "site::" + site, tier}; !slices.Equal(mr.Labels, want) {
		errs = append(errs, fmt.Errorf("%s has the labels %s, not %s", mr.SourceBranch, list(mr.Labels), list(want)))
	}
	if note := map[string]string{"tier::staging": "Staging. Sites that wait for this one",
		"tier::production": "`kiban ci gate` holds the pipeline until then"}[tier]; !strings.Contains(mr.Description, note) {
		errs = append(errs, fmt.Errorf("%s does not say %q:\n%s", mr.SourceBranch, note, mr.Description))
	}
	if !strings.Contains(mr.Title, "("+site+")") {
		errs = append(errs, fmt.Errorf("%s is called %q, which does not name %s", mr.SourceBranch, mr.Title, site))
	}
	return errors.Join(errs...)
}
