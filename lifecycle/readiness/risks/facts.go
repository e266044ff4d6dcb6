package risks

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle"
)

// eachMachine asks about every machine that is to stay. says gives the evidence, "" where it is not true of the machine. Where it is true
// of none, and some did not answer, it is not known.
func (f Facts) eachMachine(says func(decl lifecycle.Host, seen lifecycle.HostState) string) verdict {
	out := verdict{answer: no, about: true}
	var silent []string
	for _, h := range f.Site.Cluster.Hosts {
		seen, ok := f.State.Host(h.Name)
		switch {
		case h.Reset:
			continue
		case !ok || !seen.Reached():
			silent = append(silent, h.Name)
			continue
		}
		if said := says(h, seen); said != "" {
			out.answer, out.machines, out.seen = yes, append(out.machines, h.Name), append(out.seen, h.Name+": "+said)
		}
	}
	if out.answer == no && len(silent) > 0 {
		return verdict{about: true, machines: silent, why: lifecycle.Enumerate(silent) + " did not answer"}
	}
	return out
}

func dropIn(c Condition, f Facts) verdict {
	return f.eachMachine(func(h lifecycle.Host, seen lifecycle.HostState) string {
		if h.OwnRuntime() {
			return "" // nobody reads them
		}
		for _, d := range seen.DropIns {
			declared := slices.ContainsFunc(h.At(f.Target).Files, func(file lifecycle.HostFile) bool { return file.Path == d.Path })
			if strconv.Itoa(d.Form) == c.arg("form") && d.Path != lifecycle.ContainerdConfig && !declared && h.Role.RunsWorkloads() {
				return fmt.Sprintf("%s is of `version = %d`", d.Path, d.Form)
			}
		}
		return ""
	})
}

func cgroup(c Condition, f Facts) verdict {
	return f.eachMachine(func(h lifecycle.Host, seen lifecycle.HostState) string {
		if h.Role.RunsWorkloads() && seen.CgroupV1 == (c.arg("version") == "v1") {
			return "cgroup " + c.arg("version")
		}
		return ""
	})
}

func kernel(c Condition, f Facts) verdict {
	return f.eachMachine(func(_ lifecycle.Host, seen lifecycle.HostState) string {
		if seen.Kernel != "" && within(kernelRelease(seen.Kernel), c.arg("since"), c.arg("before")) {
			return "kernel " + seen.Kernel
		}
		return ""
	})
}

func distribution(c Condition, f Facts) verdict {
	return f.eachMachine(func(_ lifecycle.Host, seen lifecycle.HostState) string {
		if id, _, _ := strings.Cut(seen.OS, " "); slices.Contains(c.Args["is"], id) {
			return seen.OS
		}
		return ""
	})
}

func arch(c Condition, f Facts) verdict {
	return f.eachMachine(func(_ lifecycle.Host, seen lifecycle.HostState) string {
		if slices.Contains(c.Args["is"], seen.Arch) {
			return seen.Arch
		}
		return ""
	})
}

// argument is about what is declared, so every machine answers.
func argument(c Condition, f Facts) verdict {
	out := verdict{answer: no, about: true}
	for _, h := range f.Site.Cluster.Hosts {
		for _, a := range h.Arguments {
			name, value, _ := strings.Cut(a, "=")
			if !h.Reset && name == c.arg("name") && strings.Contains(value, c.arg("contains")) {
				out.answer, out.machines, out.seen = yes, append(out.machines, h.Name), append(out.seen, h.Name+": "+lifecycle.MaskLog(a))
			}
		}
	}
	return out
}

// setting is about the declared configuration of k0s, on controllers or in the cluster.
func setting(c Condition, f Facts) verdict {
	docs := [][]byte{f.Site.Cluster.Config}
	for _, h := range f.Site.Cluster.Controllers() {
		docs = append(docs, h.Config)
	}
	found := false
	for _, doc := range docs {
		values, set := at(doc, c.arg("path"))
		found = found || set
		for _, v := range values {
			if counts(c.Args["is"], v) {
				return verdict{answer: yes, seen: []string{fmt.Sprintf("k0s.yaml: %s is %s", c.arg("path"), shown(c.arg("path"), v))}}
			}
		}
	}
	if d := c.arg("default"); !found && d != "" && counts(c.Args["is"], d) {
		return verdict{answer: yes, seen: []string{fmt.Sprintf("k0s.yaml: %s is not set, which is %s", c.arg("path"), d)}}
	}
	return verdict{answer: no}
}

func counts(wanted []string, v string) bool { return len(wanted) == 0 || slices.Contains(wanted, v) }

// shown is a value as it may be told.
func shown(path, v string) string {
	if lifecycle.SecretName(path) {
		return "(not shown)"
	}
	return lifecycle.MaskLog(v)
}

// at gives the values at a path of a JSON document, and whether anything is there.
func at(doc []byte, path string) (values []string, set bool) {
	var v any
	if len(doc) == 0 || json.Unmarshal(doc, &v) != nil {
		return nil, false
	}
	here := []any{v}
	for part := range strings.SplitSeq(path, ".") {
		name, each := strings.CutSuffix(part, "[*]")
		var next []any
		for _, h := range here {
			m, _ := h.(map[string]any)
			child, ok := m[name]
			list, isList := child.([]any)
			switch {
			case !ok || child == nil:
			case each && isList:
				next = append(next, list...)
			case !each:
				next = append(next, child)
			}
		}
		here = next
	}
	for _, h := range here {
		if s, ok := h.(string); ok {
			values = append(values, s)
			continue
		}
		b, _ := json.Marshal(h) // of what was JSON
		values = append(values, string(b))
	}
	return values, len(here) > 0
}

func chartOf(c Condition, f Facts) verdict {
	for _, a := range f.Site.Addons {
		if a.Chart != nil && a.Chart.Name == c.arg("name") && within(a.Chart.Version, c.arg("since"), c.arg("before")) {
			return verdict{answer: yes, addon: a.Name, seen: []string{fmt.Sprintf("addon %s declares chart %s %s", a.Name, a.Chart.Name,
				a.Chart.Version)}}
		}
	}
	return verdict{answer: no}
}

func releaseOf(c Condition, f Facts) verdict {
	if f.State.Units == nil && len(f.Site.Addons) > 0 {
		return verdict{why: cmp.Or(f.State.API.Unknown, "the releases of the cluster were not looked at")}
	}
	var hidden string
	for _, u := range f.State.Units {
		if u.Unknown != "" && u.Chart == c.arg("name") {
			hidden = u.Unknown
		}
		if u.Release.Chart == c.arg("name") && within(u.Release.Version, c.arg("since"), c.arg("before")) {
			return verdict{answer: yes, addon: strings.TrimPrefix(u.Name, lifecycle.UnitAddon),
				seen: []string{fmt.Sprintf("release %s/%s is chart %s %s", u.Release.Namespace, u.Release.Name, u.Release.Chart, u.Release.Version)}}
		}
	}
	if hidden != "" {
		return verdict{why: cmp.Or(f.State.API.Unknown, hidden)}
	}
	return verdict{answer: no}
}

func valueOf(c Condition, f Facts) verdict {
	for _, a := range f.Site.Addons {
		if a.Chart == nil || a.Chart.Name != c.arg("chart") {
			continue
		}
		values, _ := at(a.Chart.Values, c.arg("path"))
		for _, v := range values {
			if counts(c.Args["is"], v) {
				return verdict{answer: yes, addon: a.Name, seen: []string{fmt.Sprintf("addon %s: %s is %s", a.Name, c.arg("path"),
					shown(c.arg("path"), v))}}
			}
		}
	}
	return verdict{answer: no}
}

// object is about the documents of the overlay, those that are tied to addons among them; what charts make is not known here.
func object(c Condition, f Facts) verdict {
	docs := slices.Clone(f.Site.Objects)
	owner := map[string]string{}
	for _, a := range f.Site.Addons {
		for _, d := range a.Objects {
			docs = append(docs, d)
			owner[d.Kind+" "+d.Namespace+"/"+d.Name] = a.Name
		}
	}
	out := verdict{answer: no}
	for _, d := range docs {
		if len(c.Args["kind"]) > 0 && !slices.Contains(c.Args["kind"], d.Kind) {
			continue
		}
		field := ""
		if len(c.Args["key"]) > 0 {
			if field = keyIn(d.YAML, c.Args["key"]); field == "" {
				continue
			}
			field = " has " + field
		}
		name := strings.TrimPrefix(d.Namespace+"/"+d.Name, "/")
		where := ""
		if d.Source != "" {
			where = " (" + d.Source + ")"
		}
		out.answer, out.seen = yes, append(out.seen, d.Kind+" "+name+field+where)
		if out.addon == "" {
			out.addon = owner[d.Kind+" "+d.Namespace+"/"+d.Name]
		}
	}
	return out
}

// keyIn is the first of the keys that a mapping anywhere in a document has; "" where none is there.
func keyIn(text []byte, keys []string) string {
	var doc yaml.Node
	if yaml.Unmarshal(text, &doc) != nil {
		return ""
	}
	var find func(n *yaml.Node, depth int) string
	find = func(n *yaml.Node, depth int) string {
		if depth > 100 {
			return ""
		}
		for i, child := range n.Content {
			if n.Kind == yaml.MappingNode && i%2 == 0 && slices.Contains(keys, child.Value) {
				return child.Value
			}
			if found := find(child, depth+1); found != "" {
				return found
			}
		}
		return ""
	}
	return find(&doc, 0)
}

func brings(c Condition, f Facts) verdict { return carriedBy(c, f.Target, "the target") }

func leaves(c Condition, f Facts) verdict {
	low := f.State.Lowest()
	if low.IsZero() {
		return verdict{answer: no} // nothing is left
	}
	return carriedBy(c, low, "the site's oldest k0s")
}

// Newer is the reason why something is not known of a release of k0s that came after this kiban.
func Newer(v lifecycle.Version) string {
	return fmt.Sprintf("what k0s %s carries is newer than what this kiban knows", v)
}

func carriedBy(c Condition, v lifecycle.Version, who string) verdict {
	name := c.arg("component")
	k := carries(v, name)
	out := verdict{answer: k.inRange(c.arg("since"), c.arg("before"))}
	switch {
	case out.answer == unknown:
		out.why = Newer(v)
	case k.exact != "":
		out.seen = []string{fmt.Sprintf("%s, %s, carries %s %s", who, v, name, k.exact)}
	default:
		out.seen = []string{fmt.Sprintf("%s, %s, carries %s %s or later", who, v, name, k.least)}
	}
	return out
}

func members(c Condition, f Facts) verdict {
	if f.State.Etcd.Unknown != "" {
		return verdict{why: f.State.Etcd.Unknown}
	}
	n, _ := strconv.Atoi(c.arg("atLeast")) // its form is one digit
	if len(f.State.Etcd.Members) >= n {
		return verdict{answer: yes, seen: []string{"etcd has " + lifecycle.Count(len(f.State.Etcd.Members), "member")}}
	}
	return verdict{answer: no}
}

func provider(c Condition, f Facts) verdict {
	return verdict{answer: answerOf((f.Site.Provider == lifecycle.ProviderExternal) == (c.arg("is") == "external"))}
}

// Newest is the newest release of k0s of a minor that the data knows; the zero version where it knows none.
func Newest(major, minor int) lifecycle.Version {
	for _, v := range Releases(major, minor) {
		return v
	}
	return lifecycle.Version{}
}

// Releases are the releases of k0s of a minor that the data knows, the newest first.
func Releases(major, minor int) (all []lifecycle.Version) {
	text, _ := files.ReadFile("components.txt") // part of the program
	for line := range strings.Lines(string(text)) {
		name, _, _ := strings.Cut(line, " ")
		if v, err := lifecycle.ParseVersion(name); err == nil && v.Prerelease == "" && v.Major == major && v.Minor == minor {
			all = append(all, v)
		}
	}
	slices.SortFunc(all, func(a, b lifecycle.Version) int { return b.Compare(a) })
	return all
}
