package site

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"kiban.dev/kiban/lifecycle/site/overlay"
)

// checkSecretSource holds that a secret comes from one place, and not from the repository. what names the secret for people.
func (l *loader) checkSecretSource(s sourceSpec, what string, at overlay.Place) []finding {
	given := 0
	for _, field := range []string{s.Env, s.File, s.FileEnv} {
		if field != "" {
			given++
		}
	}
	const hint = "Give one of `env` (a variable that holds it), `file` (a file that holds it) and `fileEnv` (a variable that names such a " +
		"file)."
	switch {
	case given == 0:
		return []finding{wrong(at, what+" comes from nowhere", "", hint)}
	case given > 1:
		return []finding{wrong(at, what+" comes from several places", "", hint)}
	}
	for field, name := range map[string]string{"env": s.Env, "fileEnv": s.FileEnv} {
		if name != "" && !variableForm.MatchString(name) {
			return []finding{wrong(below(at, field), fmt.Sprintf("%q is no environment variable", name),
				"A variable's value does not belong here, but its name.", "Write the name, without the dollar.")}
		}
	}
	if s.File != "" && l.committed(absolute(l.site.Dir, s.File)) {
		return []finding{wrong(below(at, "file"), fmt.Sprintf("%s is read from the repository", what),
			fmt.Sprintf("%s lies in it. Whoever can read the repository, now or ever, has the secret.", s.File),
			"Take it out, change the secret, and read it from `env` or `fileEnv`, or from a file elsewhere (or below .kiban/, "+
				"which stays out of git).")}
	}
	return nil
}

var variableForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func below(at overlay.Place, keys ...string) overlay.Place {
	at.Path = append(at.Path[:len(at.Path):len(at.Path)], keys...)
	return at
}

// localDirs are folders of a fleet that no commit should hold: kiban's own records, and the lab's.
func localDirs() []string { return []string{".kiban", ".lab"} }

// committed reports whether a file is there and the fleet's repository holds it. A name does not keep a file out of git, so git itself is
// asked; within the fleet, what it does not hold yet is on its way in, but for what lies in folders that it leaves out.
func (l *loader) committed(file string) bool {
	if _, err := os.Stat(file); err != nil {
		return false
	}
	if l.opts.Tracked != nil && l.opts.Tracked(file) {
		return true
	}
	if !overlay.Within(l.tree.Fleet(), file) {
		return false
	}
	for _, dir := range localDirs() {
		if strings.HasPrefix(filepath.ToSlash(l.tree.Rel(file)), dir+"/") || overlay.Within(filepath.Join(l.tree.Fleet(), dir), file) {
			return false
		}
	}
	return true
}
