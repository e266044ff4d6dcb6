package lifecycle

import (
	"cmp"
	"strings"
	"time"
)

// API is how long Kubernetes serves one kind in one version of its group.
type API struct {
	Group    string `json:"group,omitempty"`
	Version  string `json:"version"`
	Kind     string `json:"kind"`
	Resource string `json:"resource"`
	// Introduced, Deprecated and Removed are minor releases, "1.25"; Removed is the first that does not serve it.
	Introduced string `json:"introduced,omitempty"`
	Deprecated string `json:"deprecated,omitempty"`
	Removed    string `json:"removed"`
	// Replacement is what Kubernetes names as its successor, "apps/v1 Deployment"; "" where there is none.
	Replacement string `json:"replacement,omitempty"`
	// Begins is the first minor release that serves the successor; "" where that is not known, or long ago.
	Begins string `json:"begins,omitempty"`
}

// GroupVersion is what objects have as their apiVersion.
func (a API) GroupVersion() string { return strings.TrimPrefix(a.Group+"/"+a.Version, "/") }

// String names it for people: "networking.k8s.io/v1beta1 Ingress".
func (a API) String() string { return a.GroupVersion() + " " + a.Kind }

// APIEvidence is what a site was asked about the versions of Kubernetes' API that it uses, by four witnesses.
type APIEvidence struct {
	// Requests are what each API server counts of requests for deprecated APIs, one answer a server.
	Requests []From[[]APIRequest]
	// Kept is what the cluster keeps of that from before API servers were restarted.
	Kept Answer[[]APIRequest]
	// Calls are what the audit log of each controller tells of such requests; none where the site declares no audit log.
	Calls []From[[]APICall]
	// Writes are what objects tell of who wrote them, and by which API.
	Writes Answer[APIWrites]
	// Releases are the Helm releases whose manifests have such APIs.
	Releases Answer[ReleaseAPIs]
	// Declared are the objects of each unit of the repository, as far as they are of such APIs.
	Declared []From[[]DeclaredAPI]
}

// From is an answer together with who gave it: a host, a unit.
type From[T any] struct {
	Name string
	Answer[T]
}

// APIRequest is that an API server was asked for a deprecated API. Servers count requests from their start on.
type APIRequest struct {
	Group       string `json:"group,omitempty"`
	Version     string `json:"version"`
	Resource    string `json:"resource"`
	Subresource string `json:"subresource,omitempty"`
	// Removed is the release that no longer serves it, as the server says; "" where it names none.
	Removed string `json:"removed,omitempty"`
	// Count is how many requests the server has counted since its start; 0 where it does not tell.
	Count int64 `json:"count,omitempty"`
	// Server is the host of the API server.
	Server string `json:"server"`
	// Since and Until are between which times the last request came: the server's start, or an earlier reading of a lower count; and the
	// reading that first had the count.
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
	// Start is when the server started, Read when it was read last.
	Start time.Time `json:"start,omitzero"`
	Read  time.Time `json:"read,omitzero"`
	// Own is when a reading last found that kiban asked for it itself: it tries what is declared, and reads what it applied.
	Own time.Time `json:"own,omitzero"`
}

// Itself is the name under which kiban asks an API and writes to it: its user agent, and the manager of fields.
const Itself = "kiban"

// MayBeOwn reports whether the last request may have been kiban's own: kiban still asked for it at the beginning of the time in which the
// request came, or after that. Of a request that came later, kiban is not the one who asked.
func (r APIRequest) MayBeOwn() bool { return !r.Own.IsZero() && !r.Since.After(r.Own) }

// Same reports whether both are of the same API and server.
func (r APIRequest) Same(o APIRequest) bool { return r.key() == o.key() }

func (r APIRequest) key() [5]string {
	return [5]string{r.Server, r.Group, r.Version, r.Resource, r.Subresource}
}

// Compare orders requests by API and server.
func (r APIRequest) Compare(o APIRequest) int {
	a, b := r.key(), o.key()
	return cmp.Or(cmp.Compare(a[1], b[1]), cmp.Compare(a[2], b[2]), cmp.Compare(a[3], b[3]), cmp.Compare(a[4], b[4]), cmp.Compare(a[0], b[0]))
}

// APICall is a request for a deprecated API that an audit log tells of: the last one of its kind.
type APICall struct {
	Group     string
	Version   string
	Resource  string
	Namespace string
	// User is who asked, Agent with what.
	User, Agent string
	Verb        string
	// Removed is the release that no longer serves it, as the server says.
	Removed string
	Last    time.Time
	Count   int
}

// APIWrites are what objects tell of the APIs by which they were written.
type APIWrites struct {
	// Objects is how many objects of how many Kinds were looked at.
	Objects, Kinds int
	Writes         []APIWrite
	// More is how many further writes are not listed.
	More int
	// Teams are the team labels of namespaces, by name.
	Teams map[string]string
}

// APIWrite is that somebody wrote an object by a deprecated API.
type APIWrite struct {
	Object ObjectRef
	// API is by which it was written: Object's own is the one that it was read by.
	API string
	// Manager is who wrote it, as the API server notes it: "kubectl-client-side-apply". Applied says that it is what kubectl keeps of the
	// manifest that was applied last.
	Manager string
	Applied bool
	At      time.Time
	// Team is the object's team label, Release the namespace of the Helm release that it is of; "" where it is of none.
	Team, Release string
}

// ReleaseAPIs are the Helm releases of a cluster, as far as their manifests have deprecated APIs.
type ReleaseAPIs struct {
	// Looked is how many releases were looked at.
	Looked   int
	Releases []ReleaseAPI
	// Unread are releases that can't be read, each with the reason.
	Unread []Unseen
}

// ReleaseAPI is a Helm release whose latest manifest has objects of deprecated APIs.
type ReleaseAPI struct {
	Namespace, Name string
	Revision        int
	// Chart is its name and version: "shop-1.2.0".
	Chart   string
	Objects []ObjectRef
}

// DeclaredAPI is a declared object of a deprecated API.
type DeclaredAPI struct {
	ObjectRef
	// Source is where it was declared, "file:line", or what it was made from.
	Source string
	Team   string
	// Later says that it is declared so once the target runs, and not as things are now: a chart may ask which versions there are.
	Later bool
}
