package site

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle/site/overlay"
)

// The rules here refuse what k0sctl offers and kiban does another way, because the stock way harms a running cluster.

// checkBinaries: k0s binaries come from Site.spec.binaries, checked against checksums (H11, H14, H19, H31).
func checkBinaries(c clusterDocument) []finding {
	var found []finding
	for _, h := range c.Spec.Hosts {
		for _, f := range []struct {
			name string
			set  bool
		}{{"k0sBinaryPath", h.K0sBinaryPath != ""}, {"useExistingK0s", h.UseExistingK0s}, {"k0sDownloadURL", h.K0sDownloadURL != ""}} {
			if f.set {
				found = append(found, wrong(hostPlace(h.Hostname, f.name), fmt.Sprintf("host %s sets %s", h.Hostname, f.name),
					"Its binary would be neither of the declared version for certain nor checked against a checksum.",
					"Remove it; set spec.binaries of the Site to where k0s comes from."))
			}
		}
	}
	return found
}

// checkFiles: a file behind a URL changes without a commit, and every look at it would count as a change of the host (H11).
func checkFiles(c clusterDocument) []finding {
	var found []finding
	for _, h := range c.Spec.Hosts {
		for i, f := range h.Files {
			if strings.Contains(f.Src, "://") {
				found = append(found, wrong(hostPlace(h.Hostname, "files", overlay.Index(i), "src"),
					fmt.Sprintf("host %s fetches a file from %s", h.Hostname, f.Src),
					"What is behind a URL is not in the commit, and can't be compared with what the machine has.", "Copy the file into the repository."))
			}
		}
	}
	return found
}

// checkDisruption: below 100 it means one node at a time, 100 means all at once (H22).
func checkDisruption(c clusterDocument) []finding {
	if c.Spec.Options.Concurrency.WorkerDisruptionPercent == nil {
		return nil
	}
	return []finding{wrong(clusterPlace("spec", "options", "concurrency", "workerDisruptionPercent"),
		"workerDisruptionPercent has no effect here",
		"kiban rolls workers out itself, by the Site's policy.",
		"Remove it; set spec.upgrade.workers.maxUnavailable of the Site, for example to \"25%\".")}
}

var secretName = regexp.MustCompile(`(?i)(password|passwd|secret|token|api_?key|access_?key|private_?key|credential)`)

// checkEnvironment: values of a host's environment end up in its /etc/environment and in command lines (H28).
func checkEnvironment(c clusterDocument) []finding {
	var found []finding
	for _, h := range c.Spec.Hosts {
		for _, name := range slices.Sorted(maps.Keys(h.Environment)) {
			if secretName.MatchString(name) && h.Environment[name] != "" {
				found = append(found, doubtful(hostPlace(h.Hostname, "environment", name),
					fmt.Sprintf("%s of host %s looks like a secret", name, h.Hostname),
					"It is in the repository, and every process on the machine can read it.",
					"Keep secrets out of the environment; put them where only their reader has access."))
			}
		}
	}
	return found
}

var substitution = regexp.MustCompile(`(?:^|[^$\\])(\$\{?[A-Za-z_][A-Za-z0-9_]*\}?)`)

// checkSubstitution: k0sctl's command line replaces $FOO from the environment of whoever runs it; here the document means what it
// says. Hooks and file contents are for the machine's own shell and keep their dollars.
func checkSubstitution(doc *yaml.Node) []finding {
	var found []finding
	var walk func(n *yaml.Node, path []string)
	walk = func(n *yaml.Node, path []string) {
		switch n.Kind {
		case yaml.MappingNode:
			for i := 0; i+1 < len(n.Content); i += 2 {
				key := n.Content[i].Value
				if key == "hooks" || key == "data" {
					continue
				}
				walk(n.Content[i+1], append(path[:len(path):len(path)], key))
			}
		case yaml.SequenceNode:
			for _, item := range n.Content {
				below := path
				if name := overlay.Text(overlay.Field(item, "hostname")); name != "" {
					below = append(path[:len(path):len(path)], "[hostname="+name+"]")
				}
				walk(item, below)
			}
		case yaml.ScalarNode:
			if m := substitution.FindStringSubmatch(n.Value); m != nil {
				found = append(found, wrong(clusterPlace(path...), fmt.Sprintf("%s is not substituted", m[1]),
					"kiban reads the document as it is, whoever runs it and wherever; k0sctl's command line would put in a variable of its environment, "+
						"or nothing.",
					"Write the value itself, or let a kustomize replacement fill it in."))
			}
		}
	}
	walk(doc, nil)
	return found
}
