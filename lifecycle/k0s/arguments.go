package k0s

import (
	"regexp"
	"slices"
	"strings"

	"github.com/k0sproject/k0sctl/pkg/apis/k0sctl.k0sproject.io/v1beta1/cluster"
	"github.com/k0sproject/rig/v2/sh/shellescape"
)

const (
	defaultDataDir = "/var/lib/k0s"
	defaultConfig  = "/etc/k0s/k0s.yaml"
	defaultToken   = "/etc/k0s/k0stoken"
	defaultBinary  = "/usr/local/bin/k0s"
)

// declaredArguments are the arguments that a stock k0sctl would give to `k0s install` for the host, normalised. The host needs
// a client and a configurer; no command is sent.
func declaredArguments(h *cluster.Host, dynamic bool) ([]string, error) {
	if dynamic && h.IsController() {
		h.InstallFlags.AddOrReplace("--enable-dynamic-config=true")
	}
	flags, err := h.K0sInstallFlags()
	if err != nil {
		return nil, err
	}
	return normalise(flags, h.IsController()), nil
}

// normalise brings arguments into the one form in which declared and observed ones compare: "--flag=value", sorted, bare
// booleans as k0s itself writes them into its unit ("=true", H38), lists in order, k0s's default paths written out. What k0s
// drops or what differs by how a host joined is left out: --force, --env, --start, --token-file.
func normalise(args []string, controller bool) []string {
	values := map[string]string{}
	if controller {
		values["--config"] = defaultConfig
	}
	values["--data-dir"] = defaultDataDir
	for name, all := range group(args) {
		switch name {
		case "--force", "--env", "--start", "--token-file":
		case "--labels", "--taints", "--disable-components", "--feature-gates", "--logging":
			values[name] = list(all)
		case "--kubelet-extra-args":
			values[name] = words(all[len(all)-1])
		default:
			if value := all[len(all)-1]; value != "false" { // which every switch of k0s's is where nothing is said of it
				values[name] = value
			}
		}
	}
	out := make([]string, 0, len(values))
	for name, value := range values {
		out = append(out, veiled(name+"="+value))
	}
	slices.Sort(out)
	return out
}

// secretFlag is an argument whose name says that its value is a secret, also within the arguments for another program.
var secretFlag = regexp.MustCompile(`(?i)(--?[a-z0-9-]*(?:pass|token|secret|key|credential)[a-z0-9-]*=)("[^"]*"|'[^']*'|[^\s"']+)`)

// veiled has digests in place of secrets: arguments are compared, and shown. Declared and observed ones go through it, so that they still
// compare.
func veiled(argument string) string {
	return secretFlag.ReplaceAllStringFunc(argument, func(s string) string {
		name, value, _ := strings.Cut(s, "=")
		return name + "=" + digest([]byte(value))
	})
}

// group reads "--flag=value", "--flag value" in one string, bare booleans, and the short forms that k0s has.
func group(args []string) map[string][]string {
	short := map[string]string{"-c": "--config", "-d": "--debug", "-v": "--verbose", "-s": "--status-socket", "-l": "--logging"}
	out := map[string][]string{}
	for _, arg := range args {
		arg = strings.TrimSpace(arg)
		if !strings.HasPrefix(arg, "-") {
			continue
		}
		name, value := arg, "true"
		if i := strings.IndexAny(arg, "= "); i >= 0 {
			name, value = arg[:i], unquote(strings.TrimSpace(arg[i+1:]))
		}
		if long, ok := short[name]; ok {
			name = long
		}
		out[name] = append(out[name], value)
	}
	return out
}

// list merges a flag that may be given more than once, each time with several comma-separated values.
func list(values []string) string {
	var all []string
	for _, v := range values {
		for part := range strings.SplitSeq(v, ",") {
			if part = strings.TrimSpace(part); part != "" {
				all = append(all, part)
			}
		}
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), ",")
}

// words sorts the arguments within --kubelet-extra-args: their order means nothing to the kubelet.
func words(value string) string {
	parts, err := shellescape.Split(value)
	if err != nil {
		return value // as written: an odd quote must show as a difference rather than be lost
	}
	parts = slices.DeleteFunc(parts, func(p string) bool { return p == "" }) // two blanks in a row
	slices.Sort(parts)
	for i, p := range parts {
		if strings.ContainsAny(p, " \t\"'\\$") {
			parts[i] = shellescape.Quote(p)
		}
	}
	return strings.Join(parts, " ")
}

func unquote(s string) string {
	if len(s) >= 2 && (s[0] == '\'' || s[0] == '"') && s[len(s)-1] == s[0] {
		if u, err := shellescape.Unquote(s); err == nil {
			return u
		}
	}
	return s
}
