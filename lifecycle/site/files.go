package site

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/site/overlay"
)

// readFiles gives each host the files that the Site declares for it, beside those of its own document.
func (l *loader) readFiles() {
	for _, p := range slices.Sorted(maps.Keys(l.declared.Spec.Files)) {
		spec, at := l.declared.Spec.Files[p], sitePlace("spec", "files", p)
		found := checkFile(p, spec)
		l.add(found...)
		if len(found) > 0 {
			continue
		}
		file := lifecycle.HostFile{Path: p, Mode: string(spec.Mode), Owner: spec.Owner, Group: spec.Group,
			Since: lifecycle.Version(spec.Since), Source: l.tree.Where(at)}
		l.add(l.fill(&file, spec, at)...)
		for i := range l.site.Cluster.Hosts {
			h := &l.site.Cluster.Hosts[i]
			if !spec.reaches(*h) {
				continue
			}
			if other := slices.IndexFunc(h.Files, func(f lifecycle.HostFile) bool { return f.Path == p }); other >= 0 {
				l.add(wrong(at, fmt.Sprintf("%s is declared twice for host %s", p, h.Name),
					fmt.Sprintf("The Cluster document's `files:` of the host has it, too (%s).",
						cmp.Or(h.Files[other].Source, h.Source)), "Keep one of the two."))
				continue
			}
			file.Restart = spec.restart(p, dataDir(*h))
			h.Files = append(h.Files, file)
		}
	}
	for i := range l.site.Cluster.Hosts {
		slices.SortStableFunc(l.site.Cluster.Hosts[i].Files, func(a, b lifecycle.HostFile) int { return cmp.Compare(a.Path, b.Path) })
	}
	l.add(l.checkContainerdFiles()...)
	l.add(l.checkDestinations()...)
}

// dataDir is where a host's k0s has its data; "" where that is k0s's default.
func dataDir(h lifecycle.Host) string {
	for _, a := range h.Arguments {
		if dir, ok := strings.CutPrefix(a, "--data-dir="); ok {
			return dir
		}
	}
	return ""
}

// fill reads a file's content from where it is.
func (l *loader) fill(file *lifecycle.HostFile, spec fileSpec, at overlay.Place) []finding {
	switch {
	case spec.From != nil:
		file.Secret = true
		found := l.checkSecretSource(*spec.From, fmt.Sprintf("file %s", file.Path),
			overlay.Place{Kind: at.Kind, Path: append(at.Path[:len(at.Path):len(at.Path)], "from")})
		if len(found) > 0 {
			return found
		}
		file.Content, file.Missing = readSecret(*l.site, spec.From.source())
	case spec.Content != nil:
		file.Content = []byte(*spec.Content)
	default:
		from := absolute(l.site.Dir, spec.File)
		b, err := l.readLocal(from)
		if err != nil {
			return []finding{l.notLocal(below(at, "file"), "the content of "+file.Path, from, err)}
		}
		file.Content = b
		l.contents = append(l.contents, []byte(file.Path), b)
	}
	if file.Missing == "" {
		file.Digest = digest(file.Content)
	}
	return nil
}

// readSecret finds a secret value on this machine; missing says why it is not there.
func readSecret(s lifecycle.Site, source lifecycle.SecretSource) (content []byte, missing string) {
	file := absolute(s.Dir, source.File)
	switch name := source.Env + source.FileEnv; {
	case name != "" && !s.Fleet.AllowsSecret(name):
		return nil, fmt.Sprintf("the environment variable %s is not one that secrets may come from", name)
	case source.Env != "":
		value, ok := os.LookupEnv(source.Env)
		if !ok || value == "" {
			return nil, fmt.Sprintf("the environment variable %s is not set", source.Env)
		}
		return []byte(value), ""
	case source.FileEnv != "":
		if file = os.Getenv(source.FileEnv); file == "" {
			return nil, fmt.Sprintf("the environment variable %s is not set", source.FileEnv)
		}
		file = absolute(s.Dir, file) // whoever set it runs kiban
	default:
		to, err := LocalFile(s, file)
		if overlay.LeadsOut(err) {
			return nil, fmt.Sprintf("the file %s is outside of the fleet", source.File)
		}
		if err == nil {
			file = to
		}
	}
	b, err := overlay.ReadPlain(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Sprintf("there is no file %s", cmp.Or(source.File, file))
	}
	if err != nil {
		return nil, fmt.Sprintf("the file %s can't be read", cmp.Or(source.File, file))
	}
	return b, ""
}

// checkFile applies the rules about one entry of spec.files.
func checkFile(p string, f fileSpec) []finding {
	at := func(keys ...string) overlay.Place { return sitePlace(append([]string{"spec", "files", p}, keys...)...) }
	var found []finding
	if !path.IsAbs(p) || path.Clean(p) != p || p == "/" || strings.ContainsAny(p, "\n\x00") {
		found = append(found, wrong(at(), fmt.Sprintf("%q is no path of a file on a host", p), "",
			"Write it in full, from the root: /etc/k0s/audit-policy.yaml."))
	}
	if f.On != "controllers" && f.On != "workers" && f.On != "all" {
		found = append(found, wrong(at("on"), fmt.Sprintf("%s: `on` can't be %q", p, f.On), "", "Use controllers, workers or all."))
	}
	given := 0
	for _, is := range []bool{f.Content != nil, f.File != "", f.From != nil} {
		if is {
			given++
		}
	}
	if given != 1 {
		found = append(found, wrong(at(), fmt.Sprintf("%s has %s", p,
			map[bool]string{true: "no content", false: "more than one content"}[given == 0]), "",
			"Give it one of `content` (inline), `file` (of the repository) and `from` (a secret)."))
	}
	return found
}
