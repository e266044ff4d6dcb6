package diff

import (
	"encoding/json"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// Guards decide how, when and on whose word a site may be changed: who must start it, when, behind whom, over which connection, from which
// source, at what pace. No step of a plan shows them, so they are reviewed by themselves. Every setting of a Site is one, unless the
// tables below say why it is none.

// settingAt is where the Site document has a field of lifecycle.Site; "" for a field that is no setting of the site, which notSetting gives
// the reason for.
func settingAt(field string) string {
	switch field {
	case "Labels":
		return "metadata.labels"
	case "Policy":
		return "spec.upgrade"
	case "API":
		return "spec.api"
	case "Binary":
		return "spec.binaries"
	}
	if notSetting(field) != "" {
		return ""
	}
	return "spec." + strings.ToLower(field)
}

// notSetting says why a field of lifecycle.Site is no setting; "" of those that are.
func notSetting(field string) string {
	switch field {
	case "Name":
		return "it says which site this is"
	case "Dir", "Beside", "Revision", "Digest":
		return "it says where the declaration was read"
	case "Cluster":
		return "what becomes of machines is in the steps; how they are reached is looked at by host"
	case "Addons", "Tenants", "Objects":
		return "what becomes of them is in the steps, object by object"
	case "Pins":
		return "versions are in the steps; other bytes under the same name are looked at by entry"
	case "Fleet":
		return "it is the fleet's: it is compared once, by itself"
	}
	return ""
}

// notGuard says why a setting, or what a host says beside its place in the cluster, is no guard; "" of those that are.
func notGuard(path string) string {
	switch path {
	case "spec.upgrade.path":
		return "the hops are versions in the steps"
	case "role", "privateAddress", "reset", "installFlags", "files", "environment":
		return "a host that changes in it gets steps"
	}
	return ""
}

// settings are a Site's own, by where its document has them: "spec.upgrade", "metadata.labels". What is not there is left out.
func settings(s lifecycle.Site) map[string]any {
	if s.Provider == "" {
		s.Provider = lifecycle.ProviderK0s
	}
	out := map[string]any{}
	v := reflect.ValueOf(s)
	for i := range v.NumField() {
		if at := settingAt(v.Type().Field(i).Name); at != "" {
			out[at] = plainValue(v.Field(i))
		}
	}
	api := out["spec.api"].(map[string]any)
	delete(api, "viaSSH")
	api["via"] = "direct"
	if s.API.ViaSSH {
		api["via"] = "ssh"
	}
	if len(s.Promotion.From) == 0 && !s.Promotion.Rehearsed {
		delete(out, "spec.promotion") // it waits for nobody
	}
	if s.Rehearse.On == "" {
		delete(out, "spec.rehearse") // nothing is rehearsed
	}
	return out
}

// GuardChanges are those changes of a declaration that concern guards.
func GuardChanges(changes []lifecycle.DeclaredChange) []lifecycle.DeclaredChange {
	return slices.DeleteFunc(slices.Clone(changes), func(c lifecycle.DeclaredChange) bool { return !isGuard(c) })
}

func isGuard(c lifecycle.DeclaredChange) bool {
	switch c.Subject {
	case lifecycle.FleetFile, "cluster":
		return true
	case "site":
		return !slices.ContainsFunc(pathsAbove(c.Path), func(p string) bool { return notGuard(p) != "" })
	case lifecycle.PinsFile:
		return c.Note == otherBytes || c.Path == ""
	}
	steps := lifecycle.SplitField(c.Path)
	return strings.HasPrefix(c.Subject, "host ") && len(steps) > 0 && notGuard(steps[0].Key) == ""
}

// pathsAbove are a path and those above it: "a.b[0]" is below "a.b", and that below "a".
func pathsAbove(path string) []string {
	out := []string{path}
	for i, r := range path {
		if r == '.' || r == '[' {
			out = append(out, path[:i])
		}
	}
	return out
}

// Guards are a site's guards by name, each with a digest of its value: "labels", "upgrade.windows", "hosts". They are the same wherever the
// fleet lies.
func Guards(s lifecycle.Site) map[string]string {
	out := map[string]string{lifecycle.FleetFile: digestOf(s, plain(s.Fleet))}
	for path, v := range settings(s) {
		_, name, _ := strings.Cut(path, ".")
		below, split := v.(map[string]any)
		if path != "spec.upgrade" || !split {
			out[name] = digestOf(s, v)
			continue
		}
		for key, v := range below {
			if notGuard(path+"."+key) == "" {
				out[name+"."+key] = digestOf(s, v)
			}
		}
	}
	if s.Provider == lifecycle.ProviderExternal {
		return out
	}
	doc := partsOf(s.Cluster.Document)
	hosts := map[string]any{}
	for _, h := range s.Cluster.Hosts {
		rest := map[string]any{}
		for key, v := range present(doc.hosts[h.Name]).(map[string]any) {
			if notGuard(key) == "" {
				rest[key] = v
			}
		}
		hosts[h.Name] = []any{h.Address, h.Port, h.User, h.HostKeys, rest}
	}
	out["hosts"], out["cluster"] = digestOf(s, hosts), digestOf(s, doc.rest)
	return out
}

// digestOf identifies a value. Paths of the fleet are as seen from the overlay.
func digestOf(s lifecycle.Site, v any) string {
	b, err := json.Marshal(fromOverlay(s, v))
	if err != nil {
		return "" // what documents hold can always be written
	}
	return lifecycle.Digest(b)
}

func fromOverlay(s lifecycle.Site, v any) any {
	switch v := v.(type) {
	case string:
		if filepath.IsAbs(v) && s.Dir != "" && inFleet(s, v) {
			if rel, err := filepath.Rel(s.Dir, v); err == nil {
				return rel
			}
		}
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = fromOverlay(s, v[i])
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for k := range v {
			out[k] = fromOverlay(s, v[k])
		}
		return out
	}
	return v
}

// OfSite parts the changes of a site's own guards from those of what the fleet allows.
func OfSite(changes []lifecycle.DeclaredChange) (own, fleet []lifecycle.DeclaredChange) {
	for _, c := range changes {
		if c.Subject == lifecycle.FleetFile {
			fleet = append(fleet, c)
		} else {
			own = append(own, c)
		}
	}
	return own, fleet
}
