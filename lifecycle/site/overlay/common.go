package overlay

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/api/types"
)

// The sites of a fleet have bases and components in common, and each changes little of what these make. kustomize makes it anew for each
// site. common is that part of an overlay, where it can be told apart: what the overlay's own files do then follows on a copy (share.go).
type common struct {
	// key is of everything that decides what comes of it: two overlays with the same key have it in common.
	key string
	// dir is the overlay's folder; resources are its bases, and components its components, relative to it.
	dir                   string
	resources, components []string
	// files are those that they are built from, and own the overlay's.
	files, own map[string][]byte
	// documents are the overlay's files of resources; patches are its own.
	documents []string
	patches   []types.Patch
	// targets are the kinds that patches of bases and components name as theirs.
	targets []string
}

// commonFields are the fields of a kustomization with which the part in common can be told apart: they name files, and patch what these
// hold. All others change names, or reach what the overlay adds itself.
func commonFields() []string {
	return []string{"apiVersion", "kind", "metadata", "openapi", "resources", "components", "patches", "replacements"}
}

// common tells the part of an overlay that others may have, too; false where it can't be told apart by the rules here, or nothing is left.
func (t *Tree) common() (common, bool) {
	c := common{}
	if t.own == nil || !t.own.usual() {
		return c, false
	}
	c.dir = t.own.dir
	for _, k := range t.kustomizations {
		if !k.plain() || (k != t.own && isBelow(c.dir, k.dir)) || (k != t.own && !k.targets(&c.targets)) {
			return c, false
		}
	}
	if !c.list(t) || !c.ownPatches(t) || len(c.resources)+len(c.components) == 0 {
		return c, false
	}
	c.files, c.own = map[string][]byte{}, map[string][]byte{}
	for file, b := range t.in.files {
		if ownAnnotation.Match(b) {
			return c, false
		}
		if isBelow(c.dir, file) {
			c.own[file] = b
		} else {
			c.files[file] = b
		}
	}
	c.key = c.digest()
	return c, true
}

// digest is of the folders in their order, and of all files.
func (c common) digest() string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %q\n", filepath.Dir(c.dir), c.resources, c.components)
	for _, file := range slices.Sorted(maps.Keys(c.files)) {
		fmt.Fprintf(h, "%q %d\n", file, len(c.files[file]))
		h.Write(c.files[file])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// usual reports whether the overlay's own kustomization is what kustomize takes it for, and only takes in and patches.
func (k *kustomization) usual() bool {
	kind, version := Text(Field(k.node, "kind")), Text(Field(k.node, "apiVersion"))
	return (kind == "" || kind == types.KustomizationKind) && (version == "" || version == types.KustomizationVersion) &&
		Field(k.node, "openapi") == nil && Field(k.node, "replacements") == nil
}

// plain reports whether a kustomization has no other fields than those that a part in common may have.
func (k *kustomization) plain() bool {
	for i := 0; i < len(k.node.Content); i += 2 {
		if !slices.Contains(commonFields(), k.node.Content[i].Value) {
			return false
		}
	}
	return true
}

// referring are the kinds that name others, or are named, by kustomize's table
// (api/internal/konfig/builtinpluginconsts/namereference.go). In the end it looks at all of them, whether names have changed or not.
func referring() []string {
	return []string{
		"APIService", "ClusterRole", "ClusterRoleBinding", "ConfigMap", "CronJob", "DaemonSet", "Deployment", "HorizontalPodAutoscaler",
		"Ingress", "IngressClass", "Job", "MutatingWebhookConfiguration", "Node", "PersistentVolume", "PersistentVolumeClaim", "Pod",
		"PodTemplate", "PriorityClass", "ReplicaSet", "ReplicationController", "Role", "RoleBinding", "Secret", "Service", "ServiceAccount",
		"StatefulSet", "StorageClass", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "ValidatingWebhookConfiguration",
	}
}

// ownAnnotation finds annotations of kustomize's own. It keeps notes in some, and leaves documents out for others. Its own APIs'
// versions look alike.
var ownAnnotation = regexp.MustCompile(`config\.(kubernetes|k8s)\.io/[^v]`)

var literalKind = regexp.MustCompile(`^[A-Za-z]+$`)

// targets notes the kinds that a kustomization's patches and replacements select. False: one may select any kind, or gives documents other
// names.
func (k *kustomization) targets(kinds *[]string) bool {
	for _, e := range Items(Field(k.node, "patches")) {
		if !Empty(Field(e, "options")) {
			options := Resolve(Field(e, "options"))
			for i := 0; i+1 < len(options.Content); i += 2 {
				if Resolve(options.Content[i+1]).Value != "false" {
					return false
				}
			}
		}
		if target := Field(e, "target"); !Empty(target) && !selects(target, kinds) { // without one it names its document
			return false
		}
	}
	for _, e := range Items(Field(k.node, "replacements")) {
		if !selects(Field(e, "source"), kinds) {
			return false
		}
		for _, target := range Items(Field(e, "targets")) {
			if !selects(Field(target, "select"), kinds) {
				return false
			}
		}
	}
	return true
}

// selects notes the kind that a selector names; false when it may select others.
func selects(selector *yaml.Node, kinds *[]string) bool {
	kind := Text(Field(selector, "kind"))
	*kinds = append(*kinds, kind)
	return literalKind.MatchString(kind)
}

// list reads what the overlay takes in: folders outside of it first, then files of its own.
func (c *common) list(t *Tree) bool {
	for _, e := range Items(Field(t.own.node, "resources")) {
		path, isDir := t.entryAt(e)
		switch {
		case path == "" || isDir && (len(c.documents) > 0 || isBelow(c.dir, path)):
			return false
		case isDir:
			c.resources = append(c.resources, Text(e))
		default:
			c.documents = append(c.documents, path)
		}
	}
	for _, e := range Items(Field(t.own.node, "components")) {
		path, isDir := t.entryAt(e)
		if path == "" || !isDir || isBelow(c.dir, path) {
			return false
		}
		c.components = append(c.components, Text(e))
	}
	return true
}

// entryAt says where an entry of the overlay's own kustomization leads; "" when it can't be told.
func (t *Tree) entryAt(entry *yaml.Node) (path string, isDir bool) {
	path, err := t.locate(filepath.Join(t.own.dir, Text(entry)))
	if err != nil {
		return "", false
	}
	if _, read := t.in.files[path]; read {
		return path, false
	}
	info, err := os.Stat(path)
	return path, err == nil && info.IsDir()
}

// ownPatches reads the overlay's own patches as kustomize does. Of those that give documents other names only ones for documents that no
// other refers to will do.
func (c *common) ownPatches(t *Tree) bool {
	k := types.Kustomization{}
	if k.Unmarshal(t.in.files[t.own.file]) != nil {
		return false
	}
	c.patches = k.Patches
	for _, p := range c.patches {
		if p.Options == nil || (!p.Options.AllowNameChange && !p.Options.AllowKindChange) {
			continue
		}
		if p.Target == nil || p.Target.Group == "" || p.Options.AllowKindChange {
			return false
		}
		if kind := OwnKind(p.Target.Group+"/", p.Target.Kind); kind != KindCluster && kind != KindSite {
			return false
		}
	}
	return true
}
