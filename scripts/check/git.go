package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
)

// repository is the root of the git work tree that the command runs in.
func repository(ctx context.Context) (string, error) {
	out, err := git(ctx, ".", "rev-parse", "--show-toplevel")
	return strings.TrimSpace(out), err
}

// baseCommit is what to compare with: the asked commit, or the merge base with origin/main, or, where that is HEAD itself or is not there,
// the commit before HEAD.
func baseCommit(ctx context.Context, root, asked string) (string, error) {
	if asked != "" {
		out, err := git(ctx, root, "rev-parse", "--verify", "--short", asked+"^{commit}")
		return strings.TrimSpace(out), err
	}
	head, err := git(ctx, root, "rev-parse", "HEAD")
	if err != nil {
		return "", err
	}
	for _, ask := range [][]string{{"merge-base", "origin/main", "HEAD"}, {"rev-parse", "--verify", "HEAD~"}} {
		out, err := git(ctx, root, ask...)
		if err == nil && out != head {
			short, err := git(ctx, root, "rev-parse", "--short", strings.TrimSpace(out))
			return strings.TrimSpace(short), err
		}
	}
	return "HEAD", nil // the first commit: what is not committed counts
}

// changedFiles are the files that differ from base in the work tree, deleted and new ones included, as paths from root with slashes.
func changedFiles(ctx context.Context, root, base string) ([]string, error) {
	differ, err := git(ctx, root, "diff", "--name-only", "--no-renames", "-z", base, "--")
	if err != nil {
		return nil, err
	}
	untracked, err := git(ctx, root, "ls-files", "--others", "--exclude-standard", "-z")
	if err != nil {
		return nil, err
	}
	files := strings.FieldsFunc(differ+untracked, func(r rune) bool { return r == 0 })
	slices.Sort(files)
	return slices.Compact(files), nil
}

func git(ctx context.Context, dir string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "git", append([]string{"-C", dir}, args...)...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return "", fmt.Errorf("git %s: %s", strings.Join(args, " "), strings.TrimSpace(string(exit.Stderr)))
	}
	return string(out), err
}
