package lifecycle

import "time"

// AnnotationAddon on an object ties it to an addon: it is applied after the addon is healthy, and pruned with it.
const AnnotationAddon = "kiban.dev/addon"

// Addon is what a site runs beside Kubernetes: a Helm chart or manifests, and the objects that are tied to it.
type Addon struct {
	// Name is the document's metadata.name: the key that overlays patch by.
	Name string `json:"name"`
	// Namespace is where what names no namespace goes. It is made when it is not there.
	Namespace string `json:"namespace"`
	// Chart is the Helm chart to install; nil when Manifests are applied instead.
	Chart *Chart `json:"chart,omitempty"`
	// Manifests are files of Kubernetes objects: https URLs, or paths relative to the overlay.
	Manifests []string `json:"manifests,omitempty"`
	// DependsOn names the addons that must be healthy before this one is touched.
	DependsOn []string `json:"dependsOn,omitempty"`
	// Secrets are Secret objects that the addon needs and that the repository does not hold.
	Secrets []Secret `json:"secrets,omitempty"`
	// Ignore are fields that are not compared, because something in the cluster writes them or each rendering makes another value.
	Ignore []Ignore `json:"ignore,omitempty"`
	// Timeout bounds the wait for the addon's health after a change. Default 10 min.
	Timeout time.Duration `json:"timeout"`
	// Objects are the objects beside it that its annotation ties to it, in the order of the build.
	Objects []Document `json:"objects,omitempty"`
	Source  string     `json:"source,omitempty"`
	// Lines are where the fields of its spec stand.
	Lines Lines `json:"-"`
}

// Unit is the name of the addon's unit.
func (a Addon) Unit() string { return UnitAddon + a.Name }

// Chart is a Helm chart and the release that it becomes.
type Chart struct {
	// Repo is where the chart comes from: the https URL of a chart repository, the oci:// URL of a registry's folder, or the path of
	// a folder, relative to the overlay, that holds <name>/Chart.yaml or <name>-<version>.tgz.
	Repo string `json:"repo"`
	// Name is the chart's.
	Name string `json:"name"`
	// Version is exact: "0.16.2", not a range.
	Version string `json:"version"`
	// Release is the Helm release's name. Default: the addon's.
	Release string `json:"release"`
	// Values are given to the chart, over its own; as JSON with sorted keys.
	Values []byte `json:"-"`
}

// Secret is a Secret of an addon's namespace whose values the repository does not hold.
type Secret struct {
	Name string `json:"name"`
	// Keys say where each value comes from. Without any, the Secret must be in the cluster already.
	Keys map[string]SecretSource `json:"keys,omitempty"`
	// Labels are put on the Secret.
	Labels map[string]string `json:"labels,omitempty"`
}

// SecretSource is where a secret value is found on the machine that runs kiban. Exactly one field is set.
type SecretSource struct {
	// Env is an environment variable that holds the value.
	Env string `json:"env,omitempty"`
	// File is a file that holds it, relative to the overlay.
	File string `json:"file,omitempty"`
	// FileEnv is an environment variable that names such a file, as GitLab's file variables do.
	FileEnv string `json:"fileEnv,omitempty"`
}

// String names the source for people: "$DATADOG_API_KEY".
func (s SecretSource) String() string {
	switch {
	case s.Env != "":
		return "$" + s.Env
	case s.FileEnv != "":
		return "the file that $" + s.FileEnv + " names"
	}
	return s.File
}

// Ignore is fields of one object, or of all objects of a kind, that are not compared.
type Ignore struct {
	Kind string `json:"kind"`
	// Name is the object's; empty for every object of the kind.
	Name string `json:"name,omitempty"`
	// Fields are paths as plans print them: "data.install_time", "webhooks[*].clientConfig.caBundle".
	Fields []string `json:"fields"`
}

// Capabilities are what a chart may ask of the cluster it is rendered for.
type Capabilities struct {
	// Kubernetes is the API's version, "v1.36.3".
	Kubernetes string `json:"kubernetes"`
	// APIs are the versions and kinds that it serves: "apps/v1", "apps/v1/Deployment". Empty: not known; a chart then sees those of
	// a plain cluster of that version.
	APIs []string `json:"-"`
}

// Capabilities are those of the Kubernetes version that a site declares; what an external one runs is not declared.
func (s Site) Capabilities() Capabilities {
	if s.Cluster.Version.IsZero() {
		return Capabilities{}
	}
	return Capabilities{Kubernetes: s.Cluster.Version.Kubernetes()}
}

// Rendering is what a chart makes of its values for a cluster.
type Rendering struct {
	// Objects are in the order of their installation, with the labels and annotations that Helm puts on a release's objects. Hooks are not
	// among them.
	Objects []Object
	// CRDs are those of the chart's crds folder, which Helm installs and never updates.
	CRDs []Object
	// Hooks are what Helm runs before or after the others, in order. Those of tests are not among them.
	Hooks []Hook
	// Volatile are the fields that two renderings of the same values gave different values.
	Volatile []FieldRef
	// KubeVersion is the range of Kubernetes versions that the chart says it is made for; "" where it says nothing. It is known of a chart
	// that is not made for the cluster, too, of which nothing else is.
	KubeVersion string
	// Digest is the chart archive's, "sha256:<hex>". AppVersion is what the chart says it installs.
	Digest     string
	AppVersion string
	// Images are the container images that the objects name, sorted.
	Images []string
}

// Hook is an object, mostly a Job, that Helm makes at some point of what it does to a release, and waits for.
type Hook struct {
	ObjectRef
	// When are Helm's names of those points: "pre-install", "post-upgrade".
	When []string
	// Digest identifies what is declared of it, without what differs at each rendering; "" where its name does.
	Digest string
}

// FieldRef is one field of one object.
type FieldRef struct {
	Object ObjectRef `json:"object"`
	Field  string    `json:"field"`
}

// Release is a Helm release as the cluster has it. Zero: there is none.
type Release struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	Chart     string `json:"chart"`
	Version   string `json:"version"`
	Revision  int    `json:"revision"`
	// Status is Helm's: deployed, failed, pending-upgrade.
	Status string `json:"status"`
	// Former is the newest revision that was deployed and whole before this one, 0 when there is none.
	Former int `json:"former,omitempty"`
	// KubeVersion is the range of Kubernetes versions that its chart says it is made for, AppVersion what that says it installs; "" where it
	// says nothing.
	KubeVersion string `json:"kubeVersion,omitempty"`
	AppVersion  string `json:"appVersion,omitempty"`
	// Objects are those of its manifest, Hooks those that Helm runs beside them.
	Objects []ObjectRef `json:"-"`
	Hooks   []Hook      `json:"-"`
}

// Pending reports whether an operation of Helm's was cut off.
func (r Release) Pending() bool {
	return r.Status == "pending-install" || r.Status == "pending-upgrade" || r.Status == "pending-rollback"
}
