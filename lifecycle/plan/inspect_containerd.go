package plan

import (
	"fmt"
	"slices"

	"kiban.dev/kiban/lifecycle"
)

// inspectContainerd finds files that the containerd of a version on the way does not take, whoever has put them on a machine: its workers
// would not start with them, and that would show when the first of them has been drained (H41).
func (p *planner) inspectContainerd() {
	for _, m := range p.members {
		if m.asksContainerd() {
			p.inspectDropIns(m)
		}
	}
}

func (p *planner) inspectDropIns(m *member) {
	for _, r := range p.turnedDownBy(m) {
		sev, why := lifecycle.SeverityBlocked, fmt.Sprintf("It brings %s. No container would start on the machine.", lifecycle.ContainerdOf(r.at))
		if r.mayBeUnread {
			sev, why = lifecycle.SeverityWarning,
				fmt.Sprintf("It brings %s. %s there is not k0s's own: whether it reads the file, and k0s looks at it, "+
					"is not known here.", lifecycle.ContainerdOf(r.at), lifecycle.ContainerdConfig)
		}
		p.find(lifecycle.Findingf(sev, m.Name, "k0s %s does not take %s, which is of `version = %d`", r.at, r.Path, r.Form).
			Because(why, p.dropInWhose(r.Path)).
			Try(p.dropInHint(m, r.Path, r.at)).OfRule(lifecycle.RuleDropIns))
	}
}

// turnedDown is a file that the containerd of a version does not take.
type turnedDown struct {
	lifecycle.DropIn
	at lifecycle.Version
	// mayBeUnread: an administrator has a containerd.toml of his own, which may leave the file out.
	mayBeUnread bool
}

// turnedDownBy are the files of a member that a version on its way does not take, each with the first such version.
func (p *planner) turnedDownBy(m *member) []turnedDown {
	if len(m.seen.DropIns) == 0 {
		return nil
	}
	own := slices.ContainsFunc(m.seen.DropIns, func(d lifecycle.DropIn) bool { return d.Path == lifecycle.ContainerdConfig })
	var out []turnedDown
	for _, v := range p.versionsOf(m) {
		for _, d := range m.dropInsAt(v) {
			if !d.Takes(v) && !slices.ContainsFunc(out, func(r turnedDown) bool { return r.Path == d.Path }) {
				d.Digest = ""
				out = append(out, turnedDown{d, v, own && d.Path != lifecycle.ContainerdConfig})
			}
		}
	}
	return out
}

// asksContainerd reports whether the machine runs a containerd that k0s starts, as far as is declared.
func (m *member) asksContainerd() bool {
	return !m.Reset && m.seen.Reached() && m.Role.RunsWorkloads() && !m.OwnRuntime()
}

// versionsOf are the versions that the plan installs on a member, in order.
func (p *planner) versionsOf(m *member) []lifecycle.Version {
	var out []lifecycle.Version
	for _, s := range p.work {
		for _, st := range s.steps {
			if st.Target == m.Name && st.Action.Installs() && !slices.Contains(out, st.Version) {
				out = append(out, st.Version)
			}
		}
	}
	return out
}

// dropInsAt are the files that the member's containerd is given once k0s of that version starts there: those that are there and that kiban
// does not replace by then. The declared ones fit, or they would not be put.
func (m *member) dropInsAt(v lifecycle.Version) []lifecycle.DropIn {
	return slices.DeleteFunc(slices.Clone(m.seen.DropIns), func(d lifecycle.DropIn) bool {
		return slices.ContainsFunc(m.At(v).Files, func(f lifecycle.HostFile) bool { return f.Path == d.Path && f.Known() })
	})
}

// declares reports whether the site has the file, for whatever version.
func (p *planner) declares(file string) bool {
	return slices.ContainsFunc(p.members, func(m *member) bool {
		return slices.ContainsFunc(m.Files, func(f lifecycle.HostFile) bool { return f.Path == file })
	})
}

func (p *planner) dropInWhose(file string) string {
	if p.declares(file) {
		return "The site declares the file, but not for that version."
	}
	return "The site does not declare the file: a component of the cluster, such as NVIDIA's toolkit, or an administrator has put it there."
}

func (p *planner) dropInHint(m *member, file string, v lifecycle.Version) string {
	if p.has(m, lifecycle.ActionReset) {
		file = lifecycle.ShellWord(lifecycle.ShellWord(file)) // two shells read it: here, and there
		return fmt.Sprintf("A reset leaves the file where it is. Remove it: kiban ssh %s %s -- sudo rm %s. "+
			"Or declare it in spec.files of the Site in the form that %s takes.", p.site.Name, m.Name, file, v.MinorString())
	}
	if p.declares(file) {
		return "Declare it in the form that " + v.MinorString() +
			" takes: kiban puts it while k0s is stopped for the upgrade, and the former one back " +
			"where that fails."
	}
	return "Declare it in spec.files of the Site in the form that " + v.MinorString() +
		" takes: kiban puts it while k0s is stopped for the upgrade. " +
		"Or remove the file, and have whatever writes it write the new form once the machine is upgraded."
}
