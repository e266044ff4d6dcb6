package git

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// git runs the git that people and pipelines use, so that the repositories here are made as theirs are.
func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "GIT_AUTHOR_NAME=a",
		"GIT_AUTHOR_EMAIL=a@example.com",
		"GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com", "GIT_ALLOW_PROTOCOL=file")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

const siteFile = "overlays/lab/site.yaml"

// server is a bare repository that serves any commit, as GitLab does: main with commits "one", "two", a merge "three" of a branch, and
// "four"; a branch "feature" on top with "five"; the tag v1 on "two".
func server(t *testing.T) (url string, commits map[string]string) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("clones are made by git, and it is not here")
	}
	work, bare := t.TempDir(), t.TempDir()
	git(t, work, "init", "-q", "-b", "main")
	commits = map[string]string{}
	commit := func(name string) {
		write(t, filepath.Join(work, siteFile), name)
		git(t, work, "add", ".")
		git(t, work, "commit", "-q", "-m", name)
		commits[name] = git(t, work, "rev-parse", "HEAD")
	}
	commit("one")
	commit("two")
	git(t, work, "tag", "-a", "-m", "first", "v1")
	git(t, work, "checkout", "-q", "-b", "side")
	write(t, filepath.Join(work, "clusters/base/side.yaml"), "side")
	git(t, work, "add", ".")
	git(t, work, "commit", "-q", "-m", "side")
	git(t, work, "checkout", "-q", "main")
	git(t, work, "merge", "-q", "--no-ff", "-m", "three", "side")
	commits["three"] = git(t, work, "rev-parse", "HEAD")
	commit("four")
	git(t, work, "checkout", "-q", "-b", "feature")
	commit("five")
	git(t, bare, "clone", "-q", "--bare", work, ".")
	git(t, bare, "config", "uploadpack.allowReachableSHA1InWant", "true")
	git(t, bare, "config", "uploadpack.allowFilter", "true")
	return "file://" + bare, commits
}

// job checks a commit out as a GitLab runner does: no branch, HEAD detached, so many commits deep.
func job(t *testing.T, url, commit string, fetch ...string) string {
	t.Helper()
	dir := t.TempDir()
	git(t, dir, "init", "-q")
	git(t, dir, "remote", "add", "origin", url)
	git(t, dir, append(append([]string{"fetch", "-q"}, fetch...), "origin", "+"+commit+":refs/pipelines/7")...)
	git(t, dir, "checkout", "-q", "--detach", commit)
	return dir
}

// siteAt is what the site's file holds at a revision.
func siteAt(t *testing.T, fleet, revision string) (string, error) {
	t.Helper()
	into := t.TempDir()
	if _, err := Checkout(fleet, revision, into); err != nil {
		return "", err
	}
	b, err := os.ReadFile(filepath.Join(into, siteFile))
	return string(b), err
}

func holds(t *testing.T, fleet, revision, want string) {
	t.Helper()
	if got, err := siteAt(t, fleet, revision); err != nil || got != want {
		t.Errorf("%s: %q, %v; want %q", revision, got, err, want)
	}
}

// says wants a finding that has all of the texts in its detail or hint.
func says(t *testing.T, fleet, revision string, texts ...string) lifecycle.Diagnostic {
	t.Helper()
	_, err := siteAt(t, fleet, revision)
	d, ok := errors.AsType[lifecycle.Diagnostic](err)
	if !ok {
		t.Errorf("%s: %v is no finding", revision, err)
	}
	for _, text := range texts {
		if !strings.Contains(d.Detail+"\n"+d.Hint, text) {
			t.Errorf("%s: no %q in\n%s\n%s\n%s", revision, text, d.Summary, d.Detail, d.Hint)
		}
	}
	return d
}

func TestRevisions(t *testing.T) {
	url, commits := server(t)
	clone := t.TempDir()
	git(t, clone, "clone", "-q", "-b", "main", url, ".")
	for revision, want := range map[string]string{
		"main": "four", "HEAD": "four", "HEAD~1": "two", "HEAD^": "two", "main~2": "two", "v1": "two", "origin/feature": "five",
		commits["one"]: "one", commits["one"][:8]: "one", commits["three"]: "two", "refs/heads/main": "four",
	} {
		holds(t, clone, revision, want)
	}
	says(t, clone, "feature", "Name origin/feature.")
	says(t, clone, "feature~1", "Name origin/feature~1.")
	says(t, clone, "mian", "main", "v1", "git fetch origin")
	says(t, clone, "main~99", "fewer commits")
	says(t, clone, strings.Repeat("ab", 20), "git fetch origin abab")
	says(t, clone, "", "$CI_MERGE_REQUEST_DIFF_BASE_SHA")
}

// TestShallowClones: a pipeline's checkout has what it has, or the finding names the fetch that brings the rest; and that fetch does.
func TestShallowClones(t *testing.T) {
	url, commits := server(t)
	dir := job(t, url, commits["five"], "--depth", "1")
	holds(t, dir, "HEAD", "five")
	says(t, dir, "HEAD~1", "git fetch --unshallow origin", `GIT_DEPTH: "0"`)
	says(t, dir, commits["two"][:9], "git fetch --unshallow origin")
	says(t, dir, "main", "git fetch --depth 1 origin main:refs/remotes/origin/main")
	says(t, dir, commits["two"], "git fetch --depth 1 origin "+commits["two"])

	git(t, dir, "fetch", "-q", "--depth", "1", "origin", commits["two"])
	holds(t, dir, commits["two"], "two")
	git(t, dir, "fetch", "-q", "--depth", "1", "origin", "main:refs/remotes/origin/main")
	says(t, dir, "main", "Name origin/main.")
	holds(t, dir, "origin/main", "four")
	git(t, dir, "fetch", "-q", "--unshallow", "origin")
	holds(t, dir, "HEAD~1", "four")
	holds(t, dir, "HEAD~2^2", "two")

	cloned := t.TempDir()
	git(t, cloned, "clone", "-q", "--depth", "1", "-b", "main", url, ".")
	says(t, cloned, "HEAD~1", "git fetch --unshallow origin")
	says(t, cloned, "main~1", "git fetch --unshallow origin")

	whole := job(t, url, commits["five"]) // GIT_DEPTH: 0
	holds(t, whole, commits["one"], "one")
	if d := says(t, whole, "main"); !strings.Contains(d.Hint, "git fetch") {
		t.Errorf("hint %q", d.Hint)
	}
}

// TestPartialClone: the commit is there, its files are not.
func TestPartialClone(t *testing.T) {
	url, commits := server(t)
	dir := t.TempDir()
	git(t, dir, "clone", "-q", "--filter=blob:none", "--branch", "main", url, ".")
	holds(t, dir, "HEAD", "four")
	says(t, dir, commits["one"], "--filter", "git archive "+commits["one"])
	git(t, dir, "archive", "-o", filepath.Join(t.TempDir(), "a.tar"), commits["one"])
	holds(t, dir, commits["one"], "one")
}

func TestLinkedWorktree(t *testing.T) {
	url, commits := server(t)
	clone, linked := t.TempDir(), filepath.Join(t.TempDir(), "linked")
	git(t, clone, "clone", "-q", "-b", "main", url, ".")
	git(t, clone, "worktree", "add", "-q", linked, commits["two"])
	holds(t, linked, "HEAD", "two")
	holds(t, linked, "HEAD~1", "one")
	holds(t, linked, "main", "four")
	if got := Revision(linked); got != commits["two"] {
		t.Errorf("the work tree is at %q, want %s", got, commits["two"])
	}
}

func TestEmptyRepository(t *testing.T) {
	dir := t.TempDir()
	git(t, dir, "init", "-q")
	write(t, filepath.Join(dir, siteFile), "x")
	says(t, dir, "HEAD", "no commit yet")
}

// TestOnlyWhatTheCommitHolds: declarations that lead out of the commit are refused; elsewhere they are left out. What is linked beside
// them is never something that git holds.
func TestOnlyWhatTheCommitHolds(t *testing.T) {
	dir := t.TempDir()
	git(t, dir, "init", "-q", "-b", "main")
	write(t, filepath.Join(dir, siteFile), "one")
	write(t, filepath.Join(dir, "charts/web/Chart.yaml"), "old")
	if err := os.Symlink("/etc", filepath.Join(dir, "charts", "etc")); err != nil {
		t.Fatal(err)
	}
	git(t, dir, "add", ".")
	git(t, dir, "commit", "-q", "-m", "one")
	write(t, filepath.Join(dir, "charts/web/Chart.yaml"), "new")
	write(t, filepath.Join(dir, "files/late"), "late")
	git(t, dir, "add", ".")
	git(t, dir, "commit", "-q", "-m", "two")

	into := t.TempDir()
	if _, err := Checkout(dir, "HEAD~1", into); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(filepath.Join(into, "charts/web/Chart.yaml")); err != nil || string(b) != "old" {
		t.Errorf("a chart of the revision: %q, %v", b, err)
	}
	for _, name := range []string{"charts/etc", "files"} {
		if _, err := os.Lstat(filepath.Join(into, name)); err == nil {
			t.Errorf("%s is there, and is not the revision's", name)
		}
	}

	if err := os.Symlink("site.yaml", filepath.Join(dir, "overlays/lab/other.yaml")); err != nil {
		t.Fatal(err)
	}
	git(t, dir, "add", ".")
	git(t, dir, "update-index", "--add", "--cacheinfo", "160000,"+strings.Repeat("1", 40)+",clusters/vendored")
	git(t, dir, "commit", "-q", "-m", "three")
	d := says(t, dir, "HEAD", "overlays/lab/other.yaml", "clusters/vendored")
	if d.Subject != "clusters/vendored" {
		t.Errorf("subject %q", d.Subject)
	}
}

func TestFleetOfLater(t *testing.T) {
	dir := t.TempDir()
	git(t, dir, "init", "-q", "-b", "main")
	write(t, filepath.Join(dir, "README.md"), "x")
	git(t, dir, "add", ".")
	git(t, dir, "commit", "-q", "-m", "one")
	fleet := filepath.Join(dir, "infra", "fleet")
	write(t, filepath.Join(fleet, siteFile), "two")
	git(t, dir, "add", ".")
	git(t, dir, "commit", "-q", "-m", "two")
	holds(t, fleet, "HEAD", "two")
	says(t, fleet, "HEAD~1", "has no folder infra/fleet")
}
