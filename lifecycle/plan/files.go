package plan

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// arrangeFiles puts the declared files of workers: each in its turn of a rollout where k0s reads one of them when it starts, one after the
// other where k0s picks one up while it runs, without disturbing anything where it does neither. Controllers have had theirs with their
// configuration; machines that join or are upgraded get theirs before k0s starts there.
func arrangeFiles(p *planner) {
	quiet := p.stage("files", "files that need no restart", 0)
	var due, watched []*member
	for _, m := range p.workers() {
		switch files := p.fileChanges(m); {
		case !m.belongs() || m.down || len(files) == 0:
		case restarts(files):
			due = append(due, m)
		case pickedUp(files):
			watched = append(watched, m)
		default:
			quiet.add(p.put(m, lifecycle.Version{}, files))
		}
	}
	p.arrangeWatched(watched)
	due = inOrder(due, p.site.Policy.Workers.FailureDomain)
	s := p.rollout("worker-files", "files of workers", due, p.site.Policy.Workers.Canary)
	for _, m := range due {
		st := p.put(m, lifecycle.Version{}, p.fileChanges(m))
		st.Disrupts, st.After = true, p.nodeBack(m, m.level)
		turn := p.settingsTurn(s, m, st)
		p.turn(s, m, lifecycle.Version{}, st)
		p.settingsBack(s, m, turn, st)
	}
	p.inspectFiles()
	p.inspectEnvironment()
}

// arrangeWatched puts files that containerd is restarted for without k0s: pods stay where they are, but with a file that containerd does
// not take, no other starts on the node. So the first node shows whether it does, and each is well before the next.
func (p *planner) arrangeWatched(due []*member) {
	due = inOrder(due, p.site.Policy.Workers.FailureDomain)
	s := p.rollout("watched-files", "files that containerd picks up", due, p.site.Policy.Workers.Canary)
	s.Budgeted = false // nothing is drained
	for _, m := range due {
		st := p.put(m, lifecycle.Version{}, p.fileChanges(m))
		st.Before = p.window()
		if m.node.Ready {
			st.Before = append(append(st.Before, p.gate(lifecycle.GateNodesReady, "")), p.othersWell()...)
		}
		st.After = append(p.nodeBack(m, m.level), p.settled()...)
		s.add(st)
	}
}

// inspectFiles finds files that machines lack and that cannot be put there.
func (p *planner) inspectFiles() {
	for _, m := range p.members {
		if m.Reset || !m.seen.Reached() {
			continue
		}
		for _, f := range m.At(m.level).UnknownFiles(m.seen) {
			p.find(lifecycle.Blockedf(m.Name, "the content of %s is not known here, and no such file is there", f.Path).
				Because(f.Missing).
				Try("Set what is missing, then run the same command again."))
		}
	}
	p.inspectKeys()
}

// inspectKeys warns where the keys of Secrets change on several API servers: they restart one by one, and read what each other writes.
func (p *planner) inspectKeys() {
	for _, m := range p.controllers() {
		file := apiArgument(m, "encryption-provider-config")
		changes := func(c lifecycle.FileChange) bool { return c.Path == file && c.Content() }
		if len(p.controllers()) > 1 && m.seen.Installed() && slices.ContainsFunc(m.At(p.target()).FileChanges(m.seen), changes) {
			p.find(lifecycle.Warnf(m.Name, "the keys that Secrets are encrypted with change").
				Because("API servers restart one by one. Until the last of them has, each must be able to read what the others write.").
				Try("Put a new key first only once every controller has it further down the list, and keep the one before it. " +
					"`kiban explain docs/baseline.md` says why."))
		}
	}
}

// apiArgument is an extra argument of the declared API server, "" for none.
func apiArgument(m *member, name string) string {
	values, err := flatten(m.Config)
	var value string
	if err != nil || json.Unmarshal([]byte(values["spec.api.extraArgs."+name]), &value) != nil {
		return ""
	}
	return value
}

// fileChanges lists the declared files that differ, of those that are for the version that the member is at. Not those that a step of this
// plan has already put.
func (p *planner) fileChanges(m *member) []lifecycle.FileChange { return m.fileChangesAt(m.level) }

func (m *member) fileChangesAt(v lifecycle.Version) []lifecycle.FileChange {
	if !m.seen.Reached() {
		return nil
	}
	return slices.DeleteFunc(m.At(v).FileChanges(m.seen), func(c lifecycle.FileChange) bool { return slices.Contains(m.filed, c.Path) })
}

// fileAll notes that all declared files are put that are for the member's version.
func (m *member) fileAll() {
	for _, f := range m.At(m.level).Files {
		m.filed = append(m.filed, f.Path)
	}
}

// withVersion takes from the member's changes those files that the step puts which starts k0s at a version, and says how they change.
func (m *member) withVersion(v lifecycle.Version) []string {
	var out []string
	for _, c := range m.fileChangesAt(v) {
		if c.PutStopped() {
			out, m.filed = append(out, c.String()), append(m.filed, c.Path)
		}
	}
	return out
}

// pickedUp reports whether containerd is restarted for one of the changes, whether or not k0s is.
func pickedUp(files []lifecycle.FileChange) bool {
	return slices.ContainsFunc(files, func(c lifecycle.FileChange) bool { return c.Content() && lifecycle.ReadByContainerd(c.Path) })
}

// restarts reports whether k0s must be restarted for one of the changes.
func restarts(files []lifecycle.FileChange) bool {
	return slices.ContainsFunc(files, lifecycle.FileChange.Restarts)
}

// put puts a member's declared files in place. With a version, the step behind it restarts the service.
func (p *planner) put(m *member, v lifecycle.Version, files []lifecycle.FileChange) *step {
	var changes, names []string
	for _, f := range files {
		changes, names = append(changes, f.String()), append(names, f.Path)
		m.filed = append(m.filed, f.Path)
	}
	st := p.do(lifecycle.ActionFiles, m, "declared files differ: "+strings.Join(names, ", "))
	if len(names) > 3 {
		st.Reason = fmt.Sprintf("%d declared files differ", len(names))
	}
	if restarts(files) && v.IsZero() {
		st.Reason += "; read when k0s starts"
	}
	st.Version, st.hop, st.Changes = v, v, changes
	return st
}

// ahead puts a member's files before a step that restarts its service anyway: one restart serves both, and an argument may name a file
// that is new. None when nothing differs. Files that are for a version, and what containerd would pick up at once, are left to that step.
func (p *planner) ahead(m *member, v lifecycle.Version) []*step {
	files := slices.DeleteFunc(m.fileChangesAt(v), func(c lifecycle.FileChange) bool { return c.PutStopped() })
	if len(files) == 0 {
		return nil
	}
	st := p.put(m, v, files)
	st.Before, st.Stopped = p.window(), m.onlyStarts(v)
	return []*step{st}
}

// onlyStarts reports whether what is to start a member at that version does nothing where k0s has come up by itself meanwhile, as after a
// boot. It has then not read what a step before that would put.
func (m *member) onlyStarts(v lifecycle.Version) bool {
	return m.down && m.seen.Binary == v && len(argumentChanges(m)) == 0
}

// aheadOf is ahead of an upgrade: before the last hop, as the files were declared for the declared version, but before the first where
// that renews arguments, which may name them.
func (p *planner) aheadOf(m *member, hop lifecycle.Version) []*step {
	if hop != p.target() && len(argumentChanges(m)) == 0 {
		return nil
	}
	return p.ahead(m, hop)
}

// beforeStart puts the files of a member that does not run before it is started: that disturbs nothing, and what they are to mend may be
// what it stopped for. One that has lost its service is prepared like a new one.
func (p *planner) beforeStart(m *member) []*step {
	if !m.seen.Installed() {
		m.fileAll()
	}
	if files := p.fileChanges(m); m.down && len(files) > 0 {
		st := p.put(m, m.level, files)
		st.Stopped = m.onlyStarts(m.level)
		return []*step{st}
	}
	return nil
}

// mendFiles puts files on controllers that run while no API server answers, for a file that one refuses, such as an audit policy, keeps
// it from starting. One by one: each must serve before the next is touched. Where etcd answers, the API may be well and only out of reach
// from here: then none is restarted that etcd's quorum needs. It reports whether there are any.
func (p *planner) mendFiles() bool {
	s := p.stage(repairStage, "files of controllers whose API does not answer", 1)
	for _, m := range p.controllers() {
		if files := p.fileChanges(m); m.belongs() && !m.down && restarts(files) {
			st := p.put(m, lifecycle.Version{}, files)
			st.Disrupts, st.Before, st.After = true, p.window(), p.controllerBack(m, m.level)
			if len(p.state.Etcd.Members) > 1 {
				st.Before = append(st.Before, p.gate(lifecycle.GateEtcdQuorum, m.Name))
			}
			s.add(st)
		}
	}
	p.inspectFiles()
	return len(s.steps) > 0
}
