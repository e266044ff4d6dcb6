package plan

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// classOf says what becomes of a change of a living controller's k0s.yaml. What cannot change is looked at more closely: what is spelled
// out as k0s has it anyway, and what is not in use, may come and go.
func (p *planner) classOf(m *member, c change) lifecycle.DeclaredClass {
	if !strings.HasPrefix(c.path, "spec") {
		return lifecycle.DeclaredClass{Path: c.path, Class: lifecycle.ChangesByRestart} // of what form it is, and its name
	}
	if parent, raw := strings.CutSuffix(c.path, ".rawArgs"); raw {
		return p.classOfRaw(parent, c)
	}
	if strings.HasPrefix(c.path, gatesPath+"[") || c.path == gatesPath {
		return p.classOfGates(m)
	}
	row := p.classes.Of(c.path)
	if row.Class == lifecycle.ChangesNever && !p.matters(m, c) {
		return lifecycle.DeclaredClass{Path: row.Path, Class: lifecycle.ChangesByRestart}
	}
	return row
}

// classOfRaw classifies raw arguments as those that are given by name: the worst of them counts.
func (p *planner) classOfRaw(parent string, c change) lifecycle.DeclaredClass {
	var have, want []string
	if json.Unmarshal([]byte(or(c.from, "[]")), &have) != nil || json.Unmarshal([]byte(or(c.to, "[]")), &want) != nil {
		return p.classes.Of(c.path)
	}
	row := p.classes.Of(c.path)
	for _, a := range append(have, want...) {
		name, _, _ := strings.Cut(strings.TrimLeft(a, "-"), "=")
		if slices.Contains(have, a) && slices.Contains(want, a) {
			continue
		}
		if r := p.classes.Of(parent + ".extraArgs." + name); r.Class == lifecycle.ChangesNever || (r.Why != "" && row.Why == "") {
			row = r
		}
	}
	return row
}

// matters reports whether the change of something that cannot change is one.
func (p *planner) matters(m *member, c change) bool {
	from, to := p.effective(m, m.seen.Config, c.path, c.from), p.effective(m, m.Config, c.path, c.to)
	if from == to {
		return false
	}
	storage := func(doc []byte) string {
		return p.effective(m, doc, "spec.storage.type", field(doc, "spec.storage.type"))
	}
	switch {
	case strings.HasPrefix(c.path, "spec.storage.kine"):
		return storage(m.Config) == `"kine"` && storage(m.seen.Config) == `"kine"` && dataSource(from) != dataSource(to)
	case strings.HasPrefix(c.path, "spec.storage.etcd"):
		return storage(m.Config) == `"etcd"` && storage(m.seen.Config) == `"etcd"` && !shareOne(from, to)
	case strings.HasPrefix(c.path, "spec.network.dualStack.IPv6"):
		dual := func(doc []byte) bool { return field(doc, "spec.network.dualStack.enabled") == "true" }
		return dual(m.Config) && dual(m.seen.Config)
	}
	return true
}

// effective is a value as JSON, or what k0s does where it is left out.
func (p *planner) effective(m *member, doc []byte, path, value string) string {
	if !saysNothing(value) && value != `""` {
		return value
	}
	switch path {
	case "spec.storage.type":
		if m.Role == lifecycle.RoleSingle && len(p.state.Etcd.Members) == 0 {
			return `"kine"` // the only controller has a database of its own
		}
	case "spec.storage.kine.dataSource":
		return `"sqlite://` + or(argumentValue(m.seen.Arguments, "--data-dir"), "/var/lib/k0s") + `/db/state.db"`
	case "spec.api.extraArgs.service-cluster-ip-range", "spec.controllerManager.extraArgs.service-cluster-ip-range":
		return p.effective(m, doc, "spec.network.serviceCIDR", field(doc, "spec.network.serviceCIDR"))
	case "spec.controllerManager.extraArgs.cluster-cidr":
		return p.effective(m, doc, "spec.network.podCIDR", field(doc, "spec.network.podCIDR"))
	case "spec.api.extraArgs.secure-port":
		return `"` + p.effective(m, doc, "spec.api.port", field(doc, "spec.api.port")) + `"`
	}
	for _, f := range lifecycle.K0sFields() {
		if f.Path != path || f.Default == "" {
			continue
		}
		if f.Form == lifecycle.K0sNumber || f.Form == lifecycle.K0sBool {
			return f.Default
		}
		return `"` + f.Default + `"`
	}
	return ""
}

// field is a field of a configuration as JSON, "" for none.
func field(doc []byte, path string) string {
	if doc == nil {
		return ""
	}
	values, err := flatten(doc)
	if err != nil {
		return ""
	}
	return values[path]
}

// argumentValue is the value of an argument of the service, "" for none.
func argumentValue(arguments []string, name string) string {
	for _, a := range arguments {
		if value, ok := strings.CutPrefix(a, name+"="); ok {
			return value
		}
	}
	return ""
}

// dataSource is where a database is, without who logs in there and how: a password may change, a database may not.
func dataSource(value string) string {
	var s string
	if json.Unmarshal([]byte(value), &s) != nil {
		return value
	}
	if strings.HasPrefix(s, "sqlite:") {
		s, _, _ = strings.Cut(s, "?")
		return s
	}
	if u, err := url.Parse(s); err == nil && u.User != nil {
		u.User = nil
		return u.String()
	}
	if scheme, rest, ok := strings.Cut(s, "://"); ok {
		if i := strings.LastIndexByte(rest, '@'); i >= 0 {
			return scheme + "://" + rest[i+1:] // user:password@tcp(host:3306)/name is no URL
		}
	}
	return s
}

// shareOne reports whether two lists, as JSON, have an item in common: endpoints of one etcd come and go.
func shareOne(a, b string) bool {
	var as, bs []string
	if json.Unmarshal([]byte(a), &as) != nil || json.Unmarshal([]byte(b), &bs) != nil {
		return false
	}
	return slices.ContainsFunc(as, func(s string) bool { return slices.Contains(bs, s) })
}
