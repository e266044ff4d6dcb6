package overlay

import (
	"bytes"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle"
)

// hostList is the hosts that resources and patches together declare, in the order of their first mention.
type hostList struct {
	order    []string
	declared map[string]hostSource
}

type hostSource struct {
	file string
	line int
	// gone: a later patch deletes the host with `$patch: delete`.
	gone bool
}

// Host is a host of the Cluster, and the file and line that declare it.
type Host struct{ Name, Source string }

// Hosts are those that resources and patches declare, in the order of their first mention, also those that a later patch deletes. What JSON
// patches add is not among them.
func (t *Tree) Hosts() []Host {
	hosts := make([]Host, 0, len(t.hosts.order))
	for _, name := range t.hosts.order {
		src := t.hosts.declared[name]
		hosts = append(hosts, Host{name, t.Subject(src.file, src.line)})
	}
	return hosts
}

// checkHosts follows the hosts of the Cluster through base and patches, and refuses every item that kustomize's merge by
// hostname would drop, or fold into another, without saying so.
func (t *Tree) checkHosts() {
	t.hosts.declared = map[string]hostSource{}
	patched := false
	for _, p := range t.sources {
		if p.Kind != KindCluster {
			continue
		}
		hosts := Items(Field(p.node, "spec", "hosts"))
		patched = patched || (p.patch && len(hosts) > 0)
		seen := map[string]int{}
		for _, item := range hosts {
			if name := t.hostName(p, item); name != "" {
				if first, dup := seen[name]; dup {
					t.fail(p.file, p.line(item), fmt.Sprintf("host %s is listed twice", name),
						fmt.Sprintf("Line %d lists it already. Hosts merge by hostname: kustomize keeps the last of the two and loses what patches say of "+
							"it.", first),
						"Rename one of them, or make them one item.")
					continue
				}
				seen[name] = p.line(item)
				t.declareHost(p, Resolve(item), name)
			}
		}
	}
	if patched && !t.schema && !t.partial {
		t.fail(t.overlay, 0, "hosts are patched, but no kustomization declares the merge schema",
			"Without it a patch replaces the whole list of hosts.", schemaHint)
	}
}

const schemaHint = "Base the overlay on clusters/base, or write `openapi: {path: " +
	"schema.json}` in the base, beside a copy of clusters/base/schema.json."

// checkMergedLists holds that the lists of addons and tenants that merge by name do so under the stock CLI, too.
func (t *Tree) checkMergedLists() {
	for _, p := range t.sources {
		for _, list := range []struct{ kind, field string }{{KindAddon, "secrets"}, {KindTenant, "namespaces"}} {
			if p.patch && p.Kind == list.kind && len(Items(Field(p.node, "spec", list.field))) > 0 && !t.schema && !t.partial {
				key, _ := Lookup(Field(p.node, "spec"), list.field)
				t.fail(p.file, p.line(key), fmt.Sprintf("%s of %s are patched, but no kustomization declares the merge schema", list.field,
					WithArticle(list.kind)),
					"Without it the patch replaces the whole list.", schemaHint)
			}
		}
	}
}

// WithArticle is a kind with its article.
func WithArticle(kind string) string {
	if kind == KindAddon {
		return "an " + kind
	}
	return "a " + kind
}

// hostName is the key of one item, or "" after saying why it has none.
func (t *Tree) hostName(p piece, item *yaml.Node) string {
	key, value := Lookup(item, "hostname")
	loss := "kustomize merges hosts by hostname; an item without one is dropped as soon as a patch names any host."
	if p.patch {
		loss = "kustomize merges hosts by hostname; a patch item without one replaces the whole list with nothing."
	}
	switch {
	case Resolve(item).Kind != yaml.MappingNode:
		t.fail(p.file, p.line(item), "a host must be a mapping", loss, "Start the item with `hostname:`.")
	case key == nil:
		t.fail(p.file, p.line(item), "a host without hostname", loss, "Give the item the `hostname` of the machine, in base and patches alike.")
	case Text(value) == "" || isAlias(item, "hostname"):
		t.fail(p.file, p.line(key), "hostname must be a plain name", loss, "Write the name itself: `hostname: worker-1`.")
	default:
		return Text(value)
	}
	return ""
}

func (t *Tree) declareHost(p piece, item *yaml.Node, name string) {
	known, exists := t.hosts.declared[name]
	directive, value := Lookup(item, "$patch")
	switch {
	case directive == nil:
	case p.patch && Text(value) == "delete":
		if !exists || known.gone {
			t.fail(p.file, p.line(item), fmt.Sprintf("the patch deletes host %s, which nothing declares", name), "", t.hosts.hint(name))
		}
		known.gone = true
		t.hosts.declared[name] = known
		return
	default:
		t.fail(p.file, p.line(directive), fmt.Sprintf("`$patch: %s` does not belong here", Text(value)),
			"Only a patch may hold it, and for hosts only as `$patch: delete`.", "Remove it.")
	}
	if !exists {
		t.hosts.order = append(t.hosts.order, name)
	}
	if !exists || known.gone {
		t.hosts.declared[name] = hostSource{file: p.file, line: p.line(item)}
	}
}

// hint proposes the host that was meant.
func (l hostList) hint(name string) string {
	if near := Nearest(name, l.order); near != "" {
		return fmt.Sprintf("Did you mean %q?", near)
	}
	return "Remove the item."
}

// lostHosts compares what the build holds with what base and patches declare.
func (t *Tree) lostHosts(docs []Document) lifecycle.Diagnostics {
	built := map[string]bool{}
	clusters := 0
	for i := range docs {
		if !bytes.Contains(docs[i].YAML, []byte("kind: "+KindCluster)) {
			continue
		}
		node, err := docs[i].Node()
		if err != nil || Identify(node).Kind != KindCluster {
			continue
		}
		clusters++
		for _, item := range Items(Field(node, "spec", "hosts")) {
			built[Text(Field(item, "hostname"))] = true
		}
	}
	if clusters != 1 {
		return nil // documents.go says what is wrong with that
	}
	var lost, where []string
	for _, name := range t.hosts.order {
		if src := t.hosts.declared[name]; !src.gone && !built[name] {
			lost = append(lost, name)
			where = append(where, fmt.Sprintf("%s (%s)", name, t.Subject(src.file, src.line)))
		}
	}
	if len(lost) == 0 {
		return nil
	}
	return lifecycle.Diagnostics{lifecycle.Errorf(t.Subject(t.sources.find(Place{Kind: KindCluster, Path: []string{"spec", "hosts"}})),
		"the build has lost %s", lifecycle.Count(len(lost), "host")).
		Because("Declared, but not in what kustomize prints: " + lifecycle.Few(where) + ". This is the last that changes the list.").
		Try("To remove a host, patch it with `- hostname: " + lost[0] + "` and `$patch: delete`. Patch hosts by hostname only.")}
}

// isAlias reports whether a key's value in a mapping is a YAML alias.
func isAlias(m *yaml.Node, key string) bool {
	m = Resolve(m)
	for i := 0; i+1 < len(m.Content); i += 2 {
		if strings.EqualFold(m.Content[i].Value, key) {
			return m.Content[i+1].Kind == yaml.AliasNode
		}
	}
	return false
}
