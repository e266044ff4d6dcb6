package diff

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// summary says what a host is: "worker, 10.0.0.5".
func summary(h lifecycle.Host) string {
	out := string(h.Role)
	if at := cmp.Or(h.Address, h.PrivateAddress); at != "" {
		out += ", " + at
	}
	return out
}

// host compares one host by what is known of it: defaults that are spelt out make no difference.
func host(from, to lifecycle.Host) []lifecycle.DeclaredChange {
	subject := "host " + from.Name
	out := value(subject, "role", from.Role, to.Role)
	out = append(out, value(subject, "ssh.address", from.Address, to.Address)...)
	out = append(out, value(subject, "privateAddress", from.PrivateAddress, to.PrivateAddress)...)
	out = append(out, value(subject, "ssh.port", from.Port, to.Port)...)
	out = append(out, value(subject, "ssh.user", from.User, to.User)...)
	out = append(out, value(subject, "ssh.hostKeys", from.HostKeys, to.HostKeys)...)
	for _, c := range value(subject, "reset", from.Reset, to.Reset) {
		if to.Reset {
			c.Note = "it is to leave the cluster"
		}
		out = append(out, c)
	}
	out = append(out, fields(subject, "installFlags", flags(from.Arguments), flags(to.Arguments), guarded)...)
	return append(out, fields(subject, "files", files(from.Files, to.Files), files(to.Files, from.Files), open)...)
}

// flags are the arguments of `k0s install` by name; one that is given several times has all its values.
func flags(arguments []string) map[string]any {
	out := map[string]any{}
	for _, a := range arguments {
		name, v, _ := strings.Cut(a, "=")
		if had, twice := out[name]; twice {
			v = fmt.Sprint(had, ",", v)
		}
		out[name] = v
	}
	return out
}

// files are a host's files by path. A secret's content is compared only where both sides know it: else the difference is this machine's.
func files(of, others []lifecycle.HostFile) map[string]any {
	out := map[string]any{}
	for _, f := range of {
		v := plain(f).(map[string]any)
		for _, own := range []string{"path", "digest", "missing"} {
			delete(v, own)
		}
		i := slices.IndexFunc(others, func(o lifecycle.HostFile) bool { return o.Path == f.Path })
		if f.Known() && (!f.Secret || i < 0 || others[i].Known()) {
			v["content"] = f.Digest
		}
		if f.Secret {
			v["content"] = hidden
		}
		out[f.Path] = v
	}
	return out
}

// hostRests are the hosts of a document, by name, without what lifecycle.Host says of them.
func hostRests(v any) map[string]any {
	out := map[string]any{}
	list, _ := v.([]any)
	for _, item := range list {
		h, ok := item.(map[string]any)
		name, named := h["hostname"].(string)
		if !ok || !named {
			continue
		}
		for _, key := range []string{"hostname", "role", "privateAddress", "installFlags", "files", "reset"} {
			delete(h, key)
		}
		if ssh, ok := h["ssh"].(map[string]any); ok {
			for _, key := range []string{"address", "port", "user"} {
				delete(ssh, key)
			}
		}
		out[strings.ToLower(name)] = pruned(h)
	}
	return out
}
