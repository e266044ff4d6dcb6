package plan

import (
	"fmt"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// inspectImages says what an upgrade needs of k0s's own images that kiban does not see to: each version of k0s brings others, and as soon
// as the first controller runs it, k0s rolls them out to every node.
func (p *planner) inspectImages() {
	if len(p.hops) == 0 || p.dark() {
		return
	}
	if p.inspectSoakImages(); !p.rolls() { // what is pinned for the soak is told when it is over
		p.inspectPinnedImages()
	}
	for _, s := range p.site.Cluster.Images {
		if s.Path == "spec.images.repository" {
			p.find(lifecycle.Warnf(s.Source, "whether %s has the images of k0s %s is not known here", s.Value, p.target()).
				Because("k0s takes its own images from there, and each of its versions brings others. kiban asks no registry for them.").
				Try("Have it serve what `k0s airgap list-images --all` of that version names before a controller is upgraded. " +
					"`kiban explain docs/airgap.md` says how."))
		}
	}
	for _, m := range p.members {
		if m.belongs() && m.seen.Reached() && m.Role.RunsWorkloads() {
			p.inspectBundles(m)
		}
	}
}

// inspectPinnedImages names the images whose version stands in k0s's configuration and is to be the same behind the upgrade.
func (p *planner) inspectPinnedImages() {
	var at string
	var kept []string
	for _, s := range p.site.Cluster.Images {
		if strings.HasSuffix(s.Path, ".version") && !p.imageChanges(s) {
			at = or(at, s.Source)
			kept = append(kept, fmt.Sprintf("%s: %s: %s", s.Source, s.Path, s.Value))
		}
	}
	if len(kept) == 0 {
		return
	}
	p.find(lifecycle.Warnf(at, "the upgrade to %s leaves %s of k0s at the version that is declared", p.target(),
		lifecycle.Count(len(kept), "image")).
		Because(append(kept, "k0s uses the version that its configuration names, and not the one that it comes with.")...).
		Try("Take them out, and k0s uses its own; or raise them in the same merge to what `k0s airgap list-images` of " +
			p.target().String() + " names."))
}

// imageChanges reports whether a pinned image differs from what the control plane has: then whoever has raised the version has thought of
// it.
func (p *planner) imageChanges(s lifecycle.ImageSetting) bool {
	if p.site.Cluster.DynamicConfig {
		return p.state.API.ClusterConfig != nil && setting(p.state.API.ClusterConfig, s.Path) != s.Value
	}
	return slices.ContainsFunc(p.controllers(), func(m *member) bool {
		return m.seen.Config != nil && setting(m.seen.Config, s.Path) != s.Value
	})
}

// inspectBundles finds a machine that is given its images as bundles and does not have that of a version on the way yet.
func (p *planner) inspectBundles(m *member) {
	var last string
	byVersion := map[lifecycle.Version]string{}
	for _, f := range m.Files {
		if v, ok := f.ImagesOf(m.dataFolder()); ok {
			last, byVersion[v] = f.Path, f.Path
		}
	}
	for _, hop := range p.hops {
		file := byVersion[hop]
		switch {
		case last == "" || !p.bringsImages(hop):
		case file == "":
			p.find(lifecycle.Warnf(m.Name, "no bundle of the images of k0s %s is declared for it", hop).
				Because("It is given "+last+".", rolledOutAtOnce).
				Try("Declare that version's bundle beside it in spec.files and apply that, before the version is raised. " +
					"`kiban explain docs/airgap.md` says how."))
		case !slices.ContainsFunc(m.seen.Files, func(f lifecycle.FileState) bool { return f.Path == file && f.Digest != "" }):
			p.find(lifecycle.Warnf(m.Name, "the bundle of the images of k0s %s is not there yet", hop).
				Because("It is put only when the machine's turn comes.", rolledOutAtOnce).
				Try("Apply the bundle in a merge of its own, and raise the version in the next. `kiban explain docs/airgap.md` says how."))
		}
	}
}

const rolledOutAtOnce = "As soon as the first controller runs a version, k0s starts its images on every node."

// bringsImages reports whether no controller runs the hop's version, or a newer one, yet.
func (p *planner) bringsImages(hop lifecycle.Version) bool {
	return !slices.ContainsFunc(p.controllers(), func(m *member) bool { return !m.seen.Running.IsZero() && !m.seen.Running.Less(hop) })
}
