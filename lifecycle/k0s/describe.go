package k0s

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/k0sproject/k0sctl/pkg/apis/k0sctl.k0sproject.io/v1beta1"
	"github.com/k0sproject/k0sctl/pkg/apis/k0sctl.k0sproject.io/v1beta1/cluster"
	rig "github.com/k0sproject/rig/v2"
	"gopkg.in/yaml.v2"

	"kiban.dev/kiban/lifecycle"
)

// Describe reads a k0sctl Cluster document and says what kiban has to know of it. Relative paths in it are resolved against
// dir; origin names the document in diagnostics. ssh holds the site's defaults. No machine is asked anything, and nothing of the
// parse survives the call (H26).
func Describe(doc []byte, ssh lifecycle.SSH, dir, origin string) (lifecycle.Cluster, lifecycle.Diagnostics) {
	hermetic()
	d := &describer{origin: origin, sources: sourceFiles{}}
	c, err := decode(doc)
	if err != nil {
		d.syntax(err)
		return lifecycle.Cluster{}, d.found
	}
	parts, err := cut(doc, ssh, dir)
	if err != nil || len(parts.hosts) != len(c.Spec.Hosts) {
		d.fail("", "the cluster document cannot be read", fmt.Sprint(err), "")
		return lifecycle.Cluster{}, d.found
	}
	d.connections(c, parts)
	d.validate(c, dir)
	if d.found.Has(lifecycle.SeverityError) {
		return lifecycle.Cluster{}, d.found
	}
	out := lifecycle.Cluster{Name: c.Metadata.Name, Document: slices.Clone(doc), DynamicConfig: c.Spec.K0s.DynamicConfig}
	out.Version = d.version(c)
	if c.Spec.K0s.DynamicConfig && len(c.Spec.K0s.Config) > 0 {
		if out.Config, err = sharedConfig(c); err != nil {
			d.fail("", "spec.k0s.config cannot be read", err.Error(), "")
		}
	}
	out.Hosts = d.hosts(c)
	d.remarks(c)
	return out, d.found
}

// describer gathers what Describe finds.
type describer struct {
	origin  string
	found   lifecycle.Diagnostics
	sources sourceFiles
}

// reject is fail for what k0sctl's own reading refuses: whoever has read the document before has most likely found it, with its line.
func (d *describer) reject(subject, summary, detail, hint string) {
	d.fail(subject, summary, detail, hint)
	d.found[len(d.found)-1].Cause = lifecycle.ErrReadAgain
}

func (d *describer) fail(subject, summary, detail, hint string) {
	d.add(lifecycle.SeverityError, subject, summary, detail, hint)
}

func (d *describer) warn(subject, summary, detail, hint string) {
	d.add(lifecycle.SeverityWarning, subject, summary, detail, hint)
}

func (d *describer) add(s lifecycle.Severity, subject, summary, detail, hint string) {
	if subject == "" {
		subject = d.origin
	}
	d.found = append(d.found, lifecycle.Findingf(s, subject, "%s", summary).Because(detail).Try(hint))
}

// syntax turns what the YAML decoder says into findings, one each.
func (d *describer) syntax(err error) {
	const hint = "the schema is k0sctl's (https://docs.k0sproject.io/stable/k0sctl-install/); `k0sctl init` prints an example"
	if te, ok := errors.AsType[*yaml.TypeError](err); ok {
		for _, e := range te.Errors {
			d.reject("", "the cluster document does not fit k0sctl's schema", e, hint)
		}
		return
	}
	d.reject("", "the cluster document does not fit k0sctl's schema", strings.TrimPrefix(err.Error(), "yaml: "), hint)
}

// connections applies the site's SSH settings to every host.
func (d *describer) connections(c *v1beta1.Cluster, parts document) {
	var overruled []string
	for i, h := range c.Spec.Hosts {
		o, err := reach(h, parts.hosts[i], parts.ssh, parts.dir)
		if err != nil {
			d.reject(subject(h, i), "kiban cannot connect to this host as declared", err.Error(), "")
		}
		overruled = append(overruled, o...)
	}
	if len(overruled) > 0 {
		slices.Sort(overruled)
		d.warn("", "host key options are not used", strings.Join(slices.Compact(overruled), ", "),
			"Host keys are always checked against the site's known_hosts file; remove these options")
	}
	if parts.ssh.KnownHosts == "" && slices.ContainsFunc(c.Spec.Hosts, func(h *cluster.Host) bool { return h.SSH != nil }) {
		d.fail("", "no known_hosts file", "machines are only trusted when their host key is in a file of the overlay",
			"Set ssh.knownHosts in the Site document; `kiban hosts trust SITE` then fills the file")
	}
}

// validate runs k0sctl's own checks, and those that it leaves out.
func (d *describer) validate(c *v1beta1.Cluster, dir string) {
	const hint = "see k0sctl's description of the field"
	if c.APIVersion != v1beta1.APIVersion || c.Kind != "Cluster" {
		d.fail("", "this is not a k0sctl cluster document", fmt.Sprintf("apiVersion %s, kind %s", c.APIVersion, c.Kind), "")
	}
	if c.Spec.K0s == nil {
		c.Spec.K0s = &cluster.K0s{}
	}
	// not Cluster.Validate: it sets a global of the validation library each time, and sites are read side by side
	if err := c.Spec.Validate(); err != nil {
		d.reject("", "k0sctl rejects the cluster document", err.Error(), hint)
	}
	// k0sctl validates the hosts only when there is more than one (H31)
	if len(c.Spec.Hosts) == 1 {
		if err := c.Spec.Hosts[0].Validate(); err != nil {
			d.reject(subject(c.Spec.Hosts[0], 0), "k0sctl rejects the host", err.Error(), hint)
		}
	}
	names := map[string]bool{}
	for i, h := range c.Spec.Hosts {
		name := strings.ToLower(h.HostnameOverride)
		switch {
		case name == "":
			d.fail(subject(h, i), "the host has no hostname", "kiban merges hosts and finds their nodes by it",
				"Set hostname to what `hostname` prints on the machine")
		case names[name]:
			d.fail(subject(h, i), "two hosts have the same hostname", name, "Hostnames are the cluster's node names: make them unique")
		}
		names[name] = true
		d.files(h, i, dir)
	}
}

// files resolves what is to be uploaded, so that a missing file shows before anything is done.
func (d *describer) files(h *cluster.Host, i int, dir string) {
	for _, f := range h.Files {
		if f.IsURL() {
			d.reject(subject(h, i), "files from a URL are not supported",
				f.Source+": its content would not be pinned, and could change a host at any time",
				"Put the file into the overlay and name it as src")
		}
	}
	if err := h.Resolve(dir); err != nil {
		d.fail(subject(h, i), "a file to upload is missing", err.Error(), "Write src relative to the overlay's folder")
	}
}

// version insists on a pinned one: k0sctl would install whatever is newest on the day (H10).
func (d *describer) version(c *v1beta1.Cluster) lifecycle.Version {
	const hint = "set spec.k0s.version to an exact release such as v1.36.3+k0s.2"
	if c.Spec.K0s.Version == nil || c.Spec.K0s.Version.IsZero() {
		d.reject("", "the k0s version is not pinned", "spec.k0s.version is missing", hint)
		return lifecycle.Version{}
	}
	v, err := lifecycle.ParseVersion("v" + strings.TrimPrefix(c.Spec.K0s.Version.String(), "v"))
	if err != nil {
		d.reject("", "the k0s version is not exact", err.Error(), hint)
	}
	return v
}

// hosts describes every host, controllers first.
func (d *describer) hosts(c *v1beta1.Cluster) []lifecycle.Host {
	client, err := rig.NewClient(rig.WithConnection(offline{}))
	if err != nil {
		d.fail("", "the cluster document cannot be read", err.Error(), "")
		return nil
	}
	var controllers, workers []lifecycle.Host
	for i, h := range c.Spec.Hosts {
		host, err := describeHost(c, h, client)
		if err != nil {
			d.reject(subject(h, i), "the host cannot be described", err.Error(), "")
			continue
		}
		host.Files = d.hostFiles(h, i)
		if host.Role.IsController() {
			controllers = append(controllers, host)
		} else {
			workers = append(workers, host)
		}
	}
	return append(controllers, workers...)
}

func describeHost(c *v1beta1.Cluster, h *cluster.Host, client *rig.Client) (lifecycle.Host, error) {
	if err := attachOffline(h, client); err != nil {
		return lifecycle.Host{}, err
	}
	out := lifecycle.Host{
		Name: strings.ToLower(h.HostnameOverride), Role: lifecycle.Role(h.Role), Address: h.Address(),
		PrivateAddress: h.PrivateAddress, Reset: h.Reset, Program: pathsOf(h).binary,
	}
	if len(h.Hooks) > 0 {
		out.Unseen = append(out.Unseen, "hooks")
	}
	if h.SSH != nil {
		out.Port, out.User = h.SSH.Port, h.SSH.User
	}
	text, err := configFor(c, h, false)
	if err != nil {
		return out, err
	}
	if text != nil {
		if out.Config, err = canonical(text); err != nil {
			return out, fmt.Errorf("spec.k0s.config: %w", err)
		}
		out.ConfigDigest = digest(out.Config)
	}
	if len(h.Environment) > 0 {
		out.Environment = environmentDigest(serviceEnvironment(h.Environment))
	}
	out.Arguments, err = declaredArguments(h, c.Spec.K0s.DynamicConfig)
	return out, err
}

// subject names a host in a finding.
func subject(h *cluster.Host, i int) string {
	if h.HostnameOverride != "" {
		return h.HostnameOverride
	}
	return fmt.Sprintf("host %d (%s)", i+1, h.Address())
}
