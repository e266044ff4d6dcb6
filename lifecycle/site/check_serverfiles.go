package site

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/site/overlay"
)

// serverFiles are the arguments of an API server that name a file that it reads: without it the server does not start.
func serverFiles() []string {
	return []string{
		"audit-policy-file", "authentication-config", "authorization-config", "admission-control-config-file", "encryption-provider-config",
		"audit-webhook-config-file", "egress-selector-config-file", "oidc-ca-file", "tracing-config-file",
	}
}

// namesServerFile reports whether an argument names a file that has to be put on controllers. k0s's own files are elsewhere.
func namesServerFile(arg, value string) bool {
	return path.IsAbs(value) && (slices.Contains(serverFiles(), arg) || strings.HasPrefix(value, "/etc/k0s/"))
}

// checkServerFiles looks at the files that API servers are told to read: whether they are put on every controller, and whether the server
// would accept them.
func checkServerFiles(c clusterDocument, hosts []lifecycle.Host, accept func(flag string, content []byte) error) []finding {
	var found []finding
	args := c.Spec.K0s.Config.Spec.API.ExtraArgs
	for _, arg := range slices.Sorted(maps.Keys(args)) {
		file := args[arg]
		if !namesServerFile(arg, file) {
			continue
		}
		at := clusterPlace("spec", "k0s", "config", "spec", "api", "extraArgs", arg)
		var without []string
		judged := map[string]bool{}
		for _, h := range c.controllers() {
			f, declared := hostFile(hosts, h, file)
			switch {
			case !declared:
				without = append(without, h.Hostname)
			case accept != nil && f.Digest != "" && !judged[f.Digest]:
				judged[f.Digest] = true
				if err := accept(arg, f.Content); err != nil {
					found = append(found, refusedFile(f, arg, at, err))
				}
			}
		}
		if len(without) > 0 {
			found = append(found, doubtful(at, fmt.Sprintf("%s names %s, which is put on %s too few", arg, file,
				lifecycle.Count(len(without), "controller")),
				"Not on "+lifecycle.Few(without)+". An API server that can't read it does not start.",
				"Add it to spec.files of the Site, with `on: controllers`."))
		}
	}
	return found
}

// hostFile finds a file that is declared for a host, in the Site or in the Cluster.
func hostFile(hosts []lifecycle.Host, h hostDocument, file string) (lifecycle.HostFile, bool) {
	for _, host := range hosts {
		if host.Name != strings.ToLower(h.Hostname) {
			continue
		}
		if i := slices.IndexFunc(host.Files, func(f lifecycle.HostFile) bool { return f.Path == file }); i >= 0 {
			return host.Files[i], true
		}
	}
	return lifecycle.HostFile{}, slices.ContainsFunc(h.Files, func(f fileDocument) bool { return path.Join(f.DstDir, f.Dst) == file })
}

// refusedFile says that an API server would not start with a file.
func refusedFile(f lifecycle.HostFile, arg string, argument overlay.Place, err error) finding {
	where := argument
	if strings.Contains(f.Source, ":") {
		where = overlay.Place{Subject: f.Source}
	}
	detail, hint := err.Error(), "Correct the file; an API server that is given it does not start."
	if ds := lifecycle.AsDiagnostics(err, ""); len(ds) == 1 && ds[0].Hint != "" {
		hint = ds[0].Hint
	}
	return wrong(where, fmt.Sprintf("%s would not be accepted as the API server's %s", f.Path, arg), detail, hint)
}
