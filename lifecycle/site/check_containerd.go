package site

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/site/overlay"
)

// checkContainerdFiles reads the declared files that k0s gives to its containerd: which versions of k0s each is for stands in it, and a
// machine that is given one that its containerd does not take starts no container (H41).
func (l *loader) checkContainerdFiles() []finding {
	var found []finding
	said := map[string]bool{}
	for i := range l.site.Cluster.Hosts {
		h := &l.site.Cluster.Hosts[i]
		d := slices.IndexFunc(l.cluster.Spec.Hosts, func(h2 hostDocument) bool { return strings.EqualFold(h2.Hostname, h.Name) })
		for j := range h.Files {
			f := &h.Files[j]
			if !lifecycle.ReadByContainerd(f.Path) || f.Content == nil || d < 0 {
				continue
			}
			wrongs := checkContainerdFile(f, *h, l.site.Cluster.Version, l.filePlace(l.cluster.Spec.Hosts[d], f.Path))
			for _, w := range wrongs {
				if key := overlay.Dotted(w.at.Path) + w.summary; !said[key] {
					said[key] = true
					found = append(found, w)
				}
			}
		}
	}
	return found
}

// checkContainerdFile judges one file for the site's version, and notes which versions it is for. A host without a containerd of k0s's may
// have any.
func checkContainerdFile(f *lifecycle.HostFile, h lifecycle.Host, target lifecycle.Version, at overlay.Place) []finding {
	declared := f.Since
	form := lifecycle.ContainerdForm(f.Content)
	since, until := lifecycle.ContainerdVersions(f.Path, form)
	if f.Since.Less(since) {
		f.Since = since
	}
	f.Until = until
	if !h.Role.RunsWorkloads() || h.OwnRuntime() {
		return nil
	}
	if d := brokenTOML(*f); d != "" {
		return []finding{wrong(at, f.Path+" is not TOML", d, "Correct it: containerd starts no container with a file that it can't read.")}
	}
	judge := wrong
	own := func(o lifecycle.HostFile) bool { return o.Path == lifecycle.ContainerdConfig }
	if f.Path != lifecycle.ContainerdConfig && slices.ContainsFunc(h.Files, own) {
		judge = doubtful // a whole configuration of one's own may leave it out
	}
	says := fmt.Sprintf("%s is of containerd's `version = %d`", f.Path, form)
	switch {
	case form >= 3 && bytes.Contains(f.Content, []byte("io.containerd.grpc.v1.cri")) && f.Path != lifecycle.ContainerdConfig:
		return []finding{judge(at, f.Path+" has a section of another version's than its own",
			"It is of `version = 3`, and io.containerd.grpc.v1.cri "+
				"is of `version = 2`: k0s v1.36 and later refuse it, and containerd 1 refuses the other.", newForm)}
	case !until.IsZero() && !declared.IsZero():
		return []finding{judge(at, says+", and is declared since "+declared.MinorString(),
			"Only k0s before v1.36 takes that: later ones bring containerd 2.", newForm)}
	case target.IsZero() || f.Fits(target) || !declared.IsZero():
		return nil
	case !until.IsZero():
		return []finding{judge(at, fmt.Sprintf("%s, which k0s %s does not take", says, target),
			fmt.Sprintf("It brings %s. Its workers do not start with this file.", lifecycle.ContainerdOf(target)), newForm)}
	}
	return []finding{judge(at, fmt.Sprintf("%s, which k0s %s does not take", says, target),
		fmt.Sprintf("It brings %s. With this file it ends, and no container starts.", lifecycle.ContainerdOf(target)),
		"Write it in `version = 2`. If it is for the version to come, say so: `since: v1.36`; until then hosts keep the file that they have.")}
}

const newForm = "Write it in `version = 3`: io.containerd.grpc.v1.cri becomes io.containerd.cri.v1.images (registries, pause image) and " +
	"io.containerd.cri.v1.runtime (runtimes). kiban puts it when a host is upgraded to v1.36. `kiban explain docs/airgap.md` says more."

// brokenTOML says why a file is no TOML, "" where it is. Of a secret it says only where.
func brokenTOML(f lifecycle.HostFile) string {
	var whole map[string]any
	_, err := toml.Decode(string(f.Content), &whole)
	if err == nil {
		return ""
	}
	e, ok := errors.AsType[toml.ParseError](err)
	switch {
	case !ok:
		return "It can't be read."
	case f.Secret:
		return fmt.Sprintf("Line %d of it can't be read.", e.Position.Line)
	}
	return fmt.Sprintf("Line %d of it: %s.", e.Position.Line, strings.TrimSuffix(e.Message, "."))
}
