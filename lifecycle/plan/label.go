package plan

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// controlPlaneTaint is what k0s puts on a controller that runs workloads, unless it is told --no-taints.
const controlPlaneTaint = "node-role.kubernetes.io/control-plane:NoSchedule"

// label brings labels and taints of nodes to what the arguments of their k0s declare. k0s tells them when a node registers and never again;
// Kubernetes is told here, and nothing is drained or restarted for it: so it has no gates, and waits for no window. Pods that run stay
// (taints that would move them are left alone), and what comes by a label, such as a daemon set's pod, the next node's gates wait for.
func label(p *planner) {
	s := p.stage("labels", "labels and taints of nodes", 0)
	for _, m := range p.members {
		change := m.nodeChange()
		if m.Reset || !m.lives() || change.IsZero() {
			continue
		}
		st := p.do(lifecycle.ActionLabel, m, "the node is not labelled or tainted as declared; k0s says so only when a node registers")
		st.Node, st.Changes = change, inWords(change, m.node)
		s.add(st)
	}
}

// nodeChange is what the node lacks of what is declared, and what it has of what was declared once. Of taints, only those are put on and
// taken off that keep new pods away: others would move pods that run.
func (m *member) nodeChange() lifecycle.NodeChange {
	var c lifecycle.NodeChange
	if !m.registered || !m.apiKnown {
		return c
	}
	want, had := nodeLabels(m.Arguments), nodeLabels(m.seen.Arguments)
	for key, value := range want {
		if have, there := m.node.Labels[key]; !there || have != value {
			if c.Labels == nil {
				c.Labels = map[string]string{}
			}
			c.Labels[key] = value
		}
	}
	for _, key := range m.node.Labelled {
		if value, there := m.node.Labels[key]; there {
			had[key] = value
		}
	}
	for _, key := range slices.Sorted(maps.Keys(had)) {
		if have, there := m.node.Labels[key]; there && have == had[key] {
			if _, stays := want[key]; !stays {
				c.Unlabel = append(c.Unlabel, key)
			}
		}
	}
	wantTaints, hadTaints := nodeTaints(m.Arguments), nodeTaints(m.seen.Arguments)
	for _, t := range m.node.Tainted {
		if !slices.Contains(hadTaints, t) {
			hadTaints = append(hadTaints, t)
		}
	}
	for _, t := range wantTaints {
		implied := t == controlPlaneTaint && slices.Contains(hadTaints, t) // who took it off meant it
		if !slices.Contains(m.node.Taints, t) && keepsNewPodsAway(t) && !implied {
			c.Taints = append(c.Taints, t)
		}
	}
	for _, t := range hadTaints {
		if slices.Contains(m.node.Taints, t) && keepsNewPodsAway(t) && !slices.Contains(wantTaints, t) {
			c.Untaint = append(c.Untaint, t)
		}
	}
	return c
}

func keepsNewPodsAway(taint string) bool {
	_, _, effect := lifecycle.ParseTaint(taint)
	return effect == "NoSchedule"
}

// nodeLabels are those that a kubelet with these arguments gives its node.
func nodeLabels(arguments []string) map[string]string {
	out := labelsOf(argumentValue(arguments, "--labels"))
	for _, word := range lifecycle.SplitWords(argumentValue(arguments, "--kubelet-extra-args")) {
		if list, ok := strings.CutPrefix(word, "--node-labels="); ok {
			maps.Copy(out, labelsOf(list))
		}
	}
	return out
}

// nodeTaints are those that a kubelet with these arguments gives its node, as the API writes them, sorted.
func nodeTaints(arguments []string) []string {
	lists := []string{argumentValue(arguments, "--taints")}
	for _, word := range lifecycle.SplitWords(argumentValue(arguments, "--kubelet-extra-args")) {
		if list, ok := strings.CutPrefix(word, "--register-with-taints="); ok {
			lists = append(lists, list)
		}
	}
	var out []string
	if switchedOn(arguments, "--enable-worker") && !switchedOn(arguments, "--no-taints") {
		out = append(out, controlPlaneTaint)
	}
	for _, list := range lists {
		for t := range strings.SplitSeq(list, ",") {
			if key, value, effect := lifecycle.ParseTaint(strings.TrimSpace(t)); key != "" && value != "" {
				out = append(out, key+"="+value+":"+effect)
			} else if key != "" {
				out = append(out, key+":"+effect)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// inWords is a change in the words of a plan.
func inWords(c lifecycle.NodeChange, node lifecycle.NodeState) []string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(c.Labels)) {
		if was, there := node.Labels[key]; there {
			out = append(out, "~ label "+key+": "+was+" -> "+c.Labels[key])
		} else {
			out = append(out, "+ label "+key+"="+c.Labels[key])
		}
	}
	for _, key := range c.Unlabel {
		out = append(out, "- label "+key)
	}
	for _, t := range c.Taints {
		out = append(out, "+ taint "+t)
	}
	for _, t := range c.Untaint {
		out = append(out, "- taint "+t)
	}
	return out
}

// switchedOn reports whether a flag is given, in whatever spelling of true.
func switchedOn(arguments []string, flag string) bool {
	on, err := strconv.ParseBool(argumentValue(arguments, flag))
	return err == nil && on
}
