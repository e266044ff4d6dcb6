package plan

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// arrangeFiles puts the declared files of workers: each in its turn of a rollout where k0s reads one of them when it starts, without
// disturbing anything where it does not. Controllers have had theirs with their configuration; machines that join or are upgraded get
// theirs before k0s starts there.
func arrangeFiles(p *planner) {
	quiet := p.stage("files", "files that need no restart", 0)
	var due []*member
	for _, m := range p.workers() {
		switch files := p.fileChanges(m); {
		case !m.belongs() || m.down || len(files) == 0:
		case restarts(files):
			due = append(due, m)
		default:
			quiet.add(p.put(m, lifecycle.Version{}, files))
		}
	}
	due = inOrder(due, p.site.Policy.Workers.FailureDomain)
	s := p.rollout("worker-files", "files of workers", due, p.site.Policy.Workers.Canary)
	for _, m := range due {
		st := p.put(m, lifecycle.Version{}, p.fileChanges(m))
		st.Disrupts, st.After = true, p.nodeBack(m, m.level)
		p.turn(s, m, lifecycle.Version{}, st)
	}
	p.inspectFiles()
	p.inspectEnvironment()
}

// inspectFiles finds files that machines lack and that cannot be put there.
func (p *planner) inspectFiles() {
	lack, why := map[string][]string{}, map[string]string{}
	for _, m := range p.members {
		if m.Reset || !m.seen.Reached() {
			continue
		}
		for _, f := range m.UnknownFiles(m.seen) {
			lack[f.Path], why[f.Path] = append(lack[f.Path], m.Name), f.Missing
		}
	}
	for _, path := range slices.Sorted(maps.Keys(lack)) {
		p.find(lifecycle.Blockedf(strings.Join(lack[path], ", "), "the content of %s is not known here, and no such file is there", path).
			Because(why[path]).
			Try("Set what is missing, then run the same command again."))
	}
	p.inspectKeys()
}

// inspectKeys warns where the keys of Secrets change on several API servers: they restart one by one, and read what each other writes.
func (p *planner) inspectKeys() {
	var names []string
	for _, m := range p.controllers() {
		file := apiArgument(m, "encryption-provider-config")
		changes := func(c lifecycle.FileChange) bool { return c.Path == file && c.Content() }
		if m.seen.Installed() && slices.ContainsFunc(m.FileChanges(m.seen), changes) {
			names = append(names, m.Name)
		}
	}
	if len(names) > 0 && len(p.controllers()) > 1 {
		p.find(lifecycle.Warnf(strings.Join(names, ", "), "the keys that Secrets are encrypted with change").
			Because("API servers restart one by one. Until the last of them has, each must be able to read what the others write.").
			Try("Put a new key first only once every controller has it further down the list, and keep the one before it: docs/baseline.md."))
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

// fileChanges lists the declared files that differ. None where a step of this plan has already put them.
func (p *planner) fileChanges(m *member) []lifecycle.FileChange {
	if m.filed || !m.seen.Reached() {
		return nil
	}
	return m.FileChanges(m.seen)
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
	}
	st := p.do(lifecycle.ActionFiles, m, "declared files differ: "+strings.Join(names, ", "))
	if len(names) > 3 {
		st.Reason = fmt.Sprintf("%d declared files differ", len(names))
	}
	if restarts(files) && v.IsZero() {
		st.Reason += "; read when k0s starts"
	}
	st.Version, st.hop, st.Changes = v, v, changes
	m.filed = true
	return st
}

// ahead puts a member's files before a step that restarts its service anyway: one restart serves both, and an argument may name a file
// that is new. None when nothing differs.
func (p *planner) ahead(m *member, v lifecycle.Version) []*step {
	files := p.fileChanges(m)
	if len(files) == 0 {
		return nil
	}
	st := p.put(m, v, files)
	st.Before = p.window()
	return []*step{st}
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
		m.filed = true
	}
	if files := p.fileChanges(m); m.down && len(files) > 0 {
		return []*step{p.put(m, m.level, files)}
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
