package site

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/selector"
	"kiban.dev/kiban/lifecycle/site/overlay"
)

const (
	// GroupsDir is the folder of a fleet that holds its groups: components that are meant for all sites of a kind.
	GroupsDir = "clusters/groups"
	// groupSelector is the annotation of a group's kustomization that says which sites these are.
	groupSelector = "kiban.dev/group-selector"
)

// group is one of them.
type group struct {
	// dir and file are relative to the fleet; file is that of the kustomization, "" where there is none.
	dir, file string
	// source is where the selector stands.
	source   string
	selector selector.Selector
	// readable says that its sites are known.
	readable bool
}

// readGroups reads the groups of a fleet, sorted by their folders. The findings are of groups of which nobody can tell whose they are.
func readGroups(fleetDir string) ([]group, lifecycle.Diagnostics) {
	entries, err := os.ReadDir(filepath.Join(fleetDir, filepath.FromSlash(GroupsDir)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, lifecycle.Diagnostics{lifecycle.Errorf(GroupsDir, "the fleet's groups can't be read").From(err).
			Try("It is a folder with a folder for each group.")}
	}
	var groups []group
	var ds lifecycle.Diagnostics
	for _, e := range entries {
		dir := filepath.Join(fleetDir, filepath.FromSlash(GroupsDir), e.Name())
		if info, err := os.Stat(dir); strings.HasPrefix(e.Name(), ".") || (err == nil && (!info.IsDir() || emptyDir(dir))) {
			continue
		}
		g := group{dir: path.Join(GroupsDir, e.Name())}
		found := g.read(fleetDir, dir)
		groups, ds = append(groups, g), append(ds, found...)
	}
	return groups, ds
}

// read reads the kustomization of a group.
func (g *group) read(fleetDir, dir string) lifecycle.Diagnostics {
	name, err := overlay.KustomizationFile(dir)
	if name == "" || err != nil {
		d := lifecycle.Errorf(g.dir, "this group has no kustomization that can be read").From(err)
		return lifecycle.Diagnostics{d.Try("Write a kustomization.yaml of the kind Component there, or move the folder out of " +
			GroupsDir + ".")}
	}
	g.file = path.Join(g.dir, name)
	g.source = g.file
	file, err := overlay.InCommit(fleetDir, filepath.Join(dir, name))
	var content []byte
	if err == nil {
		content, err = overlay.ReadPlain(file)
	}
	var docs []*yaml.Node
	if err == nil {
		docs, err = overlay.ParseYAML(content)
	}
	if err == nil && len(docs) != 1 {
		err = errors.New("it is not one document")
	}
	if err != nil {
		return lifecycle.Diagnostics{lifecycle.Errorf(g.file, "nobody can tell which sites this group is for").From(err).
			Try("It is a kustomization of the kind Component.")}
	}
	return g.decode(docs[0])
}

// decode finds out which sites a group is for.
func (g *group) decode(n *yaml.Node) lifecycle.Diagnostics {
	if kind := overlay.Text(overlay.Field(n, "kind")); kind != "Component" {
		return lifecycle.Diagnostics{lifecycle.Errorf(g.file, "a group is a kustomization of the kind Component, and this is none").
			Try("Write `apiVersion: kustomize.config.k8s.io/v1alpha1` and `kind: Component`.")}
	}
	at := []string{"metadata", "annotations", groupSelector}
	value := overlay.Field(n, at...)
	if value == nil {
		return lifecycle.Diagnostics{lifecycle.Errorf(g.file, "this group does not say which sites it is for").
			Because("Each folder of " + GroupsDir + " is for the sites whose labels match its annotation " + groupSelector + ".").
			Try("Write it into metadata.annotations, such as `" + groupSelector + ": tier=production`, or move the folder to clusters/components.")}
	}
	g.source = fmt.Sprintf("%s:%d", g.file, overlay.LineOf(n, at))
	var err error
	if g.selector, err = selector.Parse(overlay.Text(value)); err != nil {
		ds := lifecycle.AsDiagnostics(err, "the group's selector can't be read")
		for i := range ds {
			ds[i].Subject = g.source
		}
		return ds
	}
	g.readable = true
	return nil
}

// entry is how a site's kustomization lists the group.
func (g group) entry() string { return "../../" + g.dir }

// checkGroups holds that a site lists each group whose sites it is one of, and no other: by its labels as they are after the merge. lists
// says whether its tree has a folder, and where in its own kustomization components, or one of them, stand.
func checkGroups(groups []group, site lifecycle.Site, lists func(dir string) bool, where func(dir string) string) []finding {
	var found []finding
	for _, g := range groups {
		if !g.readable {
			continue
		}
		name, belongs, has := path.Base(g.dir), g.selector.Matches(site), lists(g.dir)
		at := overlay.Place{Subject: where(g.dir)}
		because := fmt.Sprintf("%s is for the sites that match %s (%s)", g.dir, g.selector, g.source)
		switch {
		case belongs && !has:
			found = append(found, wrong(at, fmt.Sprintf("%s belongs to the group %s, and does not list it", site.Name, name),
				because+", as its labels do.", fmt.Sprintf("Add to the components here: `- %s`. kiban site groups %s --fix does.", g.entry(), site.Name)))
		case has && !belongs:
			found = append(found, wrong(at, fmt.Sprintf("%s lists the group %s, and does not belong to it", site.Name, name),
				because+", and its labels do not.", fmt.Sprintf("Take `- %s` out, or give the site the labels.", g.entry())))
		}
	}
	return found
}

// groupReads are the files of groups that decide whether a site that does not list them is valid.
func groupReads(fleetDir string, lists func(dir string) bool) []string {
	groups, _ := readGroups(fleetDir)
	var out []string
	for _, g := range groups {
		switch {
		case lists(g.dir): // all of it is read for the site
		case g.file == "":
			out = append(out, g.dir)
		default:
			out = append(out, g.file)
		}
	}
	return out
}
