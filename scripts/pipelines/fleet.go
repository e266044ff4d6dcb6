package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// fleet is the repository that is tried with: a work tree, in which people make their changes, and the bare origin that pipelines
// fetch from.
type fleet struct {
	dir, origin string
	env         []string
}

// newFleet makes the repository of what is tracked here: bases, templates, Renovate's configuration, the pipeline, and the one overlay
// whose machines can be had anywhere. replace moves its machines to the trial's lab, old and new by turns.
func newFleet(ctx context.Context, repository, work string, env []string, replace ...string) (*fleet, error) {
	f := &fleet{dir: filepath.Join(work, "fleet"), origin: filepath.Join(work, "origin.git"), env: env}
	out, err := must(ctx, repository, env, "git", "ls-files", "-z", "--", "clusters", "overlays/lab", "templates", "renovate",
		"renovate.json5", ".gitlab-ci.yml")
	if err != nil {
		return nil, err
	}
	moved := strings.NewReplacer(replace...)
	for name := range strings.SplitSeq(strings.TrimSuffix(out, "\x00"), "\x00") {
		b, err := os.ReadFile(filepath.Join(repository, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(name, "overlays/") {
			b = []byte(moved.Replace(string(b)))
		}
		if err := f.write(name, string(b)); err != nil {
			return nil, err
		}
	}
	if err := f.write(".gitignore", "/.kiban/\n"); err != nil {
		return nil, err
	}
	// The lab keeps its keys where it runs, which is beside the repository.
	if err := f.write("fleet.yaml", "apiVersion: kiban.dev/v1alpha1\nkind: Fleet\nspec:\n  localFiles: ["+work+"/]\n"); err != nil {
		return nil, err
	}
	if _, err := f.git(ctx, work, "init", "-q", "--bare", "-b", "main", f.origin); err != nil {
		return nil, err
	}
	if _, err := f.git(ctx, f.dir, "init", "-q", "-b", "main"); err != nil {
		return nil, err
	}
	if _, err := f.git(ctx, f.dir, "remote", "add", "origin", f.origin); err != nil {
		return nil, err
	}
	if _, err := f.commit(ctx, "fleet: begin"); err != nil {
		return nil, err
	}
	return f, f.push(ctx, "main")
}

func (f *fleet) write(name, content string) error {
	path := filepath.Join(f.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(content), 0o644)
}

func (f *fleet) git(ctx context.Context, dir string, args ...string) (string, error) {
	return must(ctx, dir, f.env, "git", append([]string{"-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c",
		"commit.gpgsign=false"}, args...)...)
}

func (f *fleet) commit(ctx context.Context, message string) (sha string, err error) {
	if _, err := f.git(ctx, f.dir, "add", "-A"); err != nil {
		return "", err
	}
	if _, err := f.git(ctx, f.dir, "commit", "-q", "-m", message); err != nil {
		return "", err
	}
	return f.head(ctx)
}

func (f *fleet) head(ctx context.Context) (string, error) {
	return f.git(ctx, f.dir, "rev-parse", "HEAD")
}

func (f *fleet) push(ctx context.Context, branch string) error {
	_, err := f.git(ctx, f.dir, "push", "-q", "--force", "origin", branch)
	return err
}

// bump makes a branch on which one line of the repository is another one, and pushes it.
func (f *fleet) bump(ctx context.Context, branch, file, from, to string) (sha, base string, err error) {
	if base, err = f.head(ctx); err != nil {
		return "", "", err
	}
	b, err := os.ReadFile(filepath.Join(f.dir, file))
	if err != nil {
		return "", "", err
	}
	if strings.Count(string(b), from) != 1 {
		return "", "", fmt.Errorf("%s does not hold %s once", file, from)
	}
	if _, err := f.git(ctx, f.dir, "checkout", "-q", "-b", branch); err != nil {
		return "", "", err
	}
	if err := f.write(file, strings.Replace(string(b), from, to, 1)); err != nil {
		return "", "", err
	}
	if sha, err = f.commit(ctx, branch); err != nil {
		return "", "", err
	}
	stat, err := f.git(ctx, f.dir, "diff", "--shortstat", base, sha)
	if err != nil {
		return "", "", err
	}
	if !strings.HasPrefix(strings.TrimSpace(stat), "1 file changed, 1 insertion(+), 1 deletion(-)") {
		return "", "", fmt.Errorf("the change is not one line: %s", stat)
	}
	return sha, base, f.push(ctx, branch)
}

// merge merges a branch into main as GitLab does, with a merge commit, and pushes it.
func (f *fleet) merge(ctx context.Context, branch string) (sha, before string, err error) {
	if _, err := f.git(ctx, f.dir, "checkout", "-q", "main"); err != nil {
		return "", "", err
	}
	if before, err = f.head(ctx); err != nil {
		return "", "", err
	}
	if _, err := f.git(ctx, f.dir, "merge", "-q", "--no-ff", "-m", "Merge branch '"+branch+"' into 'main'", branch); err != nil {
		return "", "", err
	}
	if sha, err = f.head(ctx); err != nil {
		return "", "", err
	}
	return sha, before, f.push(ctx, "main")
}
