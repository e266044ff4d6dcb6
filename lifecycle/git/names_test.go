package git

import (
	"crypto/sha256"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestNamesAreReadAsGitDoes: what git would take for something else, or for nothing, is not taken for some commit.
func TestNamesAreReadAsGitDoes(t *testing.T) {
	url, commits := server(t)
	clone := t.TempDir()
	git(t, clone, "clone", "-q", "-b", "main", url, ".")
	git(t, clone, "tag", "-a", "-m", "a tag of a tag", "v2", "v1")
	git(t, clone, "tag", "-a", "-m", "a folder", "folder", "HEAD^{tree}")
	git(t, clone, "branch", commits["one"][:7], "main")
	for revision, want := range map[string]string{
		"v2": "two", "v2^{}": "two", "v2~1": "one", "tags/v1": "two", "origin": "five", "@": "four", strings.ToUpper(commits["one"]): "one",
		strings.ToUpper(commits["one"][:9]): "one",
		commits["one"][:7]:                  "four", commits["one"][:7] + "~1": "two", commits["one"][:8]: "one",
	} {
		holds(t, clone, revision, want)
	}
	for revision, text := range map[string]string{
		noHash: "takes zeros", "HEAD~1..HEAD": "It is a range", "main...feature": "git merge-base", "HEAD:clusters": "a file",
		":/two":    "a search",
		"main@{1}": "git rev-parse 'main@{1}'", "HEAD^{/two}": "messages of commits", "folder": "names a file or a folder",
		"HEAD^7":                     "fewer commits",
		"HEAD~999999999999999999999": "fewer commits", "^": "git fetch", "~": "git fetch", "-x": "git fetch", " main": "git fetch",
		strings.Repeat("a", 64): "git fetch",
	} {
		says(t, clone, revision, text)
	}
}

// TestAmbiguous: with as many commits as there are, two begin alike. None of them is taken for the other.
func TestAmbiguous(t *testing.T) {
	url, _ := server(t)
	clone := t.TempDir()
	git(t, clone, "clone", "-q", "-b", "main", url, ".")
	var script strings.Builder
	for i := range 700 {
		fmt.Fprintf(&script, "commit refs/heads/many\ncommitter a <a@example.com> %d +0000\ndata 1\nx\n", i)
	}
	cmd := exec.CommandContext(t.Context(), "git", "fast-import", "--quiet")
	cmd.Dir, cmd.Stdin = clone, strings.NewReader(script.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	byBeginning, pair := map[string]string{}, []string(nil)
	for hash := range strings.FieldsSeq(git(t, clone, "rev-list", "many")) {
		if other, is := byBeginning[hash[:4]]; is && hash[:6] != other[:6] {
			pair = []string{other, hash}
		}
		byBeginning[hash[:4]] = hash
	}
	if pair == nil {
		t.Fatal("no two of the commits begin alike; take more")
	}
	says(t, clone, pair[0][:4], pair[0], pair[1], "Name more of it")
	says(t, clone, pair[0][:4]+"~1", "Name more of it")
	for _, hash := range pair {
		into := t.TempDir()
		if got, err := Checkout(clone, hash[:6], into); err != nil || got != hash {
			t.Errorf("%s: %s, %v", hash[:6], got, err)
		}
	}
}

// TestMergedResults: the pipeline of a merged result checks out a merge that is on no branch, twenty commits deep or one.
func TestMergedResults(t *testing.T) {
	url, commits := server(t)
	deep := job(t, url, commits["three"], "--depth", "20")
	for revision, want := range map[string]string{"HEAD": "two", "HEAD^1": "two", "HEAD^2~1": "two", "HEAD~2": "one", commits["one"]: "one"} {
		holds(t, deep, revision, want)
	}
	says(t, deep, commits["four"], "git fetch origin "+commits["four"], `git fetch "$CI_MERGE_REQUEST_PROJECT_URL" `+commits["four"])
	git(t, deep, "fetch", "-q", "origin", commits["four"])
	holds(t, deep, commits["four"], "four")

	flat := job(t, url, commits["three"], "--depth", "1")
	holds(t, flat, "HEAD", "two")
	for revision, text := range map[string]string{
		"HEAD^2": "git fetch --unshallow origin", "tags/v1": "git fetch --depth 1 origin tag v1",
		"refs/heads/main": "git fetch --depth 1 origin main:refs/remotes/origin/main",
		"origin/main":     "git fetch --depth 1 origin main:refs/remotes/origin/main, and name origin/main",
		commits["two"]:    "git fetch --depth 1 origin " + commits["two"], noHash: "takes zeros",
	} {
		says(t, flat, revision, text)
	}
	git(t, flat, "fetch", "-q", "--depth", "1", "origin", "tag", "v1")
	holds(t, flat, "tags/v1", "two")
	git(t, flat, "fetch", "-q", "--depth", "1", "origin", "main:refs/remotes/origin/main")
	holds(t, flat, "origin/main", "four")
}

// TestRewrittenBranch: the commit that a pipeline was to count from is nowhere any more, and the server says so to whoever fetches it.
func TestRewrittenBranch(t *testing.T) {
	url, commits := server(t)
	bare := strings.TrimPrefix(url, "file://")
	git(t, bare, "update-ref", "refs/heads/feature", commits["four"])
	git(t, bare, "reflog", "expire", "--expire=now", "--all")
	git(t, bare, "gc", "-q", "--prune=now")
	clone := job(t, url, commits["four"])
	says(t, clone, commits["five"], "rewritten", "git fetch origin "+commits["five"], "such as origin/HEAD")
}

// TestLFS: a declaration that Git LFS keeps is read from the clone's store, or the fetch that is missing is named.
func TestLFS(t *testing.T) {
	dir := t.TempDir()
	git(t, dir, "init", "-q", "-b", "main")
	const content = "kept elsewhere\n"
	oid := fmt.Sprintf("%x", sha256.Sum256([]byte(content)))
	stands := fmt.Sprintf("version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %d\n", oid, len(content))
	write(t, filepath.Join(dir, siteFile), stands)
	write(t, filepath.Join(dir, "charts/web.tgz"), stands)
	git(t, dir, "add", ".")
	git(t, dir, "commit", "-q", "-m", "one")
	head := git(t, dir, "rev-parse", "HEAD")
	if d := says(t, dir, "HEAD", "git lfs fetch origin "+head); d.Subject != siteFile {
		t.Errorf("subject %q", d.Subject)
	}
	kept := filepath.Join(dir, ".git", "lfs", "objects", oid[:2], oid[2:4], oid)
	write(t, kept, "something else")
	says(t, dir, "HEAD", "git lfs fetch")
	write(t, kept, content)
	holds(t, dir, "HEAD", content)
}

// TestOtherForms: repositories that go-git can't read are not taken for no repository.
func TestOtherForms(t *testing.T) {
	dir := t.TempDir()
	if _, err := siteAt(t, dir, "HEAD"); err == nil || !strings.Contains(err.Error(), "in no git repository") {
		t.Errorf("no repository: %v", err)
	}
	git(t, dir, "init", "-q", "--object-format=sha256")
	if d := says(t, dir, "HEAD", "--object-format=sha1"); !strings.Contains(d.Summary, "can't be read") {
		t.Errorf("%s", d.Summary)
	}
}
