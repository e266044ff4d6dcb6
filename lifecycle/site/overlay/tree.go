package overlay

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle"
)

// The kinds that kiban reads itself. Every other object is applied as it is.
const (
	KindCluster = "Cluster"
	KindSite    = "Site"
	KindAddon   = "Addon"
	KindTenant  = "Tenant"
	// KindFleet is no document of an overlay: it stands in a file at the fleet's root.
	KindFleet = "Fleet"
	// KindHolds is another one.
	KindHolds = "Holds"

	// The versions and groups of their documents, and of k0s's own.
	APIKiban        = "kiban.dev/v1alpha1"
	APIK0sctl       = "k0sctl.k0sproject.io/v1beta1"
	GroupKiban      = "kiban.dev/"
	GroupK0sctl     = "k0sctl.k0sproject.io/"
	GroupK0sCluster = "k0s.k0sproject.io/"
)

// Tree is one overlay and everything below it, as written: what kustomize will read, with lines.
type Tree struct {
	fleet, overlay string
	sources        sources
	found          lifecycle.Diagnostics
	schema         bool // some kustomization declares the merge schema
	ownSchema      bool // the overlay's own one does
	// partial: something could not be read, so what seems to be missing may be in there.
	partial bool
	full    bool // it takes in too much, and that was told
	// hosts are what bases and patches together declare; see hosts.go.
	hosts hostList
	// own is the overlay's own kustomization; nil when it could not be read.
	own *kustomization
	// kustomizations are all of them, the overlay's own first.
	kustomizations []*kustomization
	// folders are those that a kustomization was read from; assembles says that one of them puts values together from pieces of others.
	folders   []string
	assembles bool
	// upward are the texts in documents and patches that have "..", such as the path of a file outside of those folders.
	upward []string
	// in is what was read: a build gets exactly that.
	in inputs
	// room is how many bytes a build may take; 0: what is usual.
	room uint64
}

// scope is what a kustomization's transformers will reach: the documents of its resources, and for a component those of the
// kustomization that includes it.
type scope struct{ pieces sources }

func (s *scope) holds(kind string) bool {
	for _, p := range s.pieces {
		if p.Kind == kind && !p.patch {
			return true
		}
	}
	return false
}

// Read reads the tree of an overlay, which is the folder of one site: <fleet>/overlays/<name>. What is wrong with it is among its
// Diagnostics.
func Read(overlay string) *Tree {
	t := &Tree{fleet: filepath.Dir(filepath.Dir(overlay)), overlay: overlay}
	t.in = inputs{root: t.fleet, files: map[string][]byte{}, links: map[string]string{}}
	if root, err := filepath.EvalSymlinks(t.fleet); err == nil {
		t.in.root = root
	}
	if dir, err := t.locate(overlay); err == nil {
		t.folder(dir, &scope{}, nil)
	} else {
		t.missing(overlay, 0, "the overlay can't be read", err.Error(), "Put the folder itself into the repository.")
	}
	t.checkSingles()
	t.checkHosts()
	t.checkMergedLists()
	return t
}

// Diagnostics are the findings so far, each once: a base that two components include is read twice.
func (t *Tree) Diagnostics() lifecycle.Diagnostics {
	type key struct{ subject, summary, detail string }
	seen := map[key]bool{}
	var ds lifecycle.Diagnostics
	for _, d := range t.found {
		k := key{d.Subject, d.Summary, d.Detail}
		if !seen[k] {
			seen[k] = true
			ds = append(ds, d)
		}
	}
	return ds
}

// Rel is a path as the fleet's repository has it.
func (t *Tree) Rel(path string) string {
	if r, err := filepath.Rel(t.fleet, path); err == nil && filepath.IsLocal(r) {
		return filepath.ToSlash(r)
	}
	return filepath.ToSlash(path)
}

// Fleet is the folder of the fleet's repository.
func (t *Tree) Fleet() string { return t.fleet }

// Overlay is the overlay's folder, as the fleet's repository has it.
func (t *Tree) Overlay() string { return t.Rel(t.overlay) }

// Subject names a place in a file; line 0 is the file as a whole.
func (t *Tree) Subject(file string, line int) string {
	if file == "" {
		return t.Rel(t.overlay)
	}
	if line <= 0 {
		return t.Rel(file)
	}
	return fmt.Sprintf("%s:%d", t.Rel(file), line)
}

// missing records that something could not be read.
func (t *Tree) missing(file string, line int, summary, detail, hint string) {
	t.partial = true
	t.fail(file, line, summary, detail, hint)
}

func (t *Tree) fail(file string, line int, summary, detail, hint string) {
	t.found = append(t.found, lifecycle.Errorf(t.Subject(file, line), "%s", summary).Because(detail).Try(hint))
}

// read parses a file into documents. Findings about it are recorded; ok is false when there is nothing to go on with.
func (t *Tree) read(file string) (docs []*yaml.Node, ok bool) {
	b, err := t.load(file)
	if err != nil {
		t.missing(file, 0, "the file can't be read", err.Error(), "It must be a plain file of the repository that can be read.")
		return nil, false
	}
	return t.parse(file, 0, b)
}

// documents parses a file. What bases and components say is parsed once for all sites, and changed by nobody.
func (t *Tree) documents(file string, b []byte) ([]*yaml.Node, error) {
	if isBelow(t.overlay, file) {
		return ParseYAML(b)
	}
	return kustomize.parsed.parse(b)
}

func (t *Tree) parse(file string, offset int, b []byte) ([]*yaml.Node, bool) {
	if t.in.written >= maxWritten {
		if !t.full {
			t.full = true
			t.missing(file, piece{offset: offset}.line(&yaml.Node{Line: 1}), "the overlay takes in more than a site can need",
				fmt.Sprintf("The files before this one have more than %d fields.", maxWritten), "Take large files out of it.")
		}
		return nil, false
	}
	docs, err := t.documents(file, b)
	if large, ok := errors.AsType[errAliases](err); ok || t.grown(docs) {
		t.missing(file, piece{offset: offset}.line(&yaml.Node{Line: max(1, large.line)}), "aliases make this too large",
			fmt.Sprintf("With every alias replaced by what it stands for it is more than %d times as large as it is written.", aliasFactor),
			"Write out what the aliases stand for, or use fewer of them.")
		return nil, false
	}
	if err != nil {
		line, what := YAMLErrorAt(err.Error())
		t.missing(file, piece{offset: offset}.line(&yaml.Node{Line: line}), "this is not YAML", what,
			"Check indentation, quotes and colons at and just above this line.")
		return nil, false
	}
	for _, d := range docs {
		if offset != 0 || !IsKustomization(file) { // what a kustomization names itself is read, or below its folder
			t.leaving(d)
		}
		duplicateKeys(d, func(k *yaml.Node, first int) {
			p := piece{offset: offset}
			t.fail(file, p.line(k), fmt.Sprintf("key %q is given twice", k.Value),
				fmt.Sprintf("Line %d gives it already. The build keeps one of the two and says nothing.", p.line(&yaml.Node{Line: first})),
				"Remove one.")
		})
	}
	return docs, true
}

// folder reads one kustomization folder into the scope.
func (t *Tree) folder(dir string, into *scope, stack []string) {
	name, err := KustomizationFile(dir)
	if err != nil {
		t.missing(dir, 0, "more than one kustomization", err.Error(), "Keep one.")
		return
	}
	file := filepath.Join(dir, name)
	docs, ok := t.read(file)
	if !ok {
		return
	}
	if len(docs) != 1 || docs[0].Kind != yaml.MappingNode {
		t.missing(file, 0, "this is not a kustomization", "It must hold one YAML mapping.", "Start with `resources:`.")
		return
	}
	t.folders = append(t.folders, dir)
	t.assembles = t.assembles || !Empty(Field(docs[0], "replacements")) || !Empty(Field(docs[0], "vars"))
	k := &kustomization{tree: t, dir: dir, file: file, node: docs[0], stack: append(stack[:len(stack):len(stack)], dir)}
	if len(stack) == 0 {
		t.own = k
	}
	t.kustomizations = append(t.kustomizations, k)
	k.read(into)
}

// resource reads what one entry of resources or components names.
func (t *Tree) resource(k *kustomization, entry *yaml.Node, component bool, into *scope) {
	ref := Text(entry)
	if ref == "" {
		t.missing(k.file, entry.Line, "an entry without a path", "", "Name a file or folder, relative to this one.")
		return
	}
	if k.goesOut(entry, ref) {
		return
	}
	written := filepath.Join(k.dir, ref)
	path, err := t.locate(written)
	var info fs.FileInfo
	if err == nil {
		info, err = os.Stat(path)
	} else {
		path = written
	}
	switch {
	case LeadsOut(err):
		t.missing(k.file, entry.Line, fmt.Sprintf("%s is outside the fleet", ref), "What is there is not in the commit: "+err.Error()+".",
			"Copy it into the repository.")
	case err != nil && remote(ref):
		t.missing(k.file, entry.Line, fmt.Sprintf("%s is fetched over the network", ref),
			"A build must give the same result for the same commit; what a remote resource holds is not in the commit.",
			"Copy it into the repository.")
	case errors.Is(err, fs.ErrNotExist):
		t.missing(k.file, entry.Line, fmt.Sprintf("%s does not exist", ref), "It is looked for at "+t.Rel(path)+".", k.suggest(ref))
	case err != nil:
		t.missing(k.file, entry.Line, fmt.Sprintf("%s can't be read", ref), err.Error(), "Check its permissions.")
	case slices.Contains(k.stack, path):
		t.missing(k.file, entry.Line, "kustomizations include each other in a circle",
			fmt.Sprintf("%s includes %s, which leads back here.", t.Rel(path), t.Rel(k.dir)), "Break the circle.")
	case info.IsDir():
		if name, err := KustomizationFile(path); name == "" && err == nil {
			t.missing(k.file, entry.Line, fmt.Sprintf("%s holds no kustomization", ref), "",
				"Add a kustomization.yaml there, or list its files one by one.")
			return
		}
		if t.tooMany(k, entry) {
			return
		}
		t.folder(path, into, k.stack)
	case component:
		t.missing(k.file, entry.Line, fmt.Sprintf("%s is a file, but components are folders", ref), "", "Name the component's folder.")
	case !isBelow(k.dir, path):
		t.missing(k.file, entry.Line, fmt.Sprintf("%s is outside the kustomization's folder", ref),
			"kustomize reads files only in or below the folder of the kustomization that names them.",
			"Name a folder with a kustomization of its own instead; those may be anywhere.")
	default:
		docs, ok := t.read(path)
		if !ok {
			return
		}
		for _, d := range docs {
			p := newPiece(path, 0, d, false)
			into.pieces = append(into.pieces, p)
			t.sources = append(t.sources, p)
		}
	}
}

// How much a tree may take in, each folder counted as often as it is included: two that each include the next two are a million after
// twenty levels. A site has a few dozen folders, and some ten thousand fields.
const (
	maxFolders = 2_000
	maxWritten = 4_000_000
)

// tooMany reports whether the tree has taken in more than a site can need, and tells it once.
func (t *Tree) tooMany(k *kustomization, entry *yaml.Node) bool {
	if len(t.folders) < maxFolders && t.in.written < maxWritten {
		return false
	}
	if !t.full {
		t.full = true
		t.missing(k.file, entry.Line, "the overlay takes in more than a site can need",
			fmt.Sprintf("Folders are counted as often as they are included; with %s it would be more than %d of them, or more than %d fields.",
				Text(entry), maxFolders, maxWritten), "Include each folder once.")
	}
	return true
}

// grown counts documents, and reports whether all that was read until now is too large with its aliases put in.
func (t *Tree) grown(docs []*yaml.Node) bool {
	written, expanded, _ := weigh(docs)
	t.in.written, t.in.expanded = t.in.written+written, t.in.expanded+expanded
	return t.in.expanded > tooMuch(t.in.written)
}

// checkSingles holds that the tree has one Cluster and one Site: kustomize's own complaint about a second one names no file.
func (t *Tree) checkSingles() {
	for _, kind := range []string{KindCluster, KindSite} {
		first := ""
		for _, p := range t.sources {
			if p.patch || p.Kind != kind {
				continue
			}
			if first == "" {
				first = t.Subject(p.file, p.line(p.node))
				continue
			}
			t.fail(p.file, p.line(p.node), "a second "+kind+" document", "The first is at "+first+". A site is one cluster.",
				"Remove one of them, or make it a patch of the other.")
		}
	}
}

// newPiece reads what identifies a document. Kinds of other groups that share a name with ours lose it.
func newPiece(file string, offset int, node *yaml.Node, patch bool) piece {
	return piece{file: file, offset: offset, node: node, patch: patch, Identity: Identify(node)}
}

// OwnKind keeps a kind's name when kiban reads it, and qualifies it with its group otherwise: Cluster is a kind of many groups.
func OwnKind(apiVersion, kind string) string {
	ours := strings.HasPrefix(apiVersion, GroupKiban) || strings.HasPrefix(apiVersion, GroupK0sctl)
	group, _, grouped := strings.Cut(apiVersion, "/")
	if ours || !grouped || apiVersion == "" {
		return kind
	}
	return kind + "." + group
}

// remote reports whether kustomize would take a path that does not exist for a URL.
func remote(ref string) bool {
	host, _, _ := strings.Cut(ref, "/")
	return strings.Contains(ref, "://") || strings.HasPrefix(ref, "git::") || strings.HasPrefix(ref, "git@") ||
		(strings.Contains(host, ".") && strings.Trim(host, ".") != "" && strings.Contains(ref, "/") && filepath.Ext(ref) == "") ||
		strings.Contains(ref, "?ref=")
}

// Within reports whether a file lies in or below a folder, symbolic links followed.
func Within(dir, file string) bool {
	d, err1 := filepath.EvalSymlinks(dir)
	f, err2 := filepath.EvalSymlinks(file)
	if err1 != nil || err2 != nil {
		return false
	}
	r, err := filepath.Rel(d, f)
	return err == nil && filepath.IsLocal(r)
}

// sameSchema reports whether a schema file is the one that kiban registers; white space does not matter.
func sameSchema(b []byte) bool {
	var x, y bytes.Buffer
	return compactJSON(&x, b) == nil && compactJSON(&y, schemaJSON) == nil && bytes.Equal(x.Bytes(), y.Bytes())
}
