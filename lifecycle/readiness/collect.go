package readiness

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	kyaml "sigs.k8s.io/yaml"

	"kiban.dev/kiban/lifecycle"
)

// The programs that take flags and gates from k0s's configuration and arguments, as k0s names them in spec.featureGates.
const (
	apiServer         = "kube-apiserver"
	controllerManager = "kube-controller-manager"
	scheduler         = "kube-scheduler"
	kubelet           = "kubelet"
	kubeProxy         = "kube-proxy"
	k0sItself         = "k0s"
)

// kind is what a setting names.
type kind string

const (
	aFlag       kind = "flag"
	aGate       kind = "feature gate"
	aPlugin     kind = "admission plugin"
	aController kind = "controller"
	aField      kind = "field" // of k0s's configuration or of a kubelet's
	aComponent  kind = "component"
)

// setting is something that somebody has set and that a version may not know.
type setting struct {
	program string
	// programs are those that a feature gate is set for: all of them know the same gates.
	programs []string
	kind     kind
	name     string
	// value is "true" or "false" of a gate, what a flag is given, "" of others.
	value string
	// places are the lines that declare it, by what declared calls them.
	places map[string][]string
	whereSet
}

// whereSet is where a setting was found.
type whereSet struct {
	// declared are where the declaration says it: "spec.api.extraArgs"; seen the machines that have it, declared or not.
	declared []string
	hosts    []string
	seen     []string
	// of is what else is to be said of where it is declared.
	of string
	// place is the line that declares it, "file:line"; "" where that is not known.
	place string
	// group is the worker profile that a kubelet's gate is for, "" for all.
	group string
	// since and until are the minors that it is for, 0: no such end.
	since, until int
	// idle says that it is declared where nothing reads it, such as a profile that no machine has.
	idle bool
}

// settings collects what is set. The same setting of the same program is one, with all places that it was found in.
type settings struct {
	all []*setting
	by  map[string]*setting
	// lines are those of the declared configuration of k0s.
	lines lifecycle.Lines
}

func (s *settings) add(program string, k kind, name, value string, at whereSet) {
	if name == "" || len(s.all) >= mostSettings {
		return
	}
	name, value = lifecycle.Shorten(name, mostName), lifecycle.Shorten(value, mostName)
	of := program
	if k == aGate {
		of = ""
	}
	key := strings.Join([]string{of, string(k), name, value, at.group, fmt.Sprint(at.since, at.until, at.idle)}, "\x00")
	if s.by == nil {
		s.by = map[string]*setting{}
	}
	one := s.by[key]
	if one == nil {
		one = &setting{program: program, kind: k, name: name, value: value, whereSet: whereSet{group: at.group, since: at.since, until: at.until,
			idle: at.idle}}
		s.by[key], s.all = one, append(s.all, one)
	}
	for _, d := range at.declared {
		if one.places == nil {
			one.places = map[string][]string{}
		}
		if at.place != "" {
			one.places[d] = merged(one.places[d], []string{at.place})
		}
	}
	one.programs = merged(one.programs, []string{program})
	one.declared = merged(one.declared, at.declared)
	one.hosts = merged(one.hosts, at.hosts)
	one.seen = merged(one.seen, at.seen)
}

// mostSettings bounds what machines can make of it: what they have is their word.
const (
	mostSettings = 5000
	mostName     = 100
)

func merged(to, more []string) []string {
	for _, m := range more {
		if !slices.Contains(to, m) {
			to = append(to, m)
		}
	}
	return to
}

// collect finds all that is set: in the declaration, and on machines. What the declaration leaves to the machine counts as declared.
func collect(in Input) *settings {
	s := settings{lines: in.Site.Cluster.Lines}
	profiles := map[string][]string{}
	for _, h := range in.Site.Cluster.Hosts {
		if h.Reset {
			continue
		}
		if h.Role.RunsWorkloads() {
			p := argument(h.Arguments, "--profile")
			if p == "" {
				p = "default"
			}
			profiles[p] = append(profiles[p], h.Name)
		}
		s.arguments(h.Arguments, h.Role.RunsWorkloads(), whereSet{declared: []string{""}, hosts: []string{h.Name},
			place: h.Source})
		for _, f := range h.Files {
			s.file(h.Name, f)
		}
	}
	declared := map[string]bool{}
	for _, h := range in.Site.Cluster.Hosts {
		if h.Config == nil || h.Reset || declared[h.ConfigDigest] {
			continue
		}
		declared[h.ConfigDigest] = true
		s.config(h.Config, profiles, whereSet{declared: []string{""}})
	}
	s.config(in.Site.Cluster.Config, profiles, whereSet{declared: []string{""}})
	if in.Site.Cluster.DynamicConfig && in.Site.Cluster.Config == nil {
		s.config(in.State.API.ClusterConfig, profiles, whereSet{declared: []string{""},
			of: ", in the cluster's own configuration, which the declaration leaves as it is"})
	}
	for _, h := range in.State.Hosts {
		host, known := in.Site.Cluster.Host(h.Name)
		if !known || host.Reset {
			continue
		}
		s.arguments(h.Arguments, h.Workloads || host.Role.RunsWorkloads(), whereSet{seen: []string{h.Name}})
		at := whereSet{seen: []string{h.Name}}
		if host.Config == nil && !in.Site.Cluster.DynamicConfig {
			at.declared, at.of = []string{""}, ", in k0s.yaml of "+h.Name+", which the declaration leaves as it is"
		}
		if !in.Site.Cluster.DynamicConfig {
			s.config(h.Config, profiles, at)
		}
	}
	return &s
}

// argument is the value of the last "--flag=value" of that name; "" where there is none.
func argument(arguments []string, flag string) string {
	value := ""
	for _, a := range arguments {
		if v, ok := strings.CutPrefix(a, flag+"="); ok {
			value = v
		}
	}
	return value
}

// arguments are those of k0s's service.
func (s *settings) arguments(arguments []string, workloads bool, at whereSet) {
	group := argument(arguments, "--profile")
	for _, a := range arguments {
		flag, value, _ := strings.Cut(a, "=")
		switch flag {
		case "--kubelet-extra-args":
			if workloads {
				s.words(kubelet, lifecycle.SplitWords(value), in(at, flag, group))
			}
		case "--kube-controller-manager-extra-args":
			s.words(controllerManager, lifecycle.SplitWords(value), in(at, flag, ""))
		case "--disable-components":
			for c := range strings.SplitSeq(value, ",") {
				s.add(k0sItself, aComponent, strings.TrimSpace(c), "", in(at, flag, ""))
			}
		default:
			s.add(k0sItself, aFlag, strings.TrimLeft(flag, "-"), "", in(at, "the host's arguments", ""))
		}
	}
}

// in is a place within what was collected from: the field or flag that says it.
func in(at whereSet, what, group string) whereSet {
	at.group = group
	if at.declared != nil {
		at.declared = []string{what + at.of}
	}
	return at
}

// line is a place within k0s's configuration together with the line that declares it. What only the cluster or a machine has is in no
// file of the fleet.
func (s *settings) line(at whereSet, path string) whereSet {
	if at.of == "" && at.declared != nil {
		at.place = s.lines.Where(path)
	}
	return at
}

// words are a program's arguments as a list: "--flag=value", "--flag", "value".
func (s *settings) words(program string, words []string, at whereSet) {
	for i, w := range words {
		if !strings.HasPrefix(w, "-") {
			continue
		}
		flag, value, given := strings.Cut(w, "=")
		if !given && i+1 < len(words) && !strings.HasPrefix(words[i+1], "-") {
			value = words[i+1]
		}
		if strings.HasPrefix(flag, "--") { // one dash is a short form: -v
			s.flag(program, strings.TrimPrefix(flag, "--"), value, at)
		}
	}
}

// flag is one flag of a program, and what its value names.
func (s *settings) flag(program, flag, value string, at whereSet) {
	flag = strings.ReplaceAll(flag, "_", "-")
	if flag != "feature-gates" {
		kept := "" // a value may be secret, and whether there is such a flag does not depend on it
		if flag == "cloud-provider" {
			kept = value
		}
		s.add(program, aFlag, flag, kept, at)
	}
	for part := range strings.SplitSeq(value, ",") {
		part = strings.TrimSpace(part)
		switch {
		case part == "":
		case flag == "feature-gates":
			gate, on, _ := strings.Cut(part, "=")
			s.add(program, aGate, gate, truth(on), at)
		case program == apiServer && (flag == "enable-admission-plugins" || flag == "disable-admission-plugins"):
			s.add(program, aPlugin, part, "", at)
		case program == controllerManager && flag == "controllers" && part != "*":
			s.add(program, aController, strings.TrimPrefix(part, "-"), "", at)
		}
	}
}

// truth writes a value as programs read it: 1, t and True are true.
func truth(text string) string {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "true", "t", "1":
		return "true"
	}
	return "false"
}

// config is a k0s configuration as JSON. Profiles are which machines have a worker profile.
func (s *settings) config(text []byte, profiles map[string][]string, at whereSet) {
	var doc struct{ Spec map[string]any }
	if len(text) == 0 || json.Unmarshal(text, &doc) != nil {
		return
	}
	for _, part := range []struct{ where, program string }{{"api", apiServer}, {"controllerManager", controllerManager},
		{"scheduler", scheduler}, {"network.kubeProxy", kubeProxy}} {
		where, program := part.where, part.program
		section := doc.Spec
		for name := range strings.SplitSeq(where, ".") {
			section, _ = section[name].(map[string]any)
		}
		extra, _ := section["extraArgs"].(map[string]any)
		for _, flag := range slices.Sorted(maps.Keys(extra)) {
			args := "spec." + where + ".extraArgs"
			of := s.line(at, lifecycle.FieldKey(args, flag))
			s.flag(program, strings.TrimLeft(flag, "-"), fmt.Sprint(extra[flag]), in(of, args, ""))
		}
		raw := "spec." + where + ".rawArgs"
		s.words(program, asTexts(section["rawArgs"]), in(s.line(at, raw), raw, ""))
	}
	gates, _ := doc.Spec["featureGates"].([]any)
	for i, g := range gates {
		gate, _ := g.(map[string]any)
		at := s.line(at, fmt.Sprintf("spec.featureGates[%d]", i))
		on, _ := gate["enabled"].(bool)
		for _, program := range gatePrograms(asTexts(gate["components"])) {
			s.add(program, aGate, asText(gate["name"]), fmt.Sprint(on), in(at, "spec.featureGates", ""))
		}
	}
	list, _ := doc.Spec["workerProfiles"].([]any)
	for i, p := range list {
		profile, _ := p.(map[string]any)
		values, _ := profile["values"].(map[string]any)
		name := asText(profile["name"])
		path := fmt.Sprintf("spec.workerProfiles[%d]", i)
		of := in(s.line(at, path), "worker profile "+name, name)
		of.hosts, of.idle = profiles[name], len(profiles[name]) == 0
		s.kubeletConfig(values, of, path+".values")
	}
	s.fields(doc.Spec, in(at, "k0s's configuration", ""))
}

// gatePrograms are those that a gate of spec.featureGates is for: all that k0s starts, where it names none.
func gatePrograms(named []string) []string {
	if len(named) == 0 {
		return []string{apiServer, controllerManager, kubelet, scheduler, kubeProxy}
	}
	return named
}

// kubeletConfig is a KubeletConfiguration, or the part of it that a worker profile has.
// path is where it is in k0s's configuration; "" for a file of its own.
func (s *settings) kubeletConfig(values map[string]any, at whereSet, path string) {
	line := func(field string) whereSet {
		if path == "" {
			return at
		}
		return s.line(at, path+"."+field)
	}
	gates, _ := values["featureGates"].(map[string]any)
	for _, gate := range slices.Sorted(maps.Keys(gates)) {
		s.add(kubelet, aGate, gate, truth(fmt.Sprint(gates[gate])), line(lifecycle.FieldKey("featureGates", gate)))
	}
	for _, f := range lifecycle.KubeletFields() {
		if f.Since > 0 && present(values, strings.Split(f.Path, ".")) {
			s.add(kubelet, aField, f.Path, fmt.Sprint(f.Since), line(f.Path))
		}
	}
}

// fields are those of k0s's own configuration that only later minors of it know.
func (s *settings) fields(spec map[string]any, at whereSet) {
	for _, f := range lifecycle.K0sFields() {
		if path, ok := strings.CutPrefix(f.Path, "spec."); ok && f.Since > 0 && present(spec, strings.Split(path, ".")) {
			s.add(k0sItself, aField, f.Path, fmt.Sprint(f.Since), s.line(at, f.Path))
		}
	}
}

// present reports whether a document has something at a path, whose "[]" stands for any item of a list.
func present(at any, path []string) bool {
	if len(path) == 0 {
		return at != nil
	}
	name, isList := strings.CutSuffix(path[0], "[]")
	m, ok := at.(map[string]any)
	if !ok || m[name] == nil {
		return false
	}
	if !isList {
		return present(m[name], path[1:])
	}
	items, _ := m[name].([]any)
	return slices.ContainsFunc(items, func(item any) bool { return present(item, path[1:]) })
}

// file is a declared file of a host. Of interest are configurations of kubelets, as --config-dir reads them.
func (s *settings) file(host string, f lifecycle.HostFile) {
	if len(f.Content) == 0 || len(f.Content) > mostFile || !bytes.Contains(f.Content, []byte("KubeletConfiguration")) {
		return
	}
	at := whereSet{declared: []string{"the file " + f.Path}, hosts: []string{host}, place: f.Source}
	if !f.Since.IsZero() {
		at.since = f.Since.Minor
	}
	if !f.Until.IsZero() {
		at.until = f.Until.Minor
	}
	for _, part := range bytes.Split(f.Content, []byte("\n---")) {
		doc, err := kyaml.YAMLToJSON(part)
		if err != nil && !errors.Is(err, io.EOF) {
			continue
		}
		var values map[string]any
		if json.Unmarshal(doc, &values) == nil && values["kind"] == "KubeletConfiguration" {
			s.kubeletConfig(values, at, "")
		}
	}
}

// mostFile is how large a configuration may be that is read: a kubelet's is a few kilobytes.
const mostFile = 1 << 20

func asTexts(list any) []string {
	items, _ := list.([]any)
	var out []string
	for _, i := range items {
		if t, ok := i.(string); ok {
			out = append(out, t)
		}
	}
	return out
}

func asText(v any) string { t, _ := v.(string); return t }
