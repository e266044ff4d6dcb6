package site

import (
	"cmp"
	"fmt"
	"net/netip"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/allowed"
	"kiban.dev/kiban/lifecycle/site/overlay"
)

// checkProfiles holds that every worker profile that a host is installed with is there: a kubelet without its profile does not start.
func checkProfiles(c clusterDocument, doc *yaml.Node) []finding {
	config := overlay.Field(doc, "spec", "k0s", "config")
	names := []string{"default", "default-windows"}
	var found []finding
	seen := map[string]bool{}
	for i, p := range overlay.Items(overlay.Field(config, "spec", "workerProfiles")) {
		name := overlay.Text(overlay.Field(p, "name"))
		if at := clusterPlace("spec", "k0s", "config", "spec", "workerProfiles", overlay.Index(i)); seen[name] && name != "" {
			found = append(found, wrong(at, fmt.Sprintf("two worker profiles are called %s", name), "", "Make them one, or rename one."))
		}
		seen[name] = true
		names = append(names, name)
	}
	for _, h := range c.Spec.Hosts {
		for _, entry := range allowed.Joined(h.InstallFlags) {
			flag, profile := allowed.Flag(entry)
			if flag != "--profile" || slices.Contains(names, profile) || profile == "" {
				continue
			}
			hint := "Add it to spec.k0s.config.spec.workerProfiles."
			if near := overlay.Nearest(profile, names); near != "" {
				hint = fmt.Sprintf("Did you mean %q? Or add it to spec.k0s.config.spec.workerProfiles.", near)
			}
			at := hostPlace(h.Hostname, "installFlags", overlay.Index(flagIndex(h.InstallFlags, entry)))
			summary := fmt.Sprintf("host %s is installed with the worker profile %s, which is not there", h.Hostname, profile)
			if overlay.Empty(config) {
				found = append(found, doubtful(at, summary, "The configuration is left to k0s, and the file on the controllers may have it.", hint))
				continue
			}
			found = append(found, wrong(at, summary, "Its kubelet finds no configuration and does not start.", hint))
		}
	}
	return found
}

// checkK0sSecrets doubts every value of k0s's configuration that gives somebody access: it is in the repository, and on every controller.
func checkK0sSecrets(doc *yaml.Node) []finding {
	secret := map[string]bool{}
	for _, f := range lifecycle.K0sFields() {
		secret[f.Path] = f.Secret
	}
	var found []finding
	doubt := func(at []string, what string) {
		found = append(found, doubtful(k0sPlace(at), overlay.Dotted(at)+" "+what,
			"It is in the repository, and whoever reads it there has the same access.",
			"Keep it out of the repository; let the owners of the datastore, of the chart repository "+
				"or of the network take another way in, or none."))
	}
	judge := func(n *yaml.Node, at []string) {
		switch {
		case n.Value == "" || n.Tag != "!!str" || len(at) == 0:
		default:
			name := at[len(at)-1]
			switch listed := secret[indexes.ReplaceAllString(overlay.Dotted(at), "[]")]; {
			case listed && name == "dataSource" && !strings.Contains(n.Value, "@"):
			case listed && name == "authPass":
				found = append(found, doubtful(k0sPlace(at), overlay.Dotted(at)+" is a credential",
					"VRRP sends it in the clear, and it is in the repository: it keeps clusters apart, and nobody out.",
					"Use a word that opens nothing else."))
			case listed:
				doubt(at, "is a credential")
			case loginInURL.MatchString(n.Value):
				doubt(at, "holds a login")
			case secretName.MatchString(name) && !strings.Contains(n.Value, "\n") && !path.IsAbs(n.Value) && !harmless(n.Value):
				doubt(at, "looks like a secret")
			case givesAway(n.Value):
				doubt(at, "seems to hold a secret")
			}
		}
	}
	overlay.EachScalar(overlay.Field(doc, "spec", "k0s", "config"), nil, judge)
	return found
}

var indexes = regexp.MustCompile(`\[[^\]]*\]`)

// harmless reports whether a value that has a secret's name is none: a switch, a number, a duration.
func harmless(value string) bool {
	if _, err := strconv.ParseFloat(value, 64); err == nil {
		return true
	}
	if _, err := strconv.ParseBool(value); err == nil {
		return true
	}
	_, err := time.ParseDuration(value)
	return err == nil || strings.Contains(value, "://") // a URL without a login, such as an issuer of tokens
}

// checkAPIAddress: the API server's address is one machine's, and k0s's configuration is everybody's.
func checkAPIAddress(c clusterDocument) []finding {
	api := c.Spec.K0s.Config.Spec.API
	stay := 0
	owner := "no host"
	for _, h := range c.controllers() {
		if !h.Reset {
			stay++
		}
		if api.Address != "" && (h.address() == api.Address || h.PrivateAddress == api.Address) {
			owner = h.Hostname
		}
	}
	if api.Address == "" || stay < 2 {
		return nil
	}
	at := clusterPlace("spec", "k0s", "config", "spec", "api", "address")
	summary := fmt.Sprintf("spec.api.address is %s's, and there are %d controllers", owner, stay)
	hint := "Remove it: kiban fills in what each controller needs."
	if api.OnlyBind {
		return []finding{wrong(at, summary,
			"With onlyBindToAddress the others would listen on an address that they do not have: k0s does not start there.", hint)}
	}
	return []finding{doubtful(at, summary,
		"Each API server would advertise that address: the service `kubernetes` has one endpoint, and "+
			"clients in the cluster lose the API with that machine.",
		hint)}
}

// checkPeerAddresses: etcd listens on IP addresses only, and kiban fills in that of each controller where the document names one.
func checkPeerAddresses(c clusterDocument) []finding {
	declared := c.Spec.K0s.Config.Spec.Storage.Etcd.PeerAddress
	if c.storage() != defaultStorage || declared == "" {
		return nil
	}
	var found []finding
	if !slices.ContainsFunc(c.controllers(), func(h hostDocument) bool { return declared == h.PrivateAddress || declared == h.address() }) {
		found = append(found, doubtful(clusterPlace("spec", "k0s", "config", "spec", "storage", "etcd", "peerAddress"),
			fmt.Sprintf("spec.storage.etcd.peerAddress %s is no controller's, and not used", declared),
			"Each controller is given its own: privateAddress, or the address that ssh reaches it by.", "Remove it, or correct privateAddress."))
	}
	for _, h := range c.controllers() {
		if _, err := netip.ParseAddr(h.address()); err == nil || h.PrivateAddress != "" || h.Reset || h.address() == "" {
			continue
		}
		found = append(found, wrong(hostPlace(h.Hostname), fmt.Sprintf("controller %s is reached by a name and has no privateAddress",
			h.Hostname),
			"etcd's members call each other by IP address, and etcd does not listen on a name: "+
				"spec.storage.etcd.peerAddress of each controller is its own address.",
			"Set privateAddress of the host to its IP address, or remove spec.storage.etcd.peerAddress."))
	}
	return found
}

// checkOverruled: some arguments are made of fields of the host, and what installFlags says of them is not used.
func checkOverruled(c clusterDocument) []finding {
	var found []finding
	for _, h := range c.Spec.Hosts {
		for _, entry := range allowed.Joined(h.InstallFlags) {
			flag, value := allowed.Flag(entry)
			at := hostPlace(h.Hostname, "installFlags", overlay.Index(flagIndex(h.InstallFlags, entry)))
			if flag == "--data-dir" && path.Clean(value) != path.Clean(cmp.Or(h.DataDir, "/var/lib/k0s")) {
				found = append(found, doubtful(at, fmt.Sprintf("--data-dir=%s of host %s is not used", value, h.Hostname),
					"k0s is installed with dataDir of the host.", fmt.Sprintf("Write `dataDir: %s` instead.", value)))
			}
			if flag == "--kubelet-extra-args" && overruledName(value, h.Hostname) {
				found = append(found, doubtful(at, fmt.Sprintf("--hostname-override of host %s is not used", h.Hostname),
					"The kubelet's name is hostname of the host.", "Remove it; if that is the machine's name, write it into hostname."))
			}
		}
	}
	return found
}

// overruledName reports whether arguments of a kubelet give its node another name than the host's.
func overruledName(arguments, hostname string) bool {
	_, rest, found := strings.Cut(arguments, "--hostname-override=")
	name, _, _ := strings.Cut(strings.Trim(rest, `"'`), " ")
	return found && strings.Trim(name, `"'`) != hostname
}

// checkDatastore: a database on one controller's disk is no other controller's.
func checkDatastore(c clusterDocument) []finding {
	source := c.Spec.K0s.Config.Spec.Storage.Kine.DataSource
	local := source == "" || strings.HasPrefix(source, "sqlite:") || strings.HasPrefix(source, "sqlite3:")
	if c.storage() != "kine" || !local || len(c.controllers()) < 2 {
		return nil
	}
	return []finding{wrong(clusterPlace("spec", "k0s", "config", "spec", "storage", "type"),
		fmt.Sprintf("%d controllers, and a database that only one of them has", len(c.controllers())),
		"With `type: kine` and no server in dataSource, k0s keeps its data in a file on the controller, and refuses others that would join.",
		"Name a database server in spec.storage.kine.dataSource, use etcd, or declare one controller.")}
}
