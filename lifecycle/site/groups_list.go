package site

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/atomicfile"
	"kiban.dev/kiban/lifecycle/site/overlay"
)

// Groups says of which groups of a fleet a site is. It needs the site's labels and nothing else of it to be right.
func Groups(ctx context.Context, fleetDir, name string) (lifecycle.Membership, lifecycle.Diagnostics) {
	of := lifecycle.Membership{Site: name, Groups: []string{}}
	groups, ds := readGroups(fleetDir)
	m, found := merge(ctx, fleetDir, name)
	if ds = append(ds, found...); ds.Err() != nil {
		return of, ds
	}
	docs, found := sortDocuments(m.tree, m.docs)
	if found.Err() != nil {
		return of, append(ds, found...)
	}
	declared, findings := decodeSite(docs.site)
	if ds = append(ds, locate(m.tree, findings)...); ds.Err() != nil {
		return of, ds
	}
	site := lifecycle.Site{Name: name}
	declared.fill(&site, m.dir)
	for _, g := range groups {
		group, belongs, has := path.Base(g.dir), g.selector.Matches(site), m.tree.Includes(g.dir)
		if belongs {
			of.Groups = append(of.Groups, group)
		}
		switch {
		case belongs && !has:
			of.Missing = append(of.Missing, group)
		case has && !belongs:
			of.Excess = append(of.Excess, group)
		}
	}
	return of, ds
}

// ListGroups writes a site's groups into the components of its overlay: what is missing goes to the end, and what is too much goes. The
// rest of the file stays as it is.
func ListGroups(fleetDir string, of lifecycle.Membership) error {
	if of.Right() {
		return nil
	}
	dir, ds := overlayDir(fleetDir, of.Site)
	if ds.Err() != nil {
		return ds
	}
	name, err := overlay.KustomizationFile(dir)
	if err != nil {
		return err
	}
	rel := path.Join(overlaysDir, of.Site, name)
	file, err := overlay.InCommit(fleetDir, filepath.Join(dir, name))
	var content []byte
	if err == nil {
		content, err = overlay.ReadPlain(file)
	}
	if err == nil {
		content, err = relist(content, of)
	}
	if err != nil {
		return lifecycle.Errorf(rel, "the groups could not be written into it").From(err).Try("Write them by hand: " + byHand(of))
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	return atomicfile.Write(file, content, info.Mode().Perm())
}

func byHand(of lifecycle.Membership) string {
	var out []string
	for _, name := range of.Missing {
		out = append(out, "add `- "+entryOf(name)+"` to components")
	}
	for _, name := range of.Excess {
		out = append(out, "take "+entryOf(name)+" out")
	}
	return strings.Join(out, "; ") + "."
}

func entryOf(name string) string { return group{dir: path.Join(GroupsDir, name)}.entry() }

// relist changes the components of a kustomization line by line, and gives its new content.
func relist(content []byte, of lifecycle.Membership) ([]byte, error) {
	docs, err := overlay.ParseYAML(content)
	if err != nil || len(docs) != 1 {
		return nil, fmt.Errorf("it is not one document: %w", err)
	}
	key, list := overlay.Lookup(docs[0], "components")
	lines := strings.SplitAfter(string(content), "\n")
	items := overlay.Items(list)
	if key != nil && (len(items) == 0 || items[0].Line == key.Line) {
		return nil, fmt.Errorf("its components, in line %d, are not one a line", key.Line)
	}
	indent, last := "", 0
	var gone []int
	for _, e := range items {
		line := lines[e.Line-1]
		if e.Line == last || !strings.HasPrefix(strings.TrimLeft(line, " "), "- ") {
			return nil, fmt.Errorf("its components, in line %d, are not one a line", e.Line)
		}
		indent, last = line[:strings.Index(line, "-")], e.Line
		if slices.ContainsFunc(of.Excess, func(name string) bool { return path.Clean(overlay.Text(e)) == entryOf(name) }) {
			gone = append(gone, e.Line)
		}
	}
	if len(gone) < len(of.Excess) {
		return nil, fmt.Errorf("a group that is too much is listed elsewhere: in a base or a component of it")
	}
	return rewrite(lines, indent, last, gone, of.Missing), nil
}

// rewrite leaves lines out, and puts entries behind the last one, or a list at the end where there is none.
func rewrite(lines []string, indent string, last int, gone []int, missing []string) []byte {
	var b bytes.Buffer
	entries := func() {
		for _, name := range missing {
			fmt.Fprintf(&b, "%s- %s\n", indent, entryOf(name))
		}
	}
	for i, line := range lines {
		if !slices.Contains(gone, i+1) {
			b.WriteString(line)
		}
		if i+1 == last {
			if !strings.HasSuffix(line, "\n") {
				b.WriteString("\n")
			}
			entries()
		}
	}
	if last == 0 && len(missing) > 0 {
		if b.Len() > 0 && !bytes.HasSuffix(b.Bytes(), []byte("\n")) {
			b.WriteString("\n")
		}
		b.WriteString("components:\n")
		entries()
	}
	return b.Bytes()
}
