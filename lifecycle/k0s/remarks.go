package k0s

import (
	"fmt"
	"slices"
	"strings"

	"github.com/k0sproject/k0sctl/pkg/apis/k0sctl.k0sproject.io/v1beta1"
	"github.com/k0sproject/k0sctl/pkg/apis/k0sctl.k0sproject.io/v1beta1/cluster"
	"gopkg.in/yaml.v2"

	"kiban.dev/kiban/lifecycle"
)

// Whoever reads the document before finds these with their lines.
const (
	withoutPrivateAddress = "privateAddress is not set"
	secretsInTheClear     = "values in environment are secrets in the clear"
)

// remarks warns of what a document says that kiban does otherwise than k0sctl. None of it stops a verb.
func (d *describer) remarks(c *v1beta1.Cluster) {
	d.remark(c, "the host's own source of k0s is not used",
		func(h *cluster.Host) bool {
			return h.K0sBinaryPath != "" || h.K0sDownloadURLOverride != "" || h.UseExistingK0s
		},
		"k0sBinaryPath, k0sDownloadURL and useExistingK0s are ignored: kiban fetches k0s once, checks it and uploads it",
		"Name the source in the Site document, under binaries")
	d.remark(c, "some hooks are not run", otherHooks,
		"kiban runs the hooks of install, upgrade and reset, around each machine's own step",
		"Move what they do into one of those, or out of the cluster document")
	d.remark(c, withoutPrivateAddress,
		func(h *cluster.Host) bool {
			return len(c.Spec.Hosts) > 1 && h.PrivateAddress == "" && h.PrivateInterface == ""
		},
		"k0sctl would guess it from the machine's routes, which can pick a container bridge; kiban uses the address alone",
		"Set privateAddress to the address that the other machines reach it by")
	d.remark(c, secretsInTheClear,
		func(h *cluster.Host) bool { return slices.ContainsFunc(keys(h.Environment), lifecycle.SecretName) },
		"a name in environment sounds like a credential; it would be readable in the repository", "Keep credentials out of the cluster document")
	d.remark(c, "metrics-server is turned off", withoutMetrics,
		"autoscalers and `kubectl top` have nothing to go by",
		"Take metrics-server out of --disable-components, unless an addon brings another one")
	for i := range d.found {
		if d.found[i].Summary == withoutPrivateAddress || d.found[i].Summary == secretsInTheClear {
			d.found[i].Cause = lifecycle.ErrReadAgain
		}
	}
	if unused := unusedOptions(c.Spec.Options); len(unused) > 0 {
		d.warn("", "options of k0sctl that are not used: "+strings.Join(unused, ", "),
			"kiban waits, drains and keeps its pace by the Site document",
			"Set spec.upgrade of the Site: drain, settle and workers. Taints that evict are never set")
	}
	if o := c.Spec.Options.Concurrency; o.WorkerDisruptionPercent != 10 && o.WorkerDisruptionPercent != 0 {
		d.warn("", "workerDisruptionPercent is not used",
			fmt.Sprintf("k0sctl itself would take %d%% for one node at a time, or all at once", o.WorkerDisruptionPercent),
			"Set workers.maxUnavailable in the Site's policy")
	}
}

// remark adds one warning that names all the hosts it is about.
func (d *describer) remark(c *v1beta1.Cluster, summary string, about func(*cluster.Host) bool, detail, hint string) {
	var names []string
	for i, h := range c.Spec.Hosts {
		if about(h) {
			names = append(names, subject(h, i))
		}
	}
	switch n := len(names); {
	case n == 0:
		return
	case n > 5:
		names = append(names[:5], fmt.Sprintf("and %d more", n-5))
	}
	d.warn("", summary, strings.Join(names, ", ")+": "+detail, hint)
}

// otherHooks finds hooks that k0sctl knows and kiban has no place for.
func otherHooks(h *cluster.Host) bool {
	for action := range h.Hooks {
		if action != "install" && action != "upgrade" && action != "reset" {
			return true
		}
	}
	return false
}

// withoutMetrics reports whether k0s is told not to run its metrics-server. Only controllers are.
func withoutMetrics(h *cluster.Host) bool {
	off := h.InstallFlags.GetValue("--disable-components")
	return h.IsController() && slices.Contains(strings.Split(off, ","), "metrics-server")
}

func keys(m map[string]string) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// unusedOptions lists what the document asks of k0sctl itself, and otherwise than k0sctl would by default: "drain.timeout". What is said of
// workerDisruptionPercent has its own remark.
func unusedOptions(asked cluster.Options) []string {
	stock, err := decode([]byte("spec: {}"))
	if err != nil {
		return nil // a document that says nothing decodes
	}
	is, usual := optionValues(asked), optionValues(stock.Spec.Options)
	var out []string
	for name, v := range is {
		if v != usual[name] && name != "concurrency.workerDisruptionPercent" {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

func optionValues(o cluster.Options) map[string]string {
	var groups map[string]map[string]any
	b, err := yaml.Marshal(o)
	if err != nil || yaml.Unmarshal(b, &groups) != nil {
		return nil
	}
	out := map[string]string{}
	for group, fields := range groups {
		for name, v := range fields {
			out[group+"."+name] = fmt.Sprint(v)
		}
	}
	return out
}
