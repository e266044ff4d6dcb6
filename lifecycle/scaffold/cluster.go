package scaffold

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle"
)

// Cluster is a k0sctl document that is to become an overlay.
type Cluster struct {
	// Name is the cluster's, as k0sctl has it.
	Name string
	// Version is the k0s version that the document asks for, "" when it asks for none.
	Version string
	Hosts   []Host
	// MaxUnavailable is the share of workers that k0sctl was to take at once, "10%"; "" when the document does not say.
	MaxUnavailable string

	file string
	root *yaml.Node
}

// Host is one machine of it. What the document does not say is empty.
type Host struct {
	Hostname, PrivateAddress string
	// Program is where k0s lies (k0sInstallPath).
	Program string
	// Address is where SSH finds it.
	Address string
	Role    lifecycle.Role
	Line    int
}

const k0sctlAPI = "k0sctl.k0sproject.io/v1beta1"

// Read reads a k0sctl document. file names it in findings.
func Read(file string, content []byte) (*Cluster, lifecycle.Diagnostics) {
	c := &Cluster{file: file}
	docs, err := documents(content)
	if err != nil {
		line, what := yamlProblem(err)
		hint := "Check indentation, quotes and colons at and just above this line."
		if strings.Contains(string(content), "${") {
			hint = "Write the values in place of ${...}: k0sctl puts variables of its environment in before it reads the file, and kiban does not."
		}
		return nil, lifecycle.Diagnostics{c.problem(line, "this is not YAML", what, hint)}
	}
	for i, d := range docs {
		if docs[i], err = unfold(d); err != nil {
			return nil, lifecycle.Diagnostics{c.problem(d.Content[0].Line, "the document can't be written out", err.Error(), "Use fewer aliases.")}
		}
	}
	root, ds := c.sortDocuments(docs)
	if ds.Err() != nil {
		return nil, ds
	}
	c.root = root
	return c, append(ds, c.read()...)
}

func (c *Cluster) read() lifecycle.Diagnostics {
	top := c.root.Content[0]
	set(top, "kind", "Cluster")
	meta := mapping(top, "metadata")
	if c.Name = text(get(meta, "name")); c.Name == "" {
		c.Name = "k0s-cluster" // k0sctl's own default
		set(meta, "name", c.Name)
	}
	k0s := mapping(mapping(top, "spec"), "k0s")
	if c.Version = text(get(k0s, "version")); c.Version != "" {
		if _, err := lifecycle.ParseVersion("v" + c.Version); err == nil {
			c.Version = "v" + c.Version
			set(k0s, "version", c.Version)
		}
	}
	if at := get(top, "spec", "options", "concurrency"); at != nil {
		if n, err := strconv.Atoi(text(get(at, "workerDisruptionPercent"))); err == nil && n > 0 && n <= 100 {
			c.MaxUnavailable = fmt.Sprintf("%d%%", n)
			drop(at, "workerDisruptionPercent")
		}
	}
	hosts := get(top, "spec", "hosts")
	if hosts == nil || hosts.Kind != yaml.SequenceNode || len(hosts.Content) == 0 {
		return lifecycle.Diagnostics{c.problem(top.Line, "the document has no hosts", "", "")}
	}
	var ds lifecycle.Diagnostics
	for _, h := range hosts.Content {
		if h.Kind != yaml.MappingNode {
			ds = append(ds, c.problem(h.Line, "a host must be a mapping", "", ""))
			continue
		}
		c.Hosts = append(c.Hosts, Host{Hostname: text(get(h, "hostname")), PrivateAddress: text(get(h, "privateAddress")),
			Program: text(get(h, "k0sInstallPath")),
			Address: text(get(h, "ssh", "address")), Role: lifecycle.Role(text(get(h, "role"))), Line: h.Line})
	}
	return ds
}

// SiteName is what the cluster's site is called: what was given, or else the cluster's own name, which may be none for a site.
func (c *Cluster) SiteName(given string) (string, error) {
	switch {
	case given != "":
		return given, nil
	case SiteName(c.Name):
		return c.Name, nil
	}
	return "", lifecycle.Errorf(c.file, "the cluster's name, %q, can't be a site's", c.Name).
		Because("It is metadata.name of the document. A site's name has lower-case letters, digits and hyphens, and at most 53 of them.").
		Try("Choose one: " + lifecycle.ShellWords("kiban", "import", c.file, "--site", "NAME"))
}

func (c *Cluster) problem(line int, summary, detail, hint string) lifecycle.Diagnostic {
	return lifecycle.Errorf(c.at(line), "%s", summary).Because(detail).Try(hint)
}

func (c *Cluster) at(line int) string {
	if line <= 0 {
		return c.file
	}
	return fmt.Sprintf("%s:%d", c.file, line)
}

// Paths says where relative paths of the document start, and where they are to start: both absolute. With an empty To they become absolute.
type Paths struct{ From, To string }

// rebase gives a path its new start. "~" is left to the SSH library, and a URL to whoever refuses it.
func (p Paths) rebase(path string) string {
	if path == "" || filepath.IsAbs(path) || strings.HasPrefix(path, "~") || strings.Contains(path, "://") {
		return path
	}
	abs := filepath.Join(p.From, path)
	if p.To == "" {
		return abs
	}
	rel, err := filepath.Rel(p.To, abs)
	if err != nil {
		return abs
	}
	return filepath.ToSlash(rel)
}

// Document prints the cluster with what was learnt about it: hosts by position, and the version. With it come the lines of the file that
// the lines of the print stem from.
func (c *Cluster) Document(known Learnt, paths Paths) (content []byte, origin map[int]int, err error) {
	doc, err := unfold(c.root)
	if err != nil {
		return nil, nil, err
	}
	top := doc.Content[0]
	if known.Version != "" {
		set(mapping(mapping(top, "spec"), "k0s"), "version", known.Version)
	}
	for i, h := range get(top, "spec", "hosts").Content {
		if k := known.Hosts[i]; k.PrivateAddress != "" {
			set(h, "privateAddress", k.PrivateAddress)
		}
		if k := known.Hosts[i]; k.Program != "" {
			set(h, "k0sInstallPath", k.Program)
		}
		set(h, "hostname", known.Hosts[i].Name)
		rebaseHost(h, paths)
	}
	if content, err = encode(doc); err != nil {
		return nil, nil, err
	}
	printed, err := documents(content)
	if err != nil || len(printed) != 1 {
		return nil, nil, fmt.Errorf("read back the document: %w", err)
	}
	origin = map[int]int{}
	lines(printed[0].Content[0], top, origin, top.Line)
	return content, origin, nil
}

// rebaseHost gives the files and keys of a host their new start.
func rebaseHost(h *yaml.Node, paths Paths) {
	for at := get(h, "ssh"); at != nil; at = get(at, "bastion") {
		if p := text(get(at, "keyPath")); p != "" {
			set(at, "keyPath", paths.rebase(p))
		}
	}
	files := get(h, "files")
	if files == nil {
		return
	}
	for _, f := range files.Content {
		if src := text(get(f, "src")); src != "" {
			set(f, "src", paths.rebase(src))
		}
	}
}

// Outside lists what the document's relative paths name outside of a folder, once each: whoever has only the folder has not got it.
func (c *Cluster) Outside(folder string, paths Paths) []string {
	var out []string
	seen := map[string]bool{}
	for _, h := range get(c.root.Content[0], "spec", "hosts").Content {
		files := get(h, "files")
		if files == nil {
			continue
		}
		for _, f := range files.Content {
			src := text(get(f, "src"))
			if src == "" || strings.Contains(src, "://") || seen[src] {
				continue
			}
			seen[src] = true
			abs := Paths{From: paths.From}.rebase(src)
			if rel, err := filepath.Rel(folder, abs); err != nil || !filepath.IsLocal(rel) {
				out = append(out, abs)
			}
		}
	}
	return out
}
