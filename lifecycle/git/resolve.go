package git

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	gogit "github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"

	"kiban.dev/kiban/lifecycle"
)

// resolve finds the commit that a revision names: a branch, a tag, a commit in full or shortened, HEAD~2.
func (r repository) resolve(revision string) (*object.Commit, error) {
	if d := misread(revision); d != nil {
		return nil, *d
	}
	name, err := r.plainly(revision)
	if err != nil {
		return nil, err
	}
	hash, err := r.ResolveRevision(plumbing.Revision(name))
	full, to, named := r.reference(name)
	if err == nil {
		to = *hash
	} else if !named {
		return nil, r.unknown(name, err)
	}
	commit, err := r.peeled(to)
	switch {
	case err == nil:
		return commit, nil
	case named:
		return nil, lifecycle.Errorf(revision, "%s names no commit", revision).
			Because(fmt.Sprintf("%s is there, and names a file or a folder, or a commit that is not here.", full)).
			Try("Name the commit itself.").
			From(err)
	}
	return nil, r.unknown(name, err)
}

// unknown says why a revision is not here, and how to have it here.
func (r repository) unknown(revision string, cause error) error {
	d := lifecycle.Errorf(revision, "there is no revision %s here", revision).Hiding(cause)
	shallow, remote := r.shallow(), r.remote()
	base, counted := uncounted(revision)
	switch {
	case r.empty():
		d.Detail, d.Hint = "The repository has no commit yet.", "Commit what the fleet declares."
	case counted && !shallow && r.has(base):
		d.Detail, d.Hint = fmt.Sprintf("%s has fewer commits before it.", base), "Name a later one."
	case fullHash.MatchString(base) && shallow:
		d.Detail = "The clone is shallow: its history ends before that commit."
		d.Hint = fetchCommit(remote, base, counted)
	case fullHash.MatchString(base) && !r.has(base):
		d.Detail = "The clone is whole, and lacks that commit: it was pushed since, or its branch was rewritten, " +
			"or it is in the project that this one is a fork of."
		d.Hint = fmt.Sprintf("git fetch %s %s\nor, in a fork's merge request: git fetch \"$CI_MERGE_REQUEST_PROJECT_URL\" %s\n"+
			"or, where the server has let go of it: name a branch, such as %s/HEAD.",
			remote, base, base, remote)
	case !r.has(base) && r.branch(remote+"/"+base):
		d.Detail = fmt.Sprintf("The clone has no branch %s of its own, as pipelines check out: what the server has is %s/%s.", base, remote, base)
		d.Hint = fmt.Sprintf("Name %s/%s.", remote, revision)
	case shallow && (counted || partHash.MatchString(base)):
		d.Detail = "The clone is shallow: its history ends before that commit."
		d.Hint = unshallow(remote)
	case shallow:
		d.Detail = "The clone is shallow, as pipelines check out, and has the commit that it was made for only."
		d.Hint = fetchName(remote, base)
	default:
		d.Detail, d.Hint = "No branch, tag or commit here has that name.", r.offer(remote)
	}
	return d
}

// uncounted takes what counts commits off a revision: "main" of "main~2".
func uncounted(revision string) (base string, counted bool) {
	i := strings.IndexAny(revision, "~^@")
	if i <= 0 {
		return revision, false
	}
	return revision[:i], true
}

// fetchName fetches a branch or a tag, however its name was written.
func fetchName(remote, name string) string {
	name = strings.TrimPrefix(name, "refs/")
	if tag, is := strings.CutPrefix(name, "tags/"); is {
		return fetch("--depth", "1", remote, "tag", tag)
	}
	branch := name
	for _, kind := range []string{"heads/", "remotes/", remote + "/"} {
		branch = strings.TrimPrefix(branch, kind)
	}
	hint := fetch("--depth", "1", remote, branch+":refs/remotes/"+remote+"/"+branch)
	if branch == name {
		return fmt.Sprintf("%s, and name %s/%s (of a tag: %s)", hint, remote, branch, fetch("--depth", "1", remote, "tag", branch))
	}
	return fmt.Sprintf("%s, and name %s/%s", hint, remote, branch)
}

// fetch is a git fetch as it is typed at a shell: names of branches may have anything but blanks in them.
func fetch(words ...string) string { return "git fetch " + lifecycle.ShellWords(words...) }

func fetchCommit(remote, hash string, counted bool) string {
	if counted {
		return unshallow(remote)
	}
	return fmt.Sprintf("git fetch --depth 1 %s %s\nor, for all pipelines of the project, the variable GIT_DEPTH: \"0\"", remote, hash)
}

func unshallow(remote string) string {
	return fmt.Sprintf("git fetch --unshallow %s\nor, for all pipelines of the project, the variable GIT_DEPTH: \"0\"", remote)
}

// unreadable says why a commit's files cannot be read.
func (r repository) unreadable(revision string, hash plumbing.Hash, cause error) error {
	if !errors.Is(cause, plumbing.ErrObjectNotFound) && !errors.Is(cause, object.ErrFileNotFound) {
		return fmt.Errorf("write out %s: %w", revision, cause)
	}
	return lifecycle.Errorf(revision, "files of revision %s are not here", revision).
		Because("The commit is, but not all that it holds: the clone was made with --filter, and git fetches the rest when it needs it.").
		Try(fmt.Sprintf("Clone without --filter, or let git fetch them: git archive %s > /dev/null", hash)).
		From(cause)
}

// shallow reports whether the clone's history is cut off.
func (r repository) shallow() bool {
	at, err := r.Storer.Shallow()
	return err == nil && len(at) > 0
}

// empty reports whether there is no commit at all.
func (r repository) empty() bool {
	_, err := r.Head()
	if err == nil {
		return false
	}
	commits, err := r.CommitObjects()
	if err != nil {
		return false
	}
	defer commits.Close()
	_, err = commits.Next()
	return errors.Is(err, io.EOF)
}

func (r repository) has(revision string) bool {
	_, err := r.ResolveRevision(plumbing.Revision(revision))
	return err == nil
}

func (r repository) branch(remoteName string) bool {
	_, err := r.Reference(plumbing.ReferenceName("refs/remotes/"+remoteName), true)
	return err == nil
}

// remote is where to fetch from: origin, or the only other one.
func (r repository) remote() string {
	remotes, err := r.Remotes()
	if err == nil && len(remotes) > 0 && !slices.ContainsFunc(remotes,
		func(m *gogit.Remote) bool { return m.Config().Name == gogit.DefaultRemoteName }) {
		return remotes[0].Config().Name
	}
	return gogit.DefaultRemoteName
}

// offer names what there is, for a revision that was misspelt.
func (r repository) offer(remote string) string {
	const listed = 8
	var names []string
	refs, err := r.References()
	if err == nil {
		_ = refs.ForEach(func(ref *plumbing.Reference) error { // the function never fails
			if n := ref.Name(); (n.IsBranch() || n.IsTag()) && len(names) < listed {
				names = append(names, n.Short())
			}
			return nil
		})
	}
	if len(names) == 0 {
		return "git fetch " + remote
	}
	slices.Sort(names)
	return "Here are " + strings.Join(names, ", ") + ". `git fetch " + remote + "` brings what is new on the server."
}
