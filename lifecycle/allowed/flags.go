package allowed

import (
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// flag is what a flag of `k0s install` may be given. bare says that it may stand without a value.
type flag struct {
	bare bool
	form func(value string) bool
	says string // what the value is, for people
}

// matching compiles the form when a value is there: of all flags, a host has a few.
func matching(form string) func(string) bool {
	return func(value string) bool { return regexp.MustCompile(`^(?:` + form + `)$`).MatchString(value) }
}

// listOf holds for a comma-separated list of what matches; blanks around the items do no harm, and neither does an empty list.
func listOf(form string) func(string) bool {
	item := matching(form)
	return func(value string) bool {
		for part := range strings.SplitSeq(value, ",") {
			if part = strings.TrimSpace(part); part != "" && !item(part) {
				return false
			}
		}
		return true
	}
}

func isBool(v string) bool { _, err := strconv.ParseBool(v); return err == nil }

func isPort(v string) bool { n, err := strconv.Atoi(v); return err == nil && n >= 0 && n <= 65535 }

func isDuration(v string) bool {
	d, err := time.ParseDuration(v)
	return v == "" || err == nil && d >= 0
}

func isEndpoint(v string) bool {
	host, port, err := net.SplitHostPort(v)
	return err == nil && isPort(port) && !strings.ContainsAny(host, " /")
}

// isArguments holds for arguments of another program as they stand in one value. Which there are is that program's to say: they are data
// that k0s passes on to its kubelet or controller manager.
func isArguments(v string) bool {
	args, err := words(v)
	return err == nil && (len(args) == 0 || argumentForm.MatchString(args[0]))
}

var argumentForm = regexp.MustCompile(`^--?[A-Za-z][-A-Za-z0-9._]*(=.*)?$`)

func pathBy(judge func(string) Refusal) func(string) bool {
	return func(value string) bool { return value == "" || !judge(value).Refused() }
}

// isSocket holds for the path of a socket.
func isSocket(v string) bool { return clean(v) && under(v, "/run", "/var/run", "/var/lib") }

func isRuntime(v string) bool {
	kind, path, ok := strings.Cut(v, ":")
	return v == "" || ok && (kind == "remote" || kind == "docker") && isSocket(strings.TrimPrefix(path, "unix://"))
}

// installFlags are the flags of `k0s install controller` and `k0s install worker`, of the versions that kiban supports and of those that a
// cluster may come from.
func installFlags() map[string]flag {
	boolean := flag{bare: true, form: isBool, says: "true or false"}
	duration := flag{form: isDuration, says: "a duration such as 30s"}
	arguments := flag{form: isArguments, says: "arguments such as '--v=2 --max-pods=200'"}
	dir := flag{form: pathBy(DataDir), says: "a folder of its own, such as /var/lib/k0s"}
	return map[string]flag{
		"--api-server-stop-timeout": duration, "--debug": boolean, "--enable-cloud-provider": boolean, "--enable-dynamic-config": boolean,
		"--enable-k0s-cloud-provider": boolean, "--enable-metrics-scraper": boolean, "--enable-worker": boolean, "--force": boolean,
		"--ignore-pre-flight-checks": boolean, "--init-only": boolean, "--no-taints": boolean, "--single": boolean, "--start": boolean,
		"--verbose": boolean, "--k0s-cloud-provider-update-frequency": duration, "--kubelet-extra-args": arguments,
		"--kube-controller-manager-extra-args": arguments, "--data-dir": dir, "--kubelet-root-dir": dir,
		"--cidr-range":              {form: listOf(`[0-9A-Fa-f.:]+/[0-9]+`), says: "networks such as 10.96.0.0/12"},
		"--config":                  {form: pathBy(ConfigFile), says: "a YAML file in /etc/k0s"},
		"--cri-socket":              {form: isRuntime, says: "remote:/run/containerd/containerd.sock"},
		"--debugListenOn":           {form: isEndpoint, says: "an address such as 127.0.0.1:6060"},
		"--disable-components":      {form: listOf(strings.Join(components(), "|")), says: "components: " + strings.Join(components(), ", ")},
		"--env":                     {form: matching(`[A-Za-z_][A-Za-z0-9_]*(=.*)?`), says: "NAME=value"},
		"--feature-gates":           {form: listOf(`[A-Za-z0-9]+=(true|false)`), says: "gates such as A=true,B=false"},
		"--iptables-mode":           {form: matching(`nft|legacy|auto|`), says: "nft, legacy or auto"},
		"--k0s-cloud-provider-port": {form: isPort, says: "a port"},
		"--labels":                  {form: listOf(`[A-Za-z0-9][-A-Za-z0-9._/]*(=[-A-Za-z0-9._]*)?`), says: "labels such as a=b,c=d"},
		"--logging":                 {form: listOf(`\[?[a-z][-a-z0-9]*=[A-Za-z0-9]+\]?`), says: "levels such as kubelet=2,etcd=debug"},
		"--profile":                 {form: matching(`[A-Za-z0-9][-A-Za-z0-9._]*`), says: "the name of a worker profile"},
		"--status-socket":           {form: func(v string) bool { return v == "" || isSocket(v) }, says: "a socket below /run"},
		"--taints": {form: listOf(`[A-Za-z0-9][-A-Za-z0-9._/]*(=[-A-Za-z0-9._]*)?:(NoSchedule|PreferNoSchedule|NoExecute)`),
			says: "taints such as a=b:NoSchedule; others are NoExecute and PreferNoSchedule"},
		"--token-file": {form: pathBy(TokenFile), says: "a file in /etc/k0s, /run or /var/lib/k0s"},
	}
}

// components are those that k0s can be told to leave out, of all versions that kiban supports. It does not start with another name.
func components() []string {
	return []string{"applier-manager", "autopilot", "control-api", "coredns", "csr-approver", "endpoint-reconciler", "helm",
		"konnectivity-server", "kube-controller-manager", "kube-proxy", "kube-scheduler", "kubelet-config", "metrics-server",
		"network-provider", "node-role", "system-rbac", "update-prober", "windows-node", "worker-config"}
}

// ForControllers reports whether `k0s install controller` knows a flag, and `k0s install worker` does not.
func ForControllers(flag string) bool {
	return slices.Contains([]string{"--api-server-stop-timeout", "--disable-components", "--enable-dynamic-config",
		"--enable-k0s-cloud-provider", "--enable-metrics-scraper", "--enable-worker", "--init-only", "--k0s-cloud-provider-port",
		"--k0s-cloud-provider-update-frequency", "--kube-controller-manager-extra-args", "--no-taints", "--single"}, flag)
}

// shortFlags are those that k0s has a letter for.
func shortFlags() map[string]string {
	return map[string]string{"-c": "--config", "-d": "--debug", "-e": "--env", "-l": "--logging", "-s": "--status-socket", "-v": "--verbose"}
}

// Joined are the entries of installFlags with the value of a flag that stands in an entry of its own behind it.
func Joined(entries []string) []string {
	out := make([]string, 0, len(entries))
	for _, entry := range entries {
		if n := len(out); n > 0 && takesValue(out[n-1]) && !strings.HasPrefix(strings.TrimSpace(entry), "-") {
			out[n-1] += "=" + strings.TrimSpace(entry)
			continue
		}
		out = append(out, entry)
	}
	return out
}

// takesValue reports whether an entry is a flag alone that needs a value.
func takesValue(entry string) bool {
	name, _, given := split(entry)
	if long, ok := shortFlags()[name]; ok {
		name = long
	}
	f, known := installFlags()[name]
	return known && !given && !f.bare
}

// InstallFlag judges one of the Joined entries of installFlags, as it is written: "--flag", "--flag=value" or "--flag value", the value in
// quotes or not. A path that own holds for is allowed, too; nil holds for none.
func InstallFlag(entry string, own func(path string) bool) Refusal {
	name, value, given := split(entry)
	if long, ok := shortFlags()[name]; ok {
		name = long
	}
	f, known := installFlags()[name]
	switch {
	case !strings.HasPrefix(name, "-"):
		return Refusal{fmt.Sprintf("%q is no flag", entry), "Each entry of installFlags is one flag, with its value.", "Write `--flag=value`."}
	case !known:
		return Refusal{fmt.Sprintf("`k0s install` is not to be given %s", name), "It is none of the flags that kiban knows to describe a " +
			"machine only.",
			"The flags are: " + strings.Join(flagNames(), ", ") + "."}
	case !given && f.bare:
		return Refusal{}
	case !given:
		return Refusal{name + " has no value", "", "Its value is " + f.says + "."}
	case !printable(value), !f.form(value) && (own == nil || !own(value)):
		return Refusal{fmt.Sprintf("%s can't be %q", name, value), "", "Its value is " + f.says + "."}
	}
	return Refusal{}
}

// Flag is the name, in full, and the value of one of the Joined entries of installFlags.
func Flag(entry string) (name, value string) {
	name, value, _ = split(entry)
	if long, ok := shortFlags()[name]; ok {
		name = long
	}
	return name, value
}

// split takes an entry apart.
func split(entry string) (name, value string, given bool) {
	entry = strings.TrimSpace(entry)
	i := strings.IndexAny(entry, "= ")
	if i < 0 {
		return entry, "", false
	}
	return entry[:i], unquoted(strings.TrimSpace(entry[i+1:])), true
}

func flagNames() []string {
	var names []string
	for name := range installFlags() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
