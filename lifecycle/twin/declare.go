package twin

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle"
)

// Declaration is what of a site's declaration is another in its twin.
type Declaration struct {
	Site string
	// Version is what the Cluster document is to say.
	Version lifecycle.Version
	// Addresses are those of the site's machines, each with the name of the machine: the twin's take their place wherever they stand.
	Addresses map[string]string
	// Lab is where the twin's machines are.
	Lab Place
	// Patient gives machines as long as they need: for a twin that is being set up, on a computer that may be slower than the site.
	Patient bool
	// OwnKey gives a site that encrypts at rest a key of the twin's own, in the file that encryptionVariable names. Without it what the site
	// encrypts with is left out.
	OwnKey bool
}

// Declare writes a site's documents, as kustomize merges them, anew for its twin. What stays is what is named here: the machines with
// their
// roles and flags, the configuration of k0s without what leads outside, and the policy of upgrades. The rest is left out, and told.
func Declare(documents []byte, d Declaration) (cluster, site []byte, left []lifecycle.TwinDifference, err error) {
	docs, err := parseDocuments(documents)
	if err != nil {
		return nil, nil, nil, err
	}
	w := declaring{Declaration: d}
	for _, doc := range docs {
		if d.OwnKey && text(doc, "kind") == "Cluster" {
			w.encryption = encryptionOf(doc)
		}
	}
	for _, doc := range docs {
		switch kind := text(doc, "kind"); {
		case kind == "Cluster" && strings.HasPrefix(text(doc, "apiVersion"), "k0sctl."):
			cluster, err = w.print(w.cluster(doc))
		case kind == "Site" && strings.HasPrefix(text(doc, "apiVersion"), "kiban.dev/"):
			site, err = w.print(w.site(doc))
		default:
			w.units = append(w.units, kind+" "+text(doc, "metadata", "name"))
		}
		if err != nil {
			return nil, nil, nil, err
		}
	}
	if cluster == nil {
		return nil, nil, nil, lifecycle.Errorf(d.Site, "the site has no Cluster document, so there is nothing to rehearse").
			Because("Somebody else runs its machines (spec.provider: external); kiban changes none of them.").
			Try("kiban plan " + d.Site + " says what it would change in the cluster.")
	}
	if len(w.units) > 0 {
		w.differs(lifecycle.Count(len(w.units), "declared unit")+" (addons, tenants, objects) is as the snapshot has it, and applied by nobody",
			"Whether charts and objects can be applied is not rehearsed: "+lifecycle.Few(w.units))
	}
	return cluster, site, w.left, nil
}

// WriteFleet puts a fleet of one site into a folder, in the place of what it held.
func WriteFleet(dir, site string, cluster, spec []byte) error {
	over := filepath.Join(dir, "overlays", site)
	if err := os.MkdirAll(over, 0o700); err != nil {
		return NoRoom(dir, err)
	}
	for name, content := range map[string][]byte{"cluster.yaml": cluster, "site.yaml": spec,
		"kustomization.yaml": []byte("resources:\n- cluster.yaml\n- site.yaml\n")} {
		if err := os.WriteFile(filepath.Join(over, name), content, 0o600); err != nil {
			return NoRoom(dir, err)
		}
	}
	return nil
}

type declaring struct {
	Declaration
	left  []lifecycle.TwinDifference
	units []string
	// encryption is where controllers have the configuration of encryption at rest that the twin brings; "" for none.
	encryption string
}

func (w *declaring) differs(what, consequence string) {
	w.left = append(w.left, lifecycle.TwinDifference{What: what, Consequence: consequence})
}

// print writes a document, with the addresses of the twin's machines in the place of the site's.
func (w *declaring) print(doc map[string]any) ([]byte, error) {
	return yaml.Marshal(w.readdress(doc))
}

// readdress replaces the machines' addresses in every text: alone, or as a part that no digit, letter or dot continues.
func (w *declaring) readdress(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, value := range v {
			out[key] = w.readdress(value)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, value := range v {
			out[i] = w.readdress(value)
		}
		return out
	case string:
		for address, machine := range w.Addresses {
			v = replaceWhole(v, address, w.Lab.Address(machine))
		}
		return v
	}
	return v
}

// replaceWhole replaces a word wherever it is not part of a longer one.
func replaceWhole(in, word, by string) string {
	if word == "" || by == "" || !strings.Contains(in, word) {
		return in
	}
	continues := func(r byte) bool {
		return r == '.' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '-'
	}
	var out strings.Builder
	for rest := in; ; {
		i := strings.Index(rest, word)
		if i < 0 {
			out.WriteString(rest)
			return out.String()
		}
		end := i + len(word)
		before := i == 0 && out.Len() == 0 || i > 0 && !continues(rest[i-1]) || i == 0 && !continues(out.String()[out.Len()-1])
		if before && (end == len(rest) || !continues(rest[end])) {
			out.WriteString(rest[:i] + by)
		} else {
			out.WriteString(rest[:end])
		}
		rest = rest[end:]
	}
}

// site is the Site document: how machines are reached, and how they may be changed.
func (w *declaring) site(doc map[string]any) map[string]any {
	spec, _ := doc["spec"].(map[string]any)
	user := "root"
	if text(spec, "ssh", "user") != "" && text(spec, "ssh", "user") != "root" {
		user = "ops" // who needs sudo, as the site's user does
	}
	ssh := map[string]any{"user": user, "port": w.Lab.Port, "keyPath": w.Lab.KeyFile, "knownHosts": w.Lab.KnownHosts}
	keep(ssh, lookup(spec, "ssh"), "connectTimeout", "keepAlive")
	mirror := w.Lab.Mirror + "/{version}/"
	out := map[string]any{"ssh": ssh,
		"binaries": map[string]any{"url": mirror + "k0s-{version}-{arch}", "checksums": mirror + "sha256sums.txt"}}
	upgrade := map[string]any{}
	keep(upgrade, lookup(spec, "upgrade"), "path", "workers", "drain", "settle", "accept")
	if path, ok := upgrade["path"].([]any); ok {
		upgrade["path"] = hopsBefore(w.Version, path)
	}
	if w.Patient {
		upgrade["settle"] = map[string]any{"nodeTimeout": "10m", "timeout": "10m", "stableFor": "1s"}
	}
	out["upgrade"] = upgrade
	if api := lookup(spec, "api"); api != nil {
		kept := map[string]any{}
		keep(kept, api, "via")
		out["api"] = kept
	}
	files := w.files(spec)
	if w.encryption != "" {
		files[w.encryption] = w.encrypted(doc)
	}
	if len(files) > 0 {
		out["files"] = files
	}
	for _, left := range []struct{ field, what, consequence string }{
		{"api.endpoint", "API servers are asked by their own addresses, not through " + text(spec, "api", "endpoint"),
			"The load balancer before the API is not rehearsed."},
		{"upgrade.windows", "There are no maintenance windows", "At the site the run waits until a window is open, and is stopped by its end."},
		{"upgrade.probes", "The addresses of spec.upgrade.probes are not asked", "At the site, one that does not answer stops the rollout."},
		{"backup.to", "Backups stay in the twin", "Whether the places of spec.backup.to take them is not rehearsed."},
		{"backup.recipients", "Backups are not encrypted", "How long that takes is not rehearsed."},
		{"promotion", "What must have run elsewhere before is not asked", "spec.promotion may hold the site back."},
	} {
		if lookupPath(spec, left.field) != nil {
			w.differs(left.what, left.consequence)
		}
	}
	labels, _ := lookupPath(doc, "metadata.labels").(map[string]any)
	kept := map[string]any{}
	for name, value := range labels {
		if name != "tier" { // its rules are about what the twin does not have
			kept[name] = value
		}
	}
	return map[string]any{"apiVersion": doc["apiVersion"], "kind": "Site",
		"metadata": map[string]any{"name": w.Site, "labels": kept}, "spec": out}
}

// hopsBefore are the versions on the way that lie before the one that is declared: a twin that is set up as the site is now has yet to go
// them.
func hopsBefore(v lifecycle.Version, path []any) []any {
	return slices.DeleteFunc(slices.Clone(path), func(hop any) bool {
		text, _ := hop.(string)
		on, err := lifecycle.ParseVersion(text)
		return err == nil && !on.Less(v)
	})
}

// files are those of spec.files whose content stands in the document itself.
func (w *declaring) files(spec map[string]any) map[string]any {
	all, _ := spec["files"].(map[string]any)
	kept := map[string]any{}
	var left []string
	for path, f := range all {
		if path == w.encryption {
			continue
		}
		if file, ok := f.(map[string]any); ok && file["content"] != nil {
			kept[path] = f
			continue
		}
		left = append(left, path)
	}
	if len(left) > 0 {
		slices.Sort(left)
		w.differs("Machines do not have "+lifecycle.Count(len(left), "declared file"),
			"What those files do is not rehearsed: "+lifecycle.Few(left))
	}
	return kept
}

// cluster is the Cluster document.
func (w *declaring) cluster(doc map[string]any) map[string]any {
	spec, _ := doc["spec"].(map[string]any)
	hosts, _ := spec["hosts"].([]any)
	var machines []any
	var absent []string
	left := map[string]bool{}
	for _, h := range hosts {
		host, _ := h.(map[string]any)
		name := strings.ToLower(text(host, "hostname"))
		address := w.Lab.Address(name)
		if address == "" { // the lab has the machines that are members, as far as they answer
			absent = append(absent, name)
			continue
		}
		kept := map[string]any{"privateAddress": address, "ssh": map[string]any{"address": address}}
		keep(kept, host, "hostname", "role", "installFlags", "noTaints", "reset", "dataDir", "kubeletRootDir", "k0sInstallPath")
		for _, field := range []string{"hooks", "files", "environment"} {
			left[field] = left[field] || host[field] != nil
		}
		machines = append(machines, kept)
	}
	if len(absent) > 0 {
		w.differs("What runs no k0s at the site, or does not answer, is not in the twin: "+lifecycle.Few(absent),
			"What the plan does with it, and what it carries, is not rehearsed.")
	}
	for _, l := range []struct{ field, what, consequence string }{
		{"hooks", "Hooks of the Cluster document do not run", "What they do, and how long it takes, is not rehearsed."},
		{"files", "Files of the Cluster document are not uploaded", "What they do is not rehearsed."},
		{"environment", "k0s gets no environment of its own", "What its variables do is not rehearsed."},
	} {
		if left[l.field] {
			w.differs(l.what, l.consequence)
		}
	}
	k0s := map[string]any{"version": w.Version.String()}
	keep(k0s, lookup(spec, "k0s"), "dynamicConfig")
	if config, ok := lookupPath(spec, "k0s.config").(map[string]any); ok {
		k0s["config"] = w.config(config, spec)
	}
	return map[string]any{"apiVersion": doc["apiVersion"], "kind": "Cluster", "metadata": map[string]any{"name": w.Site},
		"spec": map[string]any{"k0s": k0s, "hosts": machines}}
}

// config is k0s's own configuration without what leads outside, or to what the twin's machines do not have.
func (w *declaring) config(config, cluster map[string]any) map[string]any {
	spec, _ := config["spec"].(map[string]any)
	out := map[string]any{}
	for name, value := range spec {
		switch name {
		case "extensions":
			w.differs("k0s deploys no charts of its own (spec.extensions)", "What k0s's Helm controller does is not rehearsed.")
		case "api", "network", "controllerManager", "scheduler":
			out[name] = w.part(name, value, cluster)
		default:
			out[name] = value
		}
	}
	kept := map[string]any{"spec": out}
	keep(kept, config, "apiVersion", "kind", "metadata")
	return kept
}

// part is one part of k0s's configuration.
func (w *declaring) part(name string, value any, cluster map[string]any) any {
	part, ok := value.(map[string]any)
	if !ok {
		return value
	}
	out := map[string]any{}
	for field, v := range part {
		switch field {
		case "externalAddress", "sans", "address", "onlyBindToAddress":
			if field != "externalAddress" {
				continue // addresses are the lab's
			}
			w.differs("The API has no external address ("+fmt.Sprint(v)+")", "The balancer or the virtual address before it is not rehearsed.")
		case "controlPlaneLoadBalancing":
			w.differs("There is no control plane load balancing", "How virtual addresses move between controllers is not rehearsed.")
		case "extraArgs":
			if args, ok := v.(map[string]any); ok {
				out[field] = w.arguments(name, args)
			}
		default:
			out[field] = v
		}
	}
	return out
}

// arguments are those of one of Kubernetes' servers, without sign-on and without files that the twin's machines do not have.
func (w *declaring) arguments(of string, args map[string]any) map[string]any {
	kept := map[string]any{}
	var left []string
	for name, v := range args {
		value, _ := v.(string)
		if name == encryptionFlag && w.encryption != "" {
			kept[name] = w.encryption
			continue
		}
		if strings.HasPrefix(name, "oidc-") || strings.HasPrefix(value, "/") || leadsOutside(value) {
			left = append(left, name)
			continue
		}
		kept[name] = v
	}
	if len(left) > 0 {
		slices.Sort(left)
		w.differs(fmt.Sprintf("%s: extra arguments are left out: %s", of, strings.Join(left, ", ")),
			"Files, addresses and sign-on that they name are not rehearsed.")
	}
	return kept
}

// leadsOutside reports whether an argument is the URL of somewhere else.
func leadsOutside(value string) bool {
	_, rest, url := strings.Cut(value, "://")
	return url && !net.ParseIP(strings.Trim(rest, "/")).IsLoopback()
}

// parseDocuments reads a stream of YAML documents.
func parseDocuments(b []byte) ([]map[string]any, error) {
	var out []map[string]any
	for d := yaml.NewDecoder(bytes.NewReader(b)); ; {
		var doc map[string]any
		err := d.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("the site's documents can't be read: %w", err)
		}
		if doc != nil {
			out = append(out, doc)
		}
	}
}

// keep copies fields that are there.
func keep(to, from map[string]any, fields ...string) {
	for _, f := range fields {
		if v, ok := from[f]; ok {
			to[f] = v
		}
	}
}

// lookup is the mapping of a field; nil where there is none.
func lookup(m map[string]any, field string) map[string]any {
	out, _ := m[field].(map[string]any)
	return out
}

// lookupPath is the value at a dotted path; nil where there is none.
func lookupPath(m map[string]any, path string) any {
	var v any = m
	for _, field := range strings.Split(path, ".") {
		at, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = at[field]
	}
	return v
}

// text is the text at a path; "" where there is none.
func text(m map[string]any, path ...string) string {
	s, _ := lookupPath(m, strings.Join(path, ".")).(string)
	return s
}
