package plan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// configChanges lists how a controller's k0s.yaml is to change, "spec.network.provider: kuberouter -> calico", secrets masked. None where
// the document leaves the configuration to k0s, where a step of this plan has already written it, and where all that differs acts only when
// a cluster is first set up: k0s is not restarted for that.
func (p *planner) configChanges(m *member) []string {
	if m.configured || !m.seen.Reached() || m.Config == nil || (m.ConfigDigest != "" && m.ConfigDigest == m.seen.ConfigDigest) {
		return nil
	}
	if _, err := flatten(m.Config); err != nil {
		return []string{"k0s.yaml: what is declared cannot be compared: " + err.Error()}
	}
	if m.seen.Config == nil {
		return []string{"k0s.yaml: (none) -> as declared"}
	}
	if _, err := flatten(m.seen.Config); err != nil {
		return []string{"k0s.yaml: (not readable) -> as declared"}
	}
	if !m.showsConfig() {
		return []string{"k0s.yaml: (not a k0s configuration) -> as declared"}
	}
	var out []string
	acts := false
	for _, c := range p.configDiff(m) {
		acts = acts || !p.impliedAnyway(m, c) && p.classOf(m, c).Class != lifecycle.ChangesAtRegistration
		out = append(out, c.String())
	}
	if !acts && m.lives() {
		return nil
	}
	return out
}

// inspectUndeclared tells of configurations that were declared once, or made by others, and are nobody's now.
func (p *planner) inspectUndeclared() {
	for _, m := range p.controllers() {
		if m.Config != nil || m.seen.Config == nil || !m.lives() {
			continue
		}
		have, err := flatten(m.seen.Config)
		if err != nil {
			continue
		}
		var lines []string
		for _, c := range compare(have, nil) {
			if strings.HasPrefix(c.path, "spec.") && !saysNothing(c.from) && p.effective(m, nil, c.path, "") != c.from && !generated(c.path) {
				lines = append(lines, change{c.path, "", c.from}.String())
			}
		}
		if all := strings.ReplaceAll(strings.Join(lines, "\n"), ": (none) -> ", ": "); all != "" {
			p.find(lifecycle.Warnf(m.Name, "k0s is configured there, and the site declares no configuration").
				Because(all + "\nkiban leaves the file as it is, and gives a copy of it to a controller that joins.").
				Try("Declare it in spec.k0s.config of the Cluster; or write `config: {spec: {}}` there, to go back to what k0s does by default."))
		}
	}
}

// generated reports whether `k0s config create` writes that part by itself, as the machine and the version are.
func generated(path string) bool {
	for _, p := range []string{"spec.api.address", "spec.api.sans", "spec.api.ca", "spec.storage.etcd.peerAddress", "spec.storage.etcd.ca",
		"spec.images", "spec.installConfig", "spec.network.nodeLocalLoadBalancing.envoyProxy", "spec.network.nodeLocalLoadBalancing.traefik",
		"spec.telemetry", "spec.extensions.helm.concurrencyLevel", "spec.extensions.storage", "spec.network.kubeProxy", "spec.network.kuberouter",
		"spec.konnectivity"} {
		if path == p || strings.HasPrefix(path, p+".") || strings.HasPrefix(path, p+"[") {
			return true
		}
	}
	return false
}

// configDiff lists in which fields a controller's k0s.yaml differs from what is declared. A machine without one has k0s's defaults. Nothing
// where either cannot be read.
func (p *planner) configDiff(m *member) []change {
	if m.Config == nil || !m.seen.Reached() {
		return nil
	}
	want, errWant := flatten(m.Config)
	have, errHave := map[string]string{}, error(nil)
	if m.seen.Config != nil {
		have, errHave = flatten(m.seen.Config)
	}
	if errWant != nil || errHave != nil {
		return nil
	}
	var out []change
	for _, c := range compare(have, want) {
		if (!p.site.Cluster.DynamicConfig || nodeLocal(c.path)) && !(saysNothing(c.from) && saysNothing(c.to)) {
			out = append(out, c)
		}
	}
	return out
}

// impliedAnyway reports whether a controller's k0s.yaml only spells out what k0s does there without being told: k0sctl before v0.20 wrote
// the machine's own address into it, and the loopback's into the certificate. It is no reason to restart k0s; the lines go with the next
// change of the file.
// What a living cluster keeps is said by its default, too: to spell that out changes nothing.
func (p *planner) impliedAnyway(m *member, c change) bool {
	if p.classes.Of(c.path).Class == lifecycle.ChangesNever && lifecycle.IsK0sField(c.path) &&
		p.effective(m, m.seen.Config, c.path, c.from) == p.effective(m, m.Config, c.path, c.to) {
		return true
	}
	switch c.path {
	case "spec.api.address":
		own := []string{m.ClusterAddress(), m.Address}
		var from, to string
		return json.Unmarshal([]byte(or(c.from, `""`)), &from) == nil && json.Unmarshal([]byte(or(c.to, `""`)), &to) == nil &&
			(from == "" || slices.Contains(own, from)) && (to == "" || slices.Contains(own, to))
	case "spec.api.sans":
		return slices.Equal(names(c.from), names(c.to))
	}
	return false
}

// names are those of a certificate, sorted, but for the machine itself: k0s puts that into each.
func names(list string) []string {
	var all []string
	if json.Unmarshal([]byte(or(list, "[]")), &all) != nil {
		return []string{list}
	}
	all = slices.DeleteFunc(all, func(n string) bool { return n == "127.0.0.1" || n == "::1" || n == "localhost" })
	slices.Sort(all)
	return slices.Compact(all)
}

// saysNothing reports whether a value is to k0s as if it were left out.
func saysNothing(v string) bool { return v == "" || v == "{}" || v == "null" }

// showsConfig reports whether what the machine has for its configuration is one. Of another document no value is shown: what has no names
// can't be masked.
func (m *member) showsConfig() bool {
	if m.seen.Config == nil {
		return true
	}
	flat, err := flatten(m.seen.Config)
	if err != nil {
		return false
	}
	kind, version := flat["kind"], flat["apiVersion"]
	unnamed := kind == `""` && version == `""`                // as k0sctl writes what is local to a node where the document does not name them
	known := kind == `"ClusterConfig"` || kind == `"Cluster"` // as k0sctl's own `init` has it
	return unnamed || known && strings.HasPrefix(version, `"`+k0sConfigGroup)
}

// k0sConfigGroup begins the apiVersion of k0s's configurations.
const k0sConfigGroup = "k0s.k0sproject.io/"

// nodeLocal reports whether k0s reads that part of its configuration from the file even where the rest lives in the cluster.
func nodeLocal(path string) bool {
	for _, p := range []string{"spec.api", "spec.storage", "spec.network.controlPlaneLoadBalancing"} {
		if path == p || strings.HasPrefix(path, p+".") || strings.HasPrefix(path, p+"[") {
			return true
		}
	}
	return false
}

func or(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// change is one value that differs: JSON on both sides, "" for none.
type change struct{ path, from, to string }

// String says how the value changes, but for secrets, and for texts of several lines.
func (c change) String() string {
	if lifecycle.SecretPath(c.path) {
		return c.path + ": " + lifecycle.Masked + " changes"
	}
	from, to := shown(c.from), shown(c.to)
	if strings.Contains(from+to, "\n") {
		return c.path + ": (text) changes"
	}
	return fmt.Sprintf("%s: %s -> %s", c.path, from, to)
}

// shown is a JSON value as people write it; credentials in URLs and flags are masked.
func shown(v string) string {
	if v == "" {
		return "(none)"
	}
	var s string
	if json.Unmarshal([]byte(v), &s) == nil && s != "" {
		v = s
	}
	return lifecycle.MaskText(v)
}

// compare lists what differs, by path.
func compare(have, want map[string]string) []change {
	all := maps.Clone(have)
	maps.Copy(all, want)
	var out []change
	for _, path := range slices.Sorted(maps.Keys(all)) {
		if have[path] != want[path] {
			out = append(out, change{path, have[path], want[path]})
		}
	}
	return out
}

// flatten lays a JSON document out as path -> JSON of the value there. Lists of plain values stay whole.
func flatten(doc []byte) (map[string]string, error) {
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	out := map[string]string{}
	flattenInto(out, "", v)
	return out, nil
}

func flattenInto(out map[string]string, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			flattenInto(out, strings.TrimPrefix(path+"."+k, "."), e)
		}
		if len(v) > 0 || path == "" {
			return
		}
	case []any:
		if slices.ContainsFunc(v, nested) {
			for i, e := range v {
				flattenInto(out, fmt.Sprintf("%s[%d]", path, i), e)
			}
			return
		}
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic("plan: decoded JSON does not encode: " + err.Error()) // a bug, not a condition
	}
	out[path] = string(b)
}

func nested(v any) bool {
	switch v.(type) {
	case map[string]any, []any:
		return true
	}
	return false
}

// maskArgument hides the value of an argument whose name suggests a secret.
func maskArgument(a string) string {
	if name, _, ok := strings.Cut(a, "="); ok && lifecycle.SecretPath(name) {
		return name + "=" + lifecycle.Masked
	}
	return lifecycle.MaskText(a)
}
