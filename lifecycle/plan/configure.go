package plan

import (
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// configureControllers brings configuration, arguments and files of controllers to what is declared, one controller at a time (H2).
//
// A controller that is to be upgraded is left to that: arguments are renewed by its first upgrade, and its configuration is written
// before its last one, so that it restarts once and not twice. Not before the first of several: the configuration was declared for
// the declared version, and an older one might refuse it.
func configureControllers(p *planner) {
	s := p.stage("configure", "configuration of controllers", 1)
	for _, m := range ailingFirst(p.controllers()) {
		if !m.belongs() || p.upgrades(m) {
			continue
		}
		config, args, files := p.configChanges(m), argumentChanges(m), p.fileChanges(m)
		switch {
		case len(args) > 0:
			p.rearrange(s, m, config, args)
		case len(config) > 0:
			ahead, st := p.ahead(m, m.level), p.restarting(m, p.configure(m, lifecycle.Version{}, config))
			turn := p.settingsTurn(s, m, st)
			s.add(append(slices.Clone(ahead), st)...)
			p.settingsBack(s, m, turn, st, ahead...)
			p.putFilesOf(s, m)
		case len(files) > 0:
			p.putFilesOf(s, m)
		}
	}
}

// putFilesOf puts a controller's files that no other step does: k0s restarts for those that it reads when it starts, and is waited for
// where it picks one up while it runs.
func (p *planner) putFilesOf(s *stage, m *member) {
	files := p.fileChanges(m)
	if len(files) == 0 {
		return
	}
	st := p.put(m, lifecycle.Version{}, files)
	switch {
	case restarts(files):
		turn := p.settingsTurn(s, m, p.restarting(m, st))
		s.add(st)
		p.settingsBack(s, m, turn, st)
		return
	case pickedUp(files) || slices.ContainsFunc(files, m.deploys):
		st.Before, st.After = p.window(), append(p.controlPlaneWhole(m, m.level), p.othersWell()...)
	}
	s.add(st)
}

// deploys reports whether k0s applies the file to the cluster: it lies with the manifests that each controller watches.
func (m *member) deploys(c lifecycle.FileChange) bool {
	return c.Content() && strings.HasPrefix(c.Path, or(argumentValue(m.Arguments, "--data-dir"), "/var/lib/k0s")+"/manifests/")
}

// ailingFirst puts controllers that serve no API before the others, which would wait for them: what changes may be what mends them.
func ailingFirst(controllers []*member) []*member {
	ailing := func(m *member) bool { return m.condition == NotServing }
	healthy := slices.DeleteFunc(slices.Clone(controllers), ailing)
	return append(slices.DeleteFunc(controllers, func(m *member) bool { return !ailing(m) }), healthy...)
}

// restarting gives a step that restarts a controller's k0s its gates.
func (p *planner) restarting(m *member, st *step) *step {
	st.Disrupts = true
	st.Before = append(p.window(), p.others(m)...)
	st.After = p.controlPlaneWhole(m, m.level)
	return st
}

// configure writes a controller's k0s.yaml. With a version, the step behind it starts the service.
func (p *planner) configure(m *member, v lifecycle.Version, changes []string) *step {
	reason := "k0s.yaml differs from what is declared"
	if m.seen.ConfigDigest == "" {
		reason = "there is no k0s.yaml yet"
	}
	st := p.do(lifecycle.ActionConfigure, m, reason)
	st.Version, st.Changes, st.Emulates, st.hop = v, changes, m.emulates, v
	m.configured = true
	return st
}

// rearrange re-installs a controller's service with its declared arguments, and its configuration if that changes too: one restart.
func (p *planner) rearrange(s *stage, m *member, config, args []string) {
	st := p.do(lifecycle.ActionReinstall, m, argumentsWhy(args))
	st.Version, st.Changes = m.level, append(args, m.withVersion(m.level)...)
	st.Before, st.After = p.others(m), p.controlPlaneWhole(m, m.level)
	turn, ahead := p.settingsTurn(s, m, st), p.ahead(m, m.level)
	s.add(ahead...)
	if len(config) > 0 {
		ahead = append(ahead, p.configure(m, m.level, config))
		s.add(ahead[len(ahead)-1])
	}
	m.renewed = true
	p.turn(s, m, lifecycle.Version{}, st)
	p.settingsBack(s, m, turn, st, ahead...)
}

// rearrangeWorkers re-installs the service of workers whose arguments differ, each drained before (H15).
func rearrangeWorkers(p *planner) {
	due := inOrder(p.toRearrange(), p.site.Policy.Workers.FailureDomain)
	s := p.rollout("arguments", "arguments of workers", due, p.site.Policy.Workers.Canary)
	for _, m := range due {
		args := argumentChanges(m)
		st := p.do(lifecycle.ActionReinstall, m, argumentsWhy(args))
		st.Version, st.Changes, st.After = m.level, append(args, m.withVersion(m.level)...), p.nodeBack(m, m.level)
		m.renewed = true
		turn, ahead := p.settingsTurn(s, m, st), p.ahead(m, m.level)
		s.add(ahead...)
		p.turn(s, m, lifecycle.Version{}, st)
		p.settingsBack(s, m, turn, st, ahead...)
	}
}

// toRearrange are the workers whose arguments differ.
func (p *planner) toRearrange() []*member {
	return slices.DeleteFunc(p.workers(), func(m *member) bool { return !m.belongs() || m.down || len(argumentChanges(m)) == 0 })
}

func argumentsWhy(args []string) string {
	if i := slices.Index(args, environmentChange); i >= 0 {
		why := "the service's environment differs from what is declared"
		if rest := slices.Delete(slices.Clone(args), i, i+1); len(rest) > 0 {
			why += ", and its arguments: " + strings.Join(rest, " ")
		}
		return why
	}
	return "the service's arguments differ from what is declared: " + strings.Join(args, " ")
}

// argumentChanges lists what the service's arguments lack and have too much, "+--flag=value" and "---flag=value" told apart by a space:
// "+ --profile=gpu". What acts only when a node first registers is not among them: a restart for it would be for nothing.
func argumentChanges(m *member) []string {
	if m.renewed || !m.seen.Reached() {
		return nil
	}
	same := slices.Equal(m.kubeletExtra(m.seen.Arguments), m.kubeletExtra(m.Arguments))
	passed := func(a string) bool { return atRegistration(a) || (same && strings.HasPrefix(a, kubeletExtra)) }
	var out []string
	for _, a := range m.seen.Arguments {
		if !slices.Contains(m.Arguments, a) && !passed(a) && m.seen.Installed() {
			out = append(out, "- "+maskArgument(a))
		}
	}
	for _, a := range m.Arguments {
		if !slices.Contains(m.seen.Arguments, a) && !passed(a) {
			out = append(out, "+ "+maskArgument(a))
		}
	}
	if m.environmentDiffers() {
		out = append(out, environmentChange)
	}
	return out
}

const kubeletExtra = "--kubelet-extra-args="

// kubeletExtra is what the arguments tell the kubelet, but for what acts only when its node registers, and without its machine's own name:
// that is the name it would take without being told. k0sctl says nothing where the document has no hostname, so a cluster that it made that
// way is as declared.
func (m *member) kubeletExtra(arguments []string) []string {
	var out []string
	for _, a := range arguments {
		value, ok := strings.CutPrefix(a, kubeletExtra)
		if !ok {
			continue
		}
		for _, word := range lifecycle.SplitWords(value) {
			own := word == "--hostname-override="+m.Name && m.seen.Hostname == m.Name
			if !own && !atRegistration(strings.TrimSuffix(kubeletExtra, "=")+" "+word) {
				out = append(out, word)
			}
		}
	}
	return out
}

// atRegistration reports whether an argument acts only when a node registers.
func atRegistration(argument string) bool {
	return lifecycle.ChangeTable().OfArgument(argument).Class == lifecycle.ChangesAtRegistration
}
