package lifecycle

import (
	"strconv"
	"strings"
	"time"
)

// Site is what one overlay declares, after the merge.
type Site struct {
	// Name is the overlay's folder name. It must be the metadata.name of the Site document.
	Name   string            `json:"name"`
	Labels map[string]string `json:"labels,omitempty"`
	// Wave orders sites in a fleet rollout: lower waves first.
	Wave int `json:"wave"`
	// Dir is the overlay's absolute folder; relative paths in its documents are resolved against it.
	Dir string `json:"-"`
	// Beside is the folder of the fleet that an earlier revision was read from into a folder of its own: what git does not hold lies there.
	// "" is a fleet that was read where it is.
	Beside  string   `json:"-"`
	Cluster Cluster  `json:"cluster"`
	Policy  Policy   `json:"policy"`
	SSH     SSH      `json:"ssh"`
	API     Access   `json:"api"`
	Binary  Binaries `json:"binaries"`
	Backup  Backups  `json:"backup"`
	// Promotion is what the site waits for before it takes a version.
	Promotion Promotion `json:"promotion,omitzero"`
	// Rehearse says which plans are rehearsed in their merge requests.
	Rehearse Rehearse `json:"rehearse,omitzero"`
	// Provider is who runs the machines. A site of ProviderExternal has no hosts and no Cluster document.
	Provider Provider `json:"provider"`
	Platform Platform `json:"platform"`
	// Addons and Tenants are sorted by name. Objects are the other documents beside the cluster, in the order of the build, but for those
	// that an annotation ties to an addon.
	Addons  []Addon    `json:"addons,omitempty"`
	Tenants []Tenant   `json:"tenants,omitempty"`
	Objects []Document `json:"objects,omitempty"`
	// Fleet is what the fleet's owners allow all sites; it is not the overlay's to say.
	Fleet Fleet `json:"fleet,omitzero"`
	// Pins are those of the lock file beside the overlay; nil when there is none.
	Pins *Pins `json:"pins,omitempty"`
	// Revision is the git commit the overlay was read at, with "-dirty" when the work tree differs; empty outside a repository.
	Revision string `json:"revision,omitempty"`
	// Digest identifies the merged declaration: sha256 over the built documents, "sha256:<hex>".
	Digest string `json:"digest"`
}

// Cluster is the k0sctl Cluster document of a site and what kiban has to know of it.
type Cluster struct {
	Name string `json:"name"`
	// Document is the merged k0sctl document. It is opaque here: package k0s parses it afresh for every operation, so that
	// nothing observed can leak into what is desired.
	Document []byte  `json:"-"`
	Version  Version `json:"version"`
	// Hosts are in a stable order: controllers before workers, each in the order of the documents that declared them.
	Hosts []Host `json:"hosts"`
	// DynamicConfig says that spec of k0s lives in the cluster; then k0s.yaml holds only what is node-local.
	DynamicConfig bool `json:"dynamicConfig,omitempty"`
	// Config is what of it is to be in the cluster then, {"spec": ...} as JSON with sorted keys; nil where the document leaves the
	// configuration to k0s, and where it is not dynamic.
	Config []byte `json:"-"`
	// Images are what the document says of k0s's own images, sorted by path.
	Images []ImageSetting `json:"-"`
	// Lines are where the fields of k0s's configuration stand, by their paths in it: "spec.api.extraArgs.audit-log-path".
	Lines Lines `json:"-"`
}

// ImageSetting is one value below spec.images of k0s's configuration.
type ImageSetting struct {
	// Path is where it is in that configuration: "spec.images.coredns.version".
	Path, Value string
	// Source is where it was declared, "file:line".
	Source string
}

// Role is what a host does in the cluster, in k0sctl's words.
type Role string

const (
	RoleController       Role = "controller"
	RoleControllerWorker Role = "controller+worker"
	RoleSingle           Role = "single"
	RoleWorker           Role = "worker"
)

// IsController reports whether the host runs the control plane.
func (r Role) IsController() bool { return r != RoleWorker && r != "" }

// RunsWorkloads reports whether the host has a kubelet, so that it must be drained before it is touched.
func (r Role) RunsWorkloads() bool { return r != RoleController && r != "" }

// Host is one machine of a site, as declared.
type Host struct {
	// Name is the k0sctl hostname, lower case: the key that overlays merge by, and the Kubernetes node name.
	Name string `json:"name"`
	Role Role   `json:"role"`
	// Address is where SSH connects; PrivateAddress is what the cluster's members call each other by, if it differs.
	Address        string `json:"address"`
	PrivateAddress string `json:"privateAddress,omitempty"`
	Port           int    `json:"port"`
	User           string `json:"user"`
	// Program is where k0s is to lie on the host: "/usr/local/bin/k0s", or what the document says (k0sInstallPath). Compare with
	// HostState.Program.
	Program string `json:"program,omitempty"`
	// Arguments are the normalised "--flag=value" arguments that `k0s install` is to be given, sorted; join tokens are not
	// among them. Compare with HostState.Arguments.
	Arguments []string `json:"arguments,omitempty"`
	// Environment identifies the variables that the host's k0s service is to be given, "sha256:<hex>"; "" where none are declared. Compare
	// with HostState.Environment.
	Environment string `json:"-"`
	// Config is the k0s.yaml that this controller is to have, as JSON with sorted keys; nil on workers, and nil where the
	// document leaves the configuration to k0s's default.
	Config []byte `json:"-"`
	// ConfigDigest is "sha256:<hex>" of Config, "" when Config is nil.
	ConfigDigest string `json:"configDigest,omitempty"`
	// Files are those that the host is to have, sorted by path.
	Files []HostFile `json:"files,omitempty"`
	// Unseen are fields that are declared and leave nothing on the machine that could be compared: "hooks".
	Unseen []string `json:"-"`
	// Reset asks for the host's removal from the cluster (k0sctl's reset: true).
	Reset bool `json:"reset,omitempty"`
	// HostKeys identifies the keys that known_hosts has for the host, "sha256:<hex>"; "" where it has none.
	HostKeys string `json:"-"`
	// Source is where the host was declared, "file:line", for diagnostics.
	Source string `json:"source,omitempty"`
}

// ClusterAddress is the address the other members use: the private one where there is one.
func (h Host) ClusterAddress() string {
	if h.PrivateAddress != "" {
		return h.PrivateAddress
	}
	return h.Address
}

// Host finds a declared host by name.
func (c Cluster) Host(name string) (Host, bool) {
	for _, h := range c.Hosts {
		if h.Name == name {
			return h, true
		}
	}
	return Host{}, false
}

// Controllers are the hosts that run the control plane and are to stay, in order.
func (c Cluster) Controllers() []Host {
	return c.filter(func(h Host) bool { return h.Role.IsController() && !h.Reset })
}

// Workers are the plain worker hosts that are to stay, in order. A controller+worker is not among them.
func (c Cluster) Workers() []Host {
	return c.filter(func(h Host) bool { return h.Role == RoleWorker && !h.Reset })
}

func (c Cluster) filter(keep func(Host) bool) []Host {
	var hs []Host
	for _, h := range c.Hosts {
		if keep(h) {
			hs = append(hs, h)
		}
	}
	return hs
}

// SSH is how every host of the site is reached where the k0sctl document does not say otherwise.
type SSH struct {
	// User logs in; one that is not root needs sudo without a password. Default root.
	User string `json:"user,omitempty"`
	// Port is where sshd listens. Default 22.
	Port int `json:"port,omitempty"`
	// KeyPath is the private key's file. Empty: the agent's keys and the usual files.
	KeyPath string `json:"keyPath,omitempty"`
	// KnownHosts is the absolute path of the file that host keys are checked against. Strict: an unknown key is an error.
	KnownHosts string `json:"knownHosts,omitempty"`
	// ConnectTimeout bounds one connection attempt (default 10 s); KeepAlive is the interval of liveness probes (default 5 s, dead
	// after three unanswered).
	ConnectTimeout time.Duration `json:"connectTimeout,omitempty"`
	KeepAlive      time.Duration `json:"keepAlive,omitempty"`
}

// Access is how the Kubernetes API is reached.
type Access struct {
	// ViaSSH tunnels through the controllers' SSH; otherwise the API is dialled directly.
	ViaSSH bool `json:"viaSSH,omitempty"`
	// Endpoint overrides where a direct connection goes ("https://api.tokyo.example:6443"). Empty: the controllers, each in turn.
	Endpoint string `json:"endpoint,omitempty"`
	// Kubeconfig is where a kubeconfig is found, for a site of ProviderExternal; Context is the one of its contexts to use, "" its current.
	Kubeconfig SecretSource `json:"kubeconfig,omitzero"`
	Context    string       `json:"context,omitempty"`
	// ClusterUID, when it is set, is the UID of the kube-system namespace that the cluster must have.
	ClusterUID string `json:"clusterUID,omitempty"`
}

// Where k0s publishes its releases; used where a site names no other source. A mirror in the Site takes their place.
const (
	ReleaseURL       = "https://github.com/k0sproject/k0s/releases/download/{version}/k0s-{version}-{arch}"
	ReleaseChecksums = "https://github.com/k0sproject/k0s/releases/download/{version}/sha256sums.txt"
)

// Binaries is where k0s comes from. {version} and {arch} are replaced in URLs and paths; a relative path is resolved against the overlay.
type Binaries struct {
	// URL is http(s), or a path to a folder on the machine that runs kiban.
	URL string `json:"url"`
	// Checksums is the sha256sums file beside the binaries, in the same form.
	Checksums string `json:"checksums"`
	// SHA256 pins checksums in the repository, by "<version>/<arch>"; it wins over Checksums.
	SHA256 map[string]string `json:"sha256,omitempty"`
}

// Backups is how backups of the control plane are kept.
type Backups struct {
	// Recipients are the age public keys ("age1...") that backups are encrypted to; any one of their private keys opens them. None: not
	// encrypted, though a backup holds the keys of the cluster's CA and every Secret.
	Recipients []string `json:"recipients,omitempty"`
	// Keep is how many backups stay. Default 10; 0 is no limit. The newest always stays.
	Keep int `json:"keep"`
	// KeepFor is how long a backup stays. Default 720h, 30 days; 0 is no limit. The newest always stays, and so does the newest of the
	// version before its own while that is the way back from the last upgrade.
	KeepFor time.Duration `json:"keepFor"`
	// To is where each backup goes beside the machine that runs kiban, so that it outlives that. A backup counts as taken when all of them
	// have it and have given it back unaltered.
	To []BackupTo `json:"to,omitempty"`
	// Proven is how long ago a backup may at most have been restored in a lab before controllers change. 0: none need have been.
	Proven time.Duration `json:"proven,omitempty"`
}

// Policy is how a site may be changed.
type Policy struct {
	// Path holds the exact version of each intermediate hop, for upgrades over more than one minor release.
	Path []Version `json:"path,omitempty"`
	// ControlPlane is how controllers go to another minor release.
	ControlPlane TwoStep `json:"controlPlane,omitzero"`

	Workers Rollout `json:"workers"`
	Drain   Drain   `json:"drain"`
	Settle  Settle  `json:"settle"`
	// Windows are when nodes may be disturbed, and pods of addons restarted; none means always.
	Windows []Window `json:"windows,omitempty"`
	// Probes are HTTP or HTTPS addresses that must answer while nodes are disturbed: before each node, and all the while that nodes are
	// out. Answers are the codes from 200 to 399; a redirect is an answer and is not followed. A loss stops the rollout.
	Probes []string `json:"probes,omitempty"`
	// Accept are findings of readiness that are known and no longer in the way.
	Accept []Accepted `json:"accept,omitempty"`
}

// Accepted is a finding of readiness that the site's owners know of and take, for one minor release.
type Accepted struct {
	// Finding is its rule, "removed-api", and Subject what it is about, as `kiban ready` names both.
	Finding string `json:"finding"`
	Subject string `json:"subject"`
	// For is the release that it is taken for: a minor release, which is a Version without patch, or an exact one. A later release asks again.
	For Version `json:"for"`
	// Because says why, to whoever reviews it.
	Because string `json:"because"`
}

// Takes reports whether it is that finding, for a site that goes to that version.
func (a Accepted) Takes(f ReadinessFinding, to Version) bool {
	return a.Finding == f.Rule && a.Subject == f.Subject && (a.For == to || a.For.Patch == 0 && a.For.Build == 0 && a.For.MinorsAhead(to) == 0)
}

// Rollout is how many workers may be out of service at once, and which first.
type Rollout struct {
	// MaxUnavailable is a count ("4") or a share ("25%", rounded down, at least one). Default "1".
	MaxUnavailable string `json:"maxUnavailable"`
	// FailureDomain is the node label whose values are domains (racks, rooms): nodes of one domain at a time. Empty: no domains.
	FailureDomain string `json:"failureDomain,omitempty"`
	// Canary is how many workers go first, one by one, before the window opens. Default 1; 0 for none.
	Canary int `json:"canary"`
}

// AtOnce is how many of n nodes may be out of service at once. It is at least one.
func (r Rollout) AtOnce(n int) int {
	w := 1
	if p, ok := strings.CutSuffix(r.MaxUnavailable, "%"); ok {
		if v, err := strconv.Atoi(p); err == nil {
			w = n * v / 100
		}
	} else if v, err := strconv.Atoi(r.MaxUnavailable); err == nil {
		w = v
	}
	return max(1, w)
}

// Drain is how a node's pods are moved away, with kubectl drain's meanings.
type Drain struct {
	// Timeout bounds the whole drain of one node. Default 10 min.
	Timeout time.Duration `json:"timeout"`
	// GracePeriod overrides the pods' own termination grace period when positive.
	GracePeriod time.Duration `json:"gracePeriod,omitempty"`
	// DeleteEmptyDirData allows eviction of pods with emptyDir volumes. Default true.
	DeleteEmptyDirData bool `json:"deleteEmptyDirData"`
	// Force allows deletion of pods that no controller would create again. Default false.
	Force bool `json:"force,omitempty"`
	// EvictionRetry is the pause before an eviction that a budget refused is tried again. Default 2 s. Never 0: kubectl's
	// library would then retry without a pause.
	EvictionRetry time.Duration `json:"evictionRetry"`
}

// Settle is what must hold after a node is back before the next one may go.
type Settle struct {
	// NodeTimeout bounds the wait for a restarted node or controller to be well. Default 5 min.
	NodeTimeout time.Duration `json:"nodeTimeout"`
	// StableFor is how long a restarted service must have run without another restart. Default 5 s.
	StableFor time.Duration `json:"stableFor"`
	// Timeout bounds the wait for budgets and daemon sets to be whole again. Default 10 min.
	Timeout time.Duration `json:"timeout"`
	// Reconnect is how long k0s has run on a site's only controller, at least, before pods move away from a node. Default 90 s: a client of
	// the API that has lost its watch tries again after up to a minute (client-go, tools/cache, NewReflectorWithOptions: 30 s, doubled by
	// jitter), and k0s's API server is there half a minute after k0s. 0: it is not waited for.
	Reconnect time.Duration `json:"reconnect"`
}

// Window is a weekly span of time in which nodes may be disturbed.
type Window struct {
	Days []time.Weekday `json:"days,omitempty"` // none: every day
	// Start and End are minutes after midnight, "22:30" in a document; an End at or before Start is on the next day.
	Start int `json:"start"`
	End   int `json:"end"`
	// TimeZone is where Start and End are read, "Asia/Tokyo".
	TimeZone string `json:"timeZone"`
}

// Document is one declared object that is not the cluster itself.
type Document struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace,omitempty"`
	Name       string `json:"name"`
	YAML       []byte `json:"-"`
	Source     string `json:"source,omitempty"`
}

// Production reports whether the site is what people depend on: it is labelled tier: production.
func (s Site) Production() bool { return s.Labels["tier"] == "production" }
