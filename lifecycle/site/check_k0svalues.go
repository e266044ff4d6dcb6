package site

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/site/overlay"
)

// meaning is what a value of k0s's configuration has to be beyond its form: k0s does not start with another, or what it hands it to.
type meaning struct {
	says  string // "It is ..."
	hint  string
	holds func(value string) bool
}

// meaningOf finds a meaning by its word in the table of fields: "host", or "1..255" for a number.
func meaningOf(word string) (meaning, bool) {
	if low, high, ok := strings.Cut(word, ".."); ok {
		return numberFrom(low, high)
	}
	m, ok := meanings()[word]
	return m, ok
}

func numberFrom(low, high string) (meaning, bool) {
	from, errFrom := strconv.Atoi(low)
	to, errTo := strconv.Atoi(high)
	return meaning{fmt.Sprintf("It is a number from %d to %d.", from, to), "Correct the value.", func(v string) bool {
		n, err := strconv.Atoi(v)
		return err == nil && n >= from && n <= to
	}}, errFrom == nil && errTo == nil
}

// meanings are the words of the table. Each is as k0s's own `config validate` has it, or the kubelet, for what stands in a worker profile.
func meanings() map[string]meaning {
	return map[string]meaning{
		"address": {"It is an IP address.", "Write it like 10.9.0.5.", isAddress},
		"machine": {"It is the address of a machine.", "Write it like 10.9.0.5, or leave it out.",
			func(v string) bool { return isAddress(v) && v != "0.0.0.0" && v != "::" }},
		"host": {"It is an IP address, or a name in DNS.", "Write it like 10.9.0.5 or api.example.com: no URL, no port.", isHost},
		"endpoint": {"It is an IP address, or a name in DNS.", "Write it like 10.9.0.5 or api.example.com: no URL.", func(v string) bool {
			host, port, err := net.SplitHostPort(v)
			return v != "0.0.0.0" && v != "::" && (isHost(v) || err == nil && isHost(host) && isNumber(port))
		}},
		"domain": {"It is a name in DNS.", "Write it like cluster.local.", func(v string) bool { return dnsName.MatchString(v) }},
		"prefix": {"It is an address with its network.", "Write it like 10.9.0.5/24.",
			func(v string) bool { _, _, err := net.ParseCIDR(v); return err == nil }},
		"listen": {"It is an address to listen on, with a port.", "Write it like 0.0.0.0:10249.",
			func(v string) bool {
				h, p, err := net.SplitHostPort(v)
				return err == nil && isAddress(h) && isNumber(p)
			}},
		"url": {"It is a URL.", "Write it like https://10.9.0.5:2379.",
			func(v string) bool {
				u, err := url.Parse(v)
				return err == nil && u.Host != "" && strings.HasPrefix(u.Scheme, "http")
			}},
		"label": {"It is a name of lower-case letters, digits and hyphens, 63 at most.", "Write it like gpu-nodes.",
			func(v string) bool { return len(v) <= 63 && dnsLabel.MatchString(v) }},
		"release": {"It is the name of a Helm release: lower-case letters, digits, dots and hyphens, 53 at most.", "Write it like my-chart.",
			func(v string) bool { return len(v) <= 53 && hostnameForm.MatchString(v) }},
		"word8": {"It has 8 characters at most.", "Shorten it.", func(v string) bool { return len(v) <= 8 }},
		"image": {"It is the name of an image, without its tag.", "Write it like registry.example.com/pause, and the tag below version.",
			func(v string) bool {
				return !strings.ContainsAny(v, " \t\n@") && !strings.Contains(v[strings.LastIndexByte(v, '/')+1:], ":")
			}},
		"tag": {"It is the tag of an image.", "Write it like v3.10, with @sha256:... behind it if you like.",
			func(v string) bool {
				tag, _, _ := strings.Cut(v, "@")
				return len(tag) <= 128 && imageTag.MatchString(v)
			}},
		"quantity": {"It is a quantity.", "Write it like 200m or 512Mi.", func(v string) bool { return quantity.MatchString(v) }},
		"threshold": {"It is a quantity or a percentage.", "Write it like 300Mi or 10%.", func(v string) bool {
			n, percent := strings.CutSuffix(v, "%")
			if !percent {
				return quantity.MatchString(v)
			}
			f, err := strconv.ParseFloat(n, 64)
			return err == nil && f >= 0 && f <= 100
		}},
		"period": {"It is a duration.", "Write it like 1m30s.",
			func(v string) bool { d, err := time.ParseDuration(v); return err == nil && d >= 0 }},
	}
}

var (
	dnsLabel = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)
	dnsName  = regexp.MustCompile(`^[A-Za-z0-9_]([-A-Za-z0-9_]{0,61}[A-Za-z0-9_])?(\.[A-Za-z0-9_]([-A-Za-z0-9_]{0,61}[A-Za-z0-9_])?)*\.?$`)
	imageTag = regexp.MustCompile(`^[\w][\w.-]*(@[a-z0-9]+([+._-][a-z0-9]+)*:[0-9a-fA-F]{32,})?$`)
	quantity = regexp.MustCompile(`^\+?([0-9]+(\.[0-9]*)?|\.[0-9]+)(m|k|Ki|M|Mi|G|Gi|T|Ti|P|Pi|E|Ei|[eE][+-]?[0-9]+)?$`)
)

func isAddress(v string) bool { _, err := netip.ParseAddr(v); return err == nil }

func isNumber(v string) bool { n, err := strconv.Atoi(v); return err == nil && n > 0 && n <= 65535 }

func isHost(v string) bool { return isAddress(v) || dnsName.MatchString(v) }

// meant holds one value to what it has to be beyond its form.
func (k *k0sChecker) meant(n *yaml.Node, f lifecycle.K0sField, at []string) {
	m, ok := meaningOf(f.Is)
	if !ok || n.Value == "" || m.holds(n.Value) {
		return
	}
	if confidential(at) {
		k.wrong(at, overlay.Dotted(at)+" can't be so", m.says, m.hint+" It is not shown here, for it may be secret.")
		return
	}
	k.wrong(at, fmt.Sprintf("%s can't be %q", overlay.Dotted(at), n.Value), m.says, m.hint)
}

// key holds the key of a map to those that there are.
func (k *k0sChecker) key(key string, f lifecycle.K0sField, at []string) {
	switch {
	case strings.HasPrefix(key, "-") && strings.HasSuffix(f.Path, "xtraArgs"):
		k.wrong(at, fmt.Sprintf("%s begins with a hyphen", overlay.Dotted(at)),
			"k0s puts two in front of each: the program does not know the argument.",
			"Write "+strings.TrimLeft(key, "-")+".")
	case len(f.Keys) > 0 && !slices.Contains(f.Keys, key):
		hint := "There are: " + strings.Join(f.Keys, ", ") + "."
		if near := overlay.Nearest(key, f.Keys); near != "" {
			hint = fmt.Sprintf("Did you mean %q?", near)
		}
		k.wrong(at, fmt.Sprintf("%s: the kubelet knows no %q", overlay.Dotted(at[:len(at)-1]), key), "With such a key it does not start.", hint)
	}
}

// checkK0sTogether holds fields of k0s's configuration against each other, as k0s's own `config validate` and the kubelet do.
func checkK0sTogether(doc *yaml.Node) []finding {
	k := k0sChecker{}
	spec := overlay.Field(doc, "spec", "k0s", "config", "spec")
	k.externalCluster(overlay.Field(spec, "storage", "etcd", "externalCluster"))
	k.virtualAddresses(overlay.Field(spec, "network", "controlPlaneLoadBalancing"))
	k.provider(overlay.Field(spec, "network"))
	k.charts(overlay.Field(spec, "extensions", "helm"))
	for i, p := range overlay.Items(overlay.Field(spec, "workerProfiles")) {
		k.kubelet(overlay.Field(p, "values"), []string{"spec", "workerProfiles", overlay.Index(i), "values"})
	}
	return k.found
}

// externalCluster: either all of its three files are named, or none.
func (k *k0sChecker) externalCluster(n *yaml.Node) {
	at := []string{"spec", "storage", "etcd", "externalCluster"}
	var given, lacks []string
	for _, name := range []string{"caFile", "clientCertFile", "clientKeyFile"} {
		if overlay.Empty(overlay.Field(n, name)) {
			lacks = append(lacks, name)
		} else {
			given = append(given, name)
		}
	}
	if len(given) > 0 && len(lacks) > 0 {
		k.wrong(at, fmt.Sprintf("%s has %s, and no %s", overlay.Dotted(at), strings.Join(given, " and "), strings.Join(lacks, " and no ")),
			"k0s wants all three, or none.", "Add what is missing, or remove the rest.")
	}
}

// virtualAddresses: control-plane load balancing needs an address to give away, and peers that are called one by one need one to be called
// from.
func (k *k0sChecker) virtualAddresses(n *yaml.Node) {
	at := []string{"spec", "network", "controlPlaneLoadBalancing"}
	instances := overlay.Items(overlay.Field(n, "keepalived", "vrrpInstances"))
	if overlay.Text(overlay.Field(n, "enabled")) == "true" && len(instances) == 0 &&
		len(overlay.Items(overlay.Field(n, "keepalived", "virtualServers"))) == 0 {
		k.found = append(k.found, doubtful(k0sPlace(append(at, "enabled")), overlay.Dotted(at)+" is enabled and has no address",
			"Nothing is balanced.", "Add keepalived.vrrpInstances with a virtual address, or remove it."))
	}
	for i, instance := range instances {
		below := append(at[:len(at):len(at)], "keepalived", "vrrpInstances", overlay.Index(i))
		own, peers := overlay.Text(overlay.Field(instance, "unicastSourceIP")), overlay.Items(overlay.Field(instance, "unicastPeers"))
		if len(peers) > 0 && own == "" {
			k.wrong(below, overlay.Dotted(below)+" has unicastPeers, and no unicastSourceIP", "k0s refuses it without.", "Add `unicastSourceIP:`.")
		}
		for _, peer := range peers {
			if own != "" && overlay.Text(peer) == own {
				k.wrong(append(below, "unicastPeers"), overlay.Dotted(below)+": unicastSourceIP is among its unicastPeers", "k0s refuses it.",
					"Remove it there.")
			}
		}
	}
}

// provider: what is set for a network that is not the declared one does nothing; Calico has two families in one of its modes only.
func (k *k0sChecker) provider(n *yaml.Node) {
	calico := overlay.Field(n, "calico")
	isCalico := overlay.Text(overlay.Field(n, "provider")) == "calico"
	at := []string{"spec", "network", "calico"}
	if !isCalico && !overlay.Empty(calico) {
		k.found = append(k.found, doubtful(k0sPlace(at), "spec.network.calico has no effect", "The network is not Calico's.",
			"Write `provider: calico`, or remove it."))
	}
	dual := overlay.Text(overlay.Field(n, "dualStack", "enabled")) == "true"
	if isCalico && dual && overlay.Text(overlay.Field(calico, "mode")) != "bird" {
		k.wrong(append(at, "mode"), "Calico has two address families in mode bird only", "k0s refuses another with dualStack.",
			"Write `mode: bird`.")
	}
}

// charts: a chart is taken from a repository that is declared beside it.
func (k *k0sChecker) charts(n *yaml.Node) {
	var known []string
	for _, r := range overlay.Items(overlay.Field(n, "repositories")) {
		known = append(known, overlay.Text(overlay.Field(r, "name")))
	}
	for i, c := range overlay.Items(overlay.Field(n, "charts")) {
		chart := overlay.Text(overlay.Field(c, "chartname"))
		repository, name, two := strings.Cut(chart, "/")
		if !two || repository == "" || strings.Contains(name, "/") || strings.Contains(chart, "://") || slices.Contains(known, repository) {
			continue // a file, a registry, or what is there
		}
		hint := "Add it to spec.extensions.helm.repositories."
		if near := overlay.Nearest(repository, known); near != "" {
			hint = fmt.Sprintf("Did you mean %q? Or add it to spec.extensions.helm.repositories.", near)
		}
		at := []string{"spec", "extensions", "helm", "charts", overlay.Index(i), "chartname"}
		k.found = append(k.found, doubtful(k0sPlace(at), fmt.Sprintf("chart %s is of repository %s, which is not there", chart, repository),
			"k0s finds no such chart.", hint))
	}
}

// kubelet holds fields of a worker profile against each other: a kubelet whose configuration contradicts itself does not start.
func (k *k0sChecker) kubelet(n *yaml.Node, at []string) {
	below := func(name string) []string { return append(at[:len(at):len(at)], name) }
	number := func(name string, without int) int {
		if v, err := strconv.Atoi(overlay.Text(overlay.Field(n, name))); err == nil {
			return v
		}
		return without
	}
	period := func(name string) time.Duration {
		d, err := time.ParseDuration(overlay.Text(overlay.Field(n, name)))
		if err != nil {
			return 0
		}
		return d
	}
	low, high := number("imageGCLowThresholdPercent", 80), number("imageGCHighThresholdPercent", 85)
	if low >= high {
		k.wrong(at, fmt.Sprintf("%s: imageGCLowThresholdPercent is %d, and imageGCHighThresholdPercent %d", overlay.Dotted(at), low, high),
			"The kubelet does not start unless the first is the lower one. Left out they are 80 and 85.", "Set both.")
	}
	if period("shutdownGracePeriodCriticalPods") > period("shutdownGracePeriod") {
		k.wrong(below("shutdownGracePeriodCriticalPods"),
			overlay.Dotted(at)+": shutdownGracePeriodCriticalPods is longer than shutdownGracePeriod",
			"It is a part of that, and the kubelet does not start.", "Lengthen shutdownGracePeriod.")
	}
	if number("maxParallelImagePulls", 1) > 1 && overlay.Text(overlay.Field(n, "serializeImagePulls")) != "false" {
		k.wrong(below("maxParallelImagePulls"), overlay.Dotted(at)+": maxParallelImagePulls needs `serializeImagePulls: false`",
			"The kubelet does not start otherwise.", "Add `serializeImagePulls: false`.")
	}
	soft, periods := overlay.Resolve(overlay.Field(n, "evictionSoft")), overlay.Field(n, "evictionSoftGracePeriod")
	for i := 0; soft != nil && soft.Kind == yaml.MappingNode && i+1 < len(soft.Content); i += 2 {
		if signal := soft.Content[i].Value; overlay.Empty(overlay.Field(periods, signal)) {
			k.wrong(below("evictionSoft"), fmt.Sprintf("%s: evictionSoft has %s, and evictionSoftGracePeriod has not", overlay.Dotted(at), signal),
				"The kubelet does not start without.", "Add it to evictionSoftGracePeriod.")
		}
	}
	for _, item := range overlay.Items(overlay.Field(n, "enforceNodeAllocatable")) {
		of, _, _ := strings.Cut(overlay.Text(item), "-")
		group := of + "ReservedCgroup"
		if (of == "system" || of == "kube") && overlay.Empty(overlay.Field(n, group)) {
			k.wrong(below("enforceNodeAllocatable"), fmt.Sprintf("%s: enforceNodeAllocatable has %s, and there is no %s", overlay.Dotted(at),
				overlay.Text(item), group), "The kubelet does not start without.", "Add `"+group+":`, or remove it there.")
		}
	}
}
