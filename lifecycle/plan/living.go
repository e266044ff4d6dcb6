package plan

import (
	"fmt"
	pathpkg "path"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// inspectLiving says of everything declared that differs what a living cluster or machine makes of it: refused where it cannot change, told
// where it acts later or elsewhere than a reader would think, and where nobody can say.
func (p *planner) inspectLiving() {
	if p.state.API.NotYet {
		return // there is nothing yet that could not change
	}
	told := tellings{}
	for _, m := range p.members {
		if m.Reset || !m.lives() {
			continue
		}
		p.inspectArguments(m, told)
		if m.Role.IsController() {
			p.inspectConfig(m, told)
		}
	}
	p.inspectDynamic(told)
}

// lives reports whether the host is a member whose declaration can be compared with what it has.
func (m *member) lives() bool {
	return m.seen.Reached() && m.seen.Installed() && m.condition != Fresh && m.condition != Unjoined
}

// tellings are what has been told of a machine: of several fields of one row it is said once.
type tellings map[string]bool

// tell says of a member what becomes of a declared thing, whose change is what.
func (t tellings) tell(p *planner, m *member, row lifecycle.DeclaredClass, what string) {
	summary := map[lifecycle.ChangeClass]string{
		lifecycle.ChangesAtRegistration: row.Path + " acts only when a node registers or a cluster is set up",
		lifecycle.ChangesUnknown:        "what a change of " + row.Path + " does to what is there is not known",
		lifecycle.ChangesByRestart:      "a change of " + row.Path + " does not act at once everywhere",
		lifecycle.ChangesInPlace:        row.Path + " does nothing",
	}[row.Class]
	name := m.Name
	if lifecycle.IsK0sField(row.Path) {
		name = "NODE" // it is about all nodes, not about the controller that has the file
	}
	why, way := row.Told(p.site.Name, name)
	if what != "" {
		why = what + "\n" + why
	}
	if key := m.Name + "\n" + summary + "\n" + why; !t[key] {
		t[key] = true
		p.find(lifecycle.Warnf(m.Name, "%s", summary).Because(why).Try(way))
	}
}

// inspectArguments compares what the service is started with: one error a machine for all that cannot change there.
func (p *planner) inspectArguments(m *member, told tellings) {
	var never, ways []string
	for _, c := range m.argumentDifferences() {
		switch row := p.classes.Of(c.path); {
		case row.Class == lifecycle.ChangesNever:
			why, way := row.Told(p.site.Name, m.Name)
			never = append(never, fmt.Sprintf("%s: %s -> %s. %s", c.path, shownArgument(c.path, c.from), shownArgument(c.path, c.to), why))
			ways = append(ways, way)
		case row.Class == lifecycle.ChangesAtRegistration && !m.registeredWith(c):
			told.tell(p, m, row, fmt.Sprintf("%s: %s -> %s.", c.path, shownArgument(c.path, c.from), shownArgument(c.path, c.to)))
		case row.Class != lifecycle.ChangesAtRegistration && row.Why != "":
			told.tell(p, m, row, "")
		}
	}
	if len(never) > 0 {
		p.find(lifecycle.Errorf(m.Name, "it is a member, and its service cannot change so").
			Because(strings.Join(never, "\n")).
			Try(strings.Join(slices.Compact(ways), "\n")))
	}
}

func shownArgument(flag, v string) string {
	switch {
	case v == "":
		return "(none)"
	case lifecycle.SecretPath(flag):
		return lifecycle.Masked
	}
	return lifecycle.MaskText(v)
}

// argumentDifferences lists in which arguments the service differs from what is declared, those within --kubelet-extra-args one by one:
// as changes whose path is "--flag" or "--kubelet-extra-args --flag". Defaults that are spelled out are no difference.
func (m *member) argumentDifferences() []change {
	have, want := m.spread(m.seen.Arguments), m.spread(m.Arguments)
	return compare(have, want)
}

// spread lays arguments out by name.
func (m *member) spread(arguments []string) map[string]string {
	out := map[string]string{}
	for _, a := range arguments {
		name, value, _ := strings.Cut(a, "=")
		if name != "--kubelet-extra-args" {
			out[name] = value
			continue
		}
		for _, word := range lifecycle.SplitWords(value) {
			flag, v, _ := strings.Cut(word, "=")
			if flag == "--hostname-override" && v == m.Name && m.seen.Hostname == m.Name {
				continue // the name that it would take without being told
			}
			out[name+" "+flag] = v
		}
	}
	out["--data-dir"] = pathpkg.Clean(or(out["--data-dir"], "/var/lib/k0s"))
	if out["--kubelet-root-dir"] != "" {
		out["--kubelet-root-dir"] = pathpkg.Clean(out["--kubelet-root-dir"])
	}
	if out["--kubelet-root-dir"] == out["--data-dir"]+"/kubelet" {
		delete(out, "--kubelet-root-dir")
	}
	for flag, value := range out {
		if value == "false" {
			delete(out, flag)
		}
	}
	return out
}

// registeredWith reports whether the node has, or is given by a step of the plan, what an argument would give it when it registers.
func (m *member) registeredWith(c change) bool {
	if !m.registered || !m.apiKnown {
		return false
	}
	switch c.path {
	case "--labels", "--kubelet-extra-args --node-labels":
		return true
	case "--no-taints":
		return true
	case "--taints", "--kubelet-extra-args --register-with-taints":
		for t := range strings.SplitSeq(c.from+","+c.to, ",") {
			if t != "" && !keepsNewPodsAway(t) && strings.Contains(c.from, t) != strings.Contains(c.to, t) {
				return false
			}
		}
		return true
	}
	return false
}

// labelsOf reads "key=value,key=value".
func labelsOf(list string) map[string]string {
	out := map[string]string{}
	for pair := range strings.SplitSeq(list, ",") {
		if key, value, _ := strings.Cut(pair, "="); key != "" {
			out[key] = value
		}
	}
	return out
}

// inspectConfig compares a controller's k0s.yaml: one error for all that a living cluster cannot take.
func (p *planner) inspectConfig(m *member, told tellings) {
	var never, ways []string
	for _, c := range p.configDiff(m) {
		if p.impliedAnyway(m, c) {
			continue
		}
		row := p.classOf(m, c)
		why, way := row.Told(p.site.Name, "NODE") // it is about all nodes, not about the controller that has the file
		switch {
		case row.Path == "spec.storage.etcd.peerAddress": // inspectAddress holds it against etcd's own list
		case row.Class == lifecycle.ChangesNever:
			shown := change{c.path, p.effective(m, m.seen.Config, c.path, c.from), p.effective(m, m.Config, c.path, c.to)}
			said := shown.String()
			if !m.showsConfig() {
				said = c.path + ": differs from what the machine has, which is no k0s configuration and is not shown"
			}
			never, ways = append(never, said+". "+why), append(ways, way)
		case row.Why != "":
			told.tell(p, m, row, "")
		}
	}
	if !p.site.Cluster.DynamicConfig {
		p.inspectGates(m)
	}
	if len(never) == 0 {
		return
	}
	slices.Sort(ways)
	p.find(lifecycle.Errorf(m.Name, "k0s.yaml changes what a living cluster cannot change").
		Because(strings.Join(never, "\n")).
		Try(strings.Join(slices.Compact(ways), "\n")))
}

// inspectUnseen names what is declared of living members and leaves nothing there that could be compared, so that "no changes" says no more
// than it knows.
func (p *planner) inspectUnseen() {
	for _, m := range p.members {
		for _, field := range m.Unseen {
			if !m.Reset && m.lives() {
				p.find(lifecycle.Warnf(m.Name, "%s cannot be compared with what is there", field).
					Because(p.classes.Of("host." + field).Why).
					Try("Read in the merge request what changes of them; a plan cannot tell."))
			}
		}
	}
}
