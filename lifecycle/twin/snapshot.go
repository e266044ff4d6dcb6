package twin

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// SnapshotFormat is the version of Snapshot's JSON form. Readers refuse another major.
const SnapshotFormat = "1.0"

// Snapshot is a site as it was at one moment, as far as a twin needs it: plain data, and no secret's value.
type Snapshot struct {
	Format string    `json:"format"`
	Site   string    `json:"site"`
	Taken  time.Time `json:"taken"`
	// Documents are what the site declares, as kustomize merges it.
	Documents []byte `json:"documents"`
	// Machines are the declared ones that are members, controllers first.
	Machines []SiteMachine `json:"machines"`
	// Objects are all that the API keeps, without values of Secrets.
	Objects []Object `json:"objects"`
	// Unread says what of the API could not be read.
	Unread []string `json:"unread,omitempty"`
	// Plan is the site's own plan, to what is rehearsed; Runs are its past runs, which tell how long steps take there.
	Plan lifecycle.Plan        `json:"plan"`
	Runs []lifecycle.RunRecord `json:"runs,omitempty"`
	// Addons are those that are installed, and that the site declares.
	Addons []SiteAddon `json:"addons,omitempty"`
	// Owners are tenants and addons by the namespaces that are theirs.
	Owners map[string]string `json:"owners,omitempty"`
}

// SiteMachine is one machine of the site.
type SiteMachine struct {
	Name string         `json:"name"`
	Role lifecycle.Role `json:"role"`
	// Version is the one that it is at.
	Version lifecycle.Version `json:"version"`
	Arch    string            `json:"arch,omitempty"`
	// Staged are the versions of k0s that wait on it to be installed.
	Staged []lifecycle.Version `json:"staged,omitempty"`
	// Addresses are those by which the declaration calls it.
	Addresses []string `json:"addresses,omitempty"`
}

// Object is one object of the API, as it is stored.
type Object map[string]any

// ParseObject reads an object's JSON.
func ParseObject(b []byte) (Object, error) {
	var o Object
	err := json.Unmarshal(b, &o)
	return o, err
}

func (o Object) kind() string { return text(o, "kind") }
func (o Object) name() string { return text(o, "metadata", "name") }

func (o Object) namespace() string { return text(o, "metadata", "namespace") }

// group is the API group, "" for the core one.
func (o Object) group() string { return o.ref().Group() }

func (o Object) ref() lifecycle.ObjectRef {
	return lifecycle.ObjectRef{APIVersion: text(o, "apiVersion"), Kind: o.kind(), Namespace: o.namespace(), Name: o.name()}
}

// strings are the texts of a mapping, such as labels.
func (o Object) strings(path string) map[string]string {
	m, _ := lookupPath(o, path).(map[string]any)
	out := make(map[string]string, len(m))
	for k, v := range m {
		if s, ok := v.(string); ok {
			out[k] = s
		}
	}
	return out
}

// annotate adds an annotation to what has metadata, unless it has one of that name.
func annotate(of map[string]any, name, value string) {
	meta := within(of, "metadata")
	annotations := within(meta, "annotations")
	if _, has := annotations[name]; !has {
		annotations[name] = value
	}
}

// within is the mapping of a field, made where there is none.
func within(m map[string]any, field string) map[string]any {
	in, ok := m[field].(map[string]any)
	if !ok {
		in = map[string]any{}
		m[field] = in
	}
	return in
}

// owner is the controller among an object's owners; nil where there is none.
func (o Object) owner() map[string]any {
	list, _ := lookupPath(o, "metadata.ownerReferences").([]any)
	for _, r := range list {
		if ref, ok := r.(map[string]any); ok && ref["controller"] == true {
			return ref
		}
	}
	return nil
}

// Releases are the versions of k0s that a twin needs: those that machines have, and those on the way.
func (s Snapshot) Releases() []lifecycle.Version {
	var out []lifecycle.Version
	add := func(v lifecycle.Version) {
		for _, has := range out {
			if has == v {
				return
			}
		}
		if !v.IsZero() {
			out = append(out, v)
		}
	}
	for _, m := range s.Machines {
		add(m.Version)
		for _, v := range m.Staged {
			add(v)
		}
	}
	for _, v := range s.Plan.Hops {
		add(v)
	}
	add(s.Plan.Target)
	return out
}

// Lowest is the lowest version that a machine has.
func (s Snapshot) Lowest() lifecycle.Version {
	var low lifecycle.Version
	for _, m := range s.Machines {
		if low.IsZero() || m.Version.Less(low) {
			low = m.Version
		}
	}
	return low
}

func (s Snapshot) controllers() (n int) {
	for _, m := range s.Machines {
		if m.Role.IsController() {
			n++
		}
	}
	return n
}

// Addresses are those by which the declaration calls its machines.
func (s Snapshot) Addresses() map[string]string {
	out := map[string]string{}
	for _, m := range s.Machines {
		for _, a := range m.Addresses {
			out[a] = m.Name
		}
	}
	return out
}

// Encode writes a snapshot as it is kept.
func (s Snapshot) Encode() ([]byte, error) { return json.Marshal(s) }

// Decode reads a snapshot that was kept.
func Decode(file string, b []byte) (Snapshot, error) {
	var s Snapshot
	err := json.Unmarshal(b, &s)
	why := "It names no site."
	if err != nil {
		why = "It can't be read as one: " + err.Error() + "."
	}
	if err != nil || s.Site == "" {
		return s, lifecycle.Errorf(file, "this is no snapshot of a site").Because(why).Hiding(err).
			Try("kiban rehearse SITE --save FILE writes one.")
	}
	if !lifecycle.SameMajor(s.Format, SnapshotFormat) {
		return s, lifecycle.Errorf(file, "another kiban wrote this snapshot").
			Because(fmt.Sprintf("It has the format %q; this kiban reads %s.", s.Format, SnapshotFormat)).
			Try("Use the kiban that wrote it, or take the snapshot again.")
	}
	return s, nil
}

// nodes are the Node objects by name, in lower case.
func (s Snapshot) nodes() map[string]Object {
	out := map[string]Object{}
	for _, o := range s.Objects {
		if o.kind() == "Node" && o.group() == "" {
			out[strings.ToLower(o.name())] = o
		}
	}
	return out
}

// LabMachines are the machines of the lab that stands for the site.
func (s Snapshot) LabMachines() []Machine {
	nodes := s.nodes()
	var out []Machine
	for _, m := range s.Machines {
		l := Machine{Name: m.Name, Role: "worker"}
		if m.Role.IsController() {
			l.Role = "controller"
		}
		if n, ok := nodes[m.Name]; ok {
			l.Zone = n.strings("metadata.labels")["topology.kubernetes.io/zone"]
			l.Capacity, l.Allocatable = n.strings("status.capacity"), n.strings("status.allocatable")
		}
		if m.Arch == "amd64" || m.Arch == "arm64" {
			l.Arch = m.Arch
		}
		out = append(out, l)
	}
	return out
}

// nodePatch is what a node of the twin gets of the site's: labels and taints that its kubelet does not bring, and a foreign cordon.
func nodePatch(n Object) map[string]any {
	labels := map[string]any{}
	for name, value := range n.strings("metadata.labels") {
		if name != "kubernetes.io/hostname" {
			labels[name] = value
		}
	}
	spec := map[string]any{}
	var taints []any
	given, _ := lookupPath(n, "spec").(map[string]any)
	list, _ := given["taints"].([]any)
	for _, t := range list {
		if taint, ok := t.(map[string]any); ok && !strings.HasPrefix(text(taint, "key"), "node.kubernetes.io/") {
			delete(taint, "timeAdded")
			taints = append(taints, taint)
		}
	}
	if len(taints) > 0 {
		spec["taints"] = taints
	}
	if n.cordoned() {
		spec["unschedulable"] = true
	}
	return map[string]any{"metadata": map[string]any{"labels": labels}, "spec": spec}
}

// cordoned reports whether a node is closed by somebody else than kiban.
func (o Object) cordoned() bool {
	_, ours := o.strings("metadata.annotations")[lifecycle.AnnotationCordonedBy]
	given, _ := lookupPath(o, "spec").(map[string]any)
	return given["unschedulable"] == true && !ours
}
