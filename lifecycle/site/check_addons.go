package site

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/site/overlay"
)

// nameForm is a DNS label: what Kubernetes accepts as the name of a namespace, and Helm as that of a release.
var nameForm = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)

func isName(s string) bool { return len(s) <= 63 && nameForm.MatchString(s) }

const nameHint = "Use up to 63 lower-case letters, digits and hyphens, with a letter or digit at both ends."

// checkAddon applies the rules about one Addon document.
func (l *loader) checkAddon(d addonDocument) []finding {
	a := d.addon()
	at := func(keys ...string) overlay.Place { return addonPlace(a.Name, append([]string{"spec"}, keys...)...) }
	var found []finding
	if !isName(a.Name) {
		found = append(found, wrong(addonPlace(a.Name, "metadata", "name"), fmt.Sprintf("%q can't be the name of an addon", a.Name), "",
			nameHint))
	}
	switch {
	case a.Namespace == "":
		found = append(found, wrong(at("namespace"), fmt.Sprintf("addon %s names no namespace", a.Name), "What of it names none goes there.",
			"Set spec.namespace."))
	case !isName(a.Namespace):
		found = append(found, wrong(at("namespace"), fmt.Sprintf("%q can't be the name of a namespace", a.Namespace), "", nameHint))
	}
	switch {
	case a.Chart == nil && len(a.Manifests) == 0:
		found = append(found, wrong(at(), fmt.Sprintf("addon %s has neither a chart nor manifests", a.Name), "",
			"Give it one of spec.chart and spec.manifests."))
	case a.Chart != nil && len(a.Manifests) > 0:
		found = append(found, wrong(at("manifests"), fmt.Sprintf("addon %s has both a chart and manifests", a.Name),
			"Which of the two decides about an object is anybody's guess.",
			"Keep one; objects beside a chart are tied to it by the annotation "+lifecycle.AnnotationAddon+"."))
	}
	if a.Chart != nil {
		found = append(found, checkChart(a)...)
		if repo := absolute(l.site.Dir, a.Chart.Repo); a.Chart.Repo != "" && !isRemote(repo) {
			if path, err := l.chartLeads(repo, *a.Chart); err != nil {
				found = append(found, l.notLocal(at("chart", "repo"), "the chart of addon "+a.Name, path, err))
			}
		}
	}
	found = append(found, l.checkAddonSecrets(d)...)
	for i, ig := range d.Spec.Ignore {
		if ig.Kind == "" || len(ig.Fields) == 0 {
			found = append(found, wrong(at("ignore", overlay.Index(i)),
				fmt.Sprintf("ignore rule %d of addon %s names no kind or no fields", i+1, a.Name), "",
				`Write it like {kind: ConfigMap, name: settings, fields: ["data.install_time"]}.`))
		}
	}
	if d.Spec.Timeout <= 0 {
		found = append(found, wrong(at("timeout"), "timeout must be positive", "A wait without end is never reported.", "Leave it out for 10m."))
	}
	return found
}

// chartLeads is the error of a chart in a folder that is outside of the fleet, as a whole or by a link: Helm follows links when it loads a
// chart, and what they lead to would be rendered. path is which. What is not there is told when it is loaded.
func (l *loader) chartLeads(repo string, c lifecycle.Chart) (path string, err error) {
	seen := map[string]bool{}
	var visit func(path string) error
	visit = func(at string) error {
		to, err := l.content(at)
		if overlay.LeadsOut(err) {
			path = at
			return err
		}
		if err != nil || seen[to] {
			return nil
		}
		seen[to] = true
		return filepath.WalkDir(to, func(below string, e fs.DirEntry, err error) error {
			if err == nil && (e.Type()&fs.ModeSymlink != 0 || e.Name() == ".git") {
				return visit(below)
			}
			return nil
		})
	}
	if _, err := l.content(repo); overlay.LeadsOut(err) {
		return repo, err
	}
	for _, at := range []string{c.Name, c.Name + "-" + c.Version + ".tgz"} {
		if err := visit(filepath.Join(repo, at)); err != nil {
			return path, err
		}
	}
	return "", nil
}

var (
	chartVersion = regexp.MustCompile(`^v?\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`)
	chartName    = regexp.MustCompile(`^[A-Za-z0-9][-A-Za-z0-9._]*$`)
)

// checkChart holds that a chart is one and the same whenever it is fetched.
func checkChart(a lifecycle.Addon) []finding {
	at := func(key string) overlay.Place { return addonPlace(a.Name, "spec", "chart", key) }
	var found []finding
	scheme, _, isURL := strings.Cut(a.Chart.Repo, "://")
	switch {
	case a.Chart.Repo == "":
		found = append(found, wrong(at("repo"), fmt.Sprintf("the chart of addon %s comes from nowhere", a.Name), "",
			"Set spec.chart.repo to the URL of a chart repository, an oci:// URL, or a folder relative to the overlay."))
	case isURL && scheme != "https" && scheme != "http" && scheme != "oci":
		found = append(found, wrong(at("repo"), fmt.Sprintf("charts can't be fetched by %s", scheme), "",
			"Use https, oci, or a path relative to the overlay."))
	case strings.HasPrefix(a.Chart.Repo, "git@") || strings.HasPrefix(a.Chart.Repo, "git::"):
		found = append(found, wrong(at("repo"), "charts can't be fetched by git", "", "Use https, oci, or a path relative to the overlay."))
	}
	if !chartName.MatchString(a.Chart.Name) {
		found = append(found, wrong(at("name"), fmt.Sprintf("%q is no name of a chart", a.Chart.Name), "",
			"Write the chart's own name, such as metallb; the repository goes to spec.chart.repo."))
	}
	const reason = "Without an exact version an install takes whatever is newest on the day, and a change can't be reviewed."
	switch v := a.Chart.Version; {
	case v == "":
		found = append(found, wrong(at("version"), fmt.Sprintf("the chart of addon %s has no version", a.Name), reason,
			"Set spec.chart.version to an exact version, such as 0.16.2."))
	case !chartVersion.MatchString(v):
		found = append(found, wrong(at("version"), fmt.Sprintf("%q is not an exact chart version", v), reason,
			"Write it in full, such as 0.16.2."))
	}
	if len(a.Chart.Release) > 53 || !nameForm.MatchString(a.Chart.Release) {
		found = append(found, wrong(at("release"), fmt.Sprintf("%q can't be the name of a release", a.Chart.Release), "",
			"Use up to 53 lower-case letters, digits and hyphens."))
	}
	return found
}

var keyForm = regexp.MustCompile(`^[-._a-zA-Z0-9]+$`)

func (l *loader) checkAddonSecrets(d addonDocument) []finding {
	var found []finding
	seen := map[string]bool{}
	for i, s := range d.Spec.Secrets {
		item := overlay.Index(i)
		if s.Name != "" {
			item = "[name=" + s.Name + "]"
		}
		at := addonPlace(d.Metadata.Name, "spec", "secrets", item)
		switch {
		case !hostnameForm.MatchString(s.Name):
			found = append(found, wrong(at, fmt.Sprintf("%q can't be the name of a Secret", s.Name), "",
				"Use lower-case letters, digits, dots and hyphens."))
		case seen[s.Name]:
			found = append(found, wrong(at, fmt.Sprintf("addon %s declares Secret %s twice", d.Metadata.Name, s.Name), "", "Make them one."))
		}
		seen[s.Name] = true
		for _, key := range sortedKeys(s.Keys) {
			if len(key) > 253 || !keyForm.MatchString(key) {
				found = append(found, wrong(below(at, "keys", key), fmt.Sprintf("%q can't be a key of a Secret", key), "",
					"Use letters, digits, dots, hyphens and underscores."))
			}
			found = append(found, l.checkSecretSource(s.Keys[key], fmt.Sprintf("key %s of Secret %s", key, s.Name), below(at, "keys", key))...)
		}
	}
	return found
}

// checkDependencies holds that addons can be put into an order.
func checkDependencies(addons []lifecycle.Addon) []finding {
	var found []finding
	byName := map[string]lifecycle.Addon{}
	for _, a := range addons {
		byName[a.Name] = a
	}
	for _, a := range addons {
		for i, name := range a.DependsOn {
			at := addonPlace(a.Name, "spec", "dependsOn", overlay.Index(i))
			_, known := byName[name]
			switch {
			case name == a.Name:
				found = append(found, wrong(at, fmt.Sprintf("addon %s depends on itself", a.Name), "", "Remove the entry."))
			case !known:
				found = append(found, wrong(at, fmt.Sprintf("addon %s depends on %s, which is not there", a.Name, name), "", addonHint(addons, name)))
			}
		}
	}
	for _, cycle := range cycles(addons, byName) {
		a := byName[cycle[0]]
		i := slices.Index(a.DependsOn, cycle[1])
		found = append(found, wrong(addonPlace(a.Name, "spec", "dependsOn", overlay.Index(i)), "addons depend on each other in a circle",
			strings.Join(cycle, " -> ")+". None of them could be the first.", "Remove one of these dependencies."))
	}
	return found
}

// cycles finds each circle of dependencies once: [a b c a], begun at its first name.
func cycles(addons []lifecycle.Addon, byName map[string]lifecycle.Addon) [][]string {
	var out [][]string
	done := map[string]bool{}
	var walk func(name string, path []string)
	walk = func(name string, path []string) {
		if i := slices.Index(path, name); i >= 0 {
			out = append(out, turned(path[i:]))
			return
		}
		if done[name] {
			return
		}
		for _, next := range byName[name].DependsOn {
			if _, known := byName[next]; known && next != name {
				walk(next, append(path[:len(path):len(path)], name))
			}
		}
		done[name] = true
	}
	for _, a := range addons {
		walk(a.Name, nil)
	}
	return out
}

// turned begins a circle at its first name, and closes it.
func turned(circle []string) []string {
	i := slices.Index(circle, slices.Min(circle))
	out := append(slices.Clone(circle[i:]), circle[:i]...)
	return append(out, out[0])
}
