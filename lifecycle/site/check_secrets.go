package site

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
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
	if name := s.Env + s.FileEnv; name != "" {
		l.checkVariable(name, what, at)
		return nil
	}
	if file := absolute(l.site.Dir, s.File); s.File != "" && !l.committed(file) {
		if _, err := l.local(file); overlay.LeadsOut(err) && !l.site.Fleet.AllowsLocal(file) {
			return []finding{wrong(below(at, "file"), what+" comes from outside of the fleet",
				s.File+" is not in the fleet, by its path or by a link: an overlay could name any file of whoever runs kiban.",
				"Have a variable name it, `fileEnv: "+lifecycle.SecretPrefix+"...`; or put it below .kiban/; or have the fleet's owners name the "+
					"place in "+
					lifecycle.FleetFile+": `spec: {localFiles: [...]}`.")}
		}
	}
	if s.File != "" && l.committed(absolute(l.site.Dir, s.File)) {
		return []finding{wrong(below(at, "file"), fmt.Sprintf("%s is read from the repository", what),
			fmt.Sprintf("%s lies in it. Whoever can read the repository, now or ever, has the secret.", s.File),
			"Take it out, change the secret, and read it from `env` or `fileEnv`, or from a file below .kiban/, which stays out of git.")}
	}
	return nil
}

// refusedVariable is a variable that secrets may not come from, and where it is named.
type refusedVariable struct {
	name string
	at   overlay.Place
}

// checkVariable holds that an overlay names only variables that are for sites.
func (l *loader) checkVariable(name, what string, at overlay.Place) {
	allows := l.site.Fleet.AllowsSecret
	if at.Kind == overlay.KindSite && overlay.Dotted(at.Path) == "spec.api.kubeconfig" {
		allows = l.site.Fleet.AllowsKubeconfig
	}
	switch {
	case allows(name):
	case lifecycle.OwnVariable(name):
		l.add(wrong(at, what+" can't come from "+name, "It is what kiban or the pipeline itself acts with, and never a site's.",
			"Keep the secret in a variable of its own, such as "+lifecycle.SecretPrefix+strings.TrimPrefix(name, "KIBAN_")+"."))
	case !slices.ContainsFunc(l.refused, func(r refusedVariable) bool { return r.name == name }):
		l.refused = append(l.refused, refusedVariable{name, at})
	}
}

// checkVariables tells of all refused variables at once: a fleet that was written before there was a list has one thing to do.
func (l *loader) checkVariables() []finding {
	if len(l.refused) == 0 {
		return nil
	}
	names := make([]string, len(l.refused))
	for i, r := range l.refused {
		names[i] = r.name
	}
	slices.Sort(names)
	return []finding{wrong(l.refused[0].at, "secrets may not come from "+strings.Join(names, ", "),
		"An overlay may name variables that begin with "+lifecycle.SecretPrefix+" (a kubeconfig also those that begin with KUBECONFIG), and "+
			"those that the "+
			"fleet's owners list: it could name any of whoever runs kiban, and what is in it would go to the machines or the cluster.",
		fmt.Sprintf("List them in %s beside overlays/: `spec: {secretVariables: [%s]}`; or rename them, to %s%s.", lifecycle.FleetFile,
			strings.Join(names, ", "), lifecycle.SecretPrefix, names[0]))}
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
