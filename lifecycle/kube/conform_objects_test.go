package kube

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"kiban.dev/kiban/lifecycle"
)

// declared reads objects from YAML documents; each has its file and line as source.
func declared(t *testing.T, text string) []lifecycle.Object {
	t.Helper()
	var out []lifecycle.Object
	for i, doc := range strings.Split(text, "\n---\n") {
		content, err := yaml.YAMLToJSON([]byte(doc))
		if err != nil {
			t.Fatal(err)
		}
		var u struct {
			APIVersion, Kind string
			Metadata         struct{ Name, Namespace string }
		}
		if err := json.Unmarshal(content, &u); err != nil {
			t.Fatal(err)
		}
		out = append(out, lifecycle.Object{ObjectRef: lifecycle.ObjectRef{APIVersion: u.APIVersion, Kind: u.Kind,
			Namespace: u.Metadata.Namespace,
			Name:      u.Metadata.Name},
			JSON: content, Source: fmt.Sprintf("objects.yaml:%d", i+1)})
	}
	return out
}

// inventoryOf is what the engine keeps of objects that it applied.
func inventoryOf(objs []lifecycle.Object) lifecycle.Inventory {
	inv := lifecycle.Inventory{Unit: "objects"}
	for _, o := range objs {
		inv.Objects = append(inv.Objects, lifecycle.InventoryItem{ObjectRef: o.ObjectRef, Digest: lifecycle.DigestObject(o, nil, nil)})
	}
	return inv
}

// compare gives the changes as lines, and the diagnostics after them.
func (s *stage) compare(t *testing.T, objs []lifecycle.Object, opts lifecycle.CompareOptions) string {
	t.Helper()
	if opts.Namespace == "" {
		opts.Namespace = s.namespace
	}
	changes, ignored, err := s.client.Compare(t.Context(), objs, opts)
	var lines []string
	for _, c := range changes {
		line := string(c.Change) + " " + c.Kind + " " + c.Name
		if c.Drift {
			line += " (drift)"
		}
		if c.Reason != "" {
			line += ": " + c.Reason
		}
		lines = append(lines, line)
		for _, f := range c.Fields {
			line := fmt.Sprintf("  %s: %s -> %s", f.Field, f.From, f.To)
			if f.By != "" {
				line += " by " + f.By
				if time.Since(f.At) > time.Hour || f.At.IsZero() {
					t.Errorf("%s: at %v", line, f.At)
				}
			}
			lines = append(lines, line)
		}
	}
	for _, i := range ignored {
		lines = append(lines, "ignored "+i)
	}
	if err != nil {
		if _, ok := errors.AsType[lifecycle.Diagnostics](err); !ok {
			t.Fatalf("compare: %v", err)
		}
		for _, d := range lifecycle.AsDiagnostics(err, "") {
			lines = append(lines, fmt.Sprintf("%s %s: %s: %s", d.Severity, d.Subject, d.Summary, d.Detail))
			if d.Hint == "" {
				t.Errorf("no hint: %+v", d)
			}
		}
	}
	return strings.ReplaceAll(strings.Join(lines, "\n"), s.namespace, "NS")
}

func (s *stage) want(t *testing.T, what, got string, want ...string) {
	t.Helper()
	if got != strings.Join(want, "\n") {
		t.Errorf("%s: got\n%s\nwant\n%s", what, got, strings.Join(want, "\n"))
	}
}

// apply writes objects and returns what was told; each line is given to hear first.
func (s *stage) apply(t *testing.T, objs []lifecycle.Object, hear ...func(line string)) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var lines lineLog
	told := func(line string) {
		lines.add(line)
		for _, h := range hear {
			h(line)
		}
	}
	if err := s.client.ApplyObjects(ctx, objs, s.namespace, told); err != nil {
		t.Fatalf("apply: %v\n%s", err, lines.all())
	}
	return lines.all()
}

// edit changes an object of the namespace as another program would.
func (s *stage) edit(t *testing.T, collection, name, patch, manager string) {
	t.Helper()
	err := s.client.api.CoreV1().RESTClient().Patch(types.MergePatchType).Namespace(s.namespace).Resource(collection).Name(name).
		VersionedParams(&metav1.PatchOptions{FieldManager: manager}, metav1.ParameterCodec).Body([]byte(patch)).Do(t.Context()).Error()
	if err != nil {
		t.Fatal(err)
	}
}

const settings = `apiVersion: v1
kind: ConfigMap
metadata: {name: settings, labels: {app: shop}}
data: {colour: blue, size: "3"}
---
apiVersion: v1
kind: Secret
metadata: {name: keys}
stringData: {token: hunter2}`

// objects: what is applied is there, compares as unchanged, and what someone else changes is told from what is declared.
func (s *stage) objects(t *testing.T) {
	objs := declared(t, settings)
	s.want(t, "before", s.compare(t, objs, lifecycle.CompareOptions{}), "create ConfigMap settings", "create Secret keys")
	s.apply(t, objs)
	inv := inventoryOf(objs)
	s.want(t, "after", s.compare(t, objs, lifecycle.CompareOptions{Inventory: inv}))
	rotated := declared(t, strings.NewReplacer("hunter2", "hunter3").Replace(settings))
	s.want(t, "another secret value here", s.compare(t, rotated, lifecycle.CompareOptions{Inventory: inv}),
		"update Secret keys: its values are others now where kiban runs", "  data.token: (masked) -> (masked)")

	s.edit(t, "configmaps", "settings", `{"data":{"colour":"red","mine":"x"}}`, "kubectl-edit")
	s.edit(t, "secrets", "keys", `{"data":{"token":"c2VjcmV0"}}`, "kubectl-edit")
	s.want(t, "by hand", s.compare(t, objs, lifecycle.CompareOptions{Inventory: inv}),
		"update ConfigMap settings (drift)", `  data.colour: "red" -> "blue" by kubectl-edit`, "update Secret keys (drift)",
		"  data.token: (masked) -> (masked) by kubectl-edit")
	other := declared(t, strings.NewReplacer("size: \"3\"", "size: \"4\"").Replace(settings))
	s.want(t, "by hand, and declared otherwise", s.compare(t, other[:1], lifecycle.CompareOptions{Inventory: inv}),
		"update ConfigMap settings", `  data.colour: "red" -> "blue" by kubectl-edit`, `  data.size: "3" -> "4"`)
	ignore := lifecycle.CompareOptions{Inventory: inv,
		Ignore: []lifecycle.Ignore{{Kind: "ConfigMap", Fields: []string{"data.colour", "data.other"}},
			{Kind: "Secret", Fields: []string{"data.token"}}},
		Volatile: []lifecycle.FieldRef{{Object: lifecycle.ObjectRef{APIVersion: "v1", Kind: "Secret", Namespace: s.namespace, Name: "keys"},
			Field: "data.token"}}}
	s.want(t, "ignored", s.compare(t, objs, ignore), "ignored ConfigMap NS/settings: data.colour (the addon ignores it)",
		"ignored Secret NS/keys: data.token (each rendering makes another value)")

	s.apply(t, objs)
	s.want(t, "put back", s.compare(t, objs, lifecycle.CompareOptions{Inventory: inv}))
	if err := s.client.DeleteObjects(t.Context(), []lifecycle.ObjectRef{s.object("ConfigMap", "settings"), s.object("ConfigMap", "nobody")},
		func(string) {}); err != nil {
		t.Error(err)
	}
	s.want(t, "deleted", s.compare(t, objs, lifecycle.CompareOptions{Inventory: inv}), "create ConfigMap settings (drift): deleted by hand")
	refs := []lifecycle.ObjectRef{s.object("ConfigMap", "settings"), s.object("Secret", "keys"),
		{APIVersion: "example.org/v1", Kind: "Nothing", Name: "x"}}
	if found, err := s.client.Existing(t.Context(), refs); err != nil || !slices.Equal(found, refs[1:2]) {
		t.Errorf("existing: %v, %v", found, err)
	}
}

func (s *stage) object(kind, name string) lifecycle.ObjectRef {
	return lifecycle.ObjectRef{APIVersion: "v1", Kind: kind, Namespace: s.namespace, Name: name}
}

// refusals: what can't be applied is a diagnostic that names where it was declared, and the rest is compared all the same.
func (s *stage) refusals(t *testing.T) {
	objs := declared(t, `apiVersion: v1
kind: ConfigMap
metadata: {name: fine}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: astray, namespace: kiban-no-such-namespace}
---
apiVersion: example.org/v1
kind: Gadget
metadata: {name: unknown}
---
apiVersion: apps/v1beta1
kind: Deployment
metadata: {name: of-old}`)
	got := s.compare(t, objs, lifecycle.CompareOptions{})
	s.want(t, "refused", got, "create ConfigMap fine",
		`error objects.yaml:2: the API refuses ConfigMap kiban-no-such-namespace/astray: namespaces "kiban-no-such-namespace" not found`,
		"error objects.yaml:3: the cluster does not know the kind of Gadget NS/unknown: the cluster serves no Gadget of example.org/v1",
		"error objects.yaml:4: the cluster does not know the kind of Deployment NS/of-old: "+
			"the cluster serves no Deployment of apps/v1beta1; it serves it as apps/v1")
	if _, _, err := s.client.Compare(t.Context(), objs[3:], lifecycle.CompareOptions{Namespace: s.namespace}); !errors.Is(err,
		lifecycle.ErrUnserved) {
		t.Errorf("an object of a former version: %v", err)
	}
	coming := declared(t, `apiVersion: v1
kind: Namespace
metadata: {name: kiban-no-such-namespace}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.example.org}
spec: {group: example.org, scope: Namespaced, names: {kind: Gadget, plural: gadgets}, versions: [{name: v1, served: true, storage: true}]}`)
	s.want(t, "coming", s.compare(t, objs, lifecycle.CompareOptions{Coming: coming}), "create ConfigMap fine",
		"create ConfigMap astray", "create Gadget unknown: its kind comes with gadgets.example.org",
		"error objects.yaml:4: the cluster does not know the kind of Deployment NS/of-old: "+
			"the cluster serves no Deployment of apps/v1beta1; it serves it as apps/v1")
	wantDiagnostic(t, s.client.ApplyObjects(t.Context(), objs[1:2], s.namespace, func(string) {}), lifecycle.SeverityError,
		"the API refuses")
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	wantDiagnostic(t, s.client.ApplyObjects(ctx, objs[2:3], s.namespace, func(string) {}), lifecycle.SeverityError,
		"could not be applied in time")
}

// inventories: what is written is read again, and the cluster says which site it is.
func (s *stage) inventories(t *testing.T) {
	was, err := s.client.site(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	mine := cmp.Or(was, "conformance")
	for range 2 {
		if err := s.client.MarkSite(t.Context(), mine); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.client.MarkSite(t.Context(), "another"); err == nil || !strings.Contains(err.Error(), "is site "+mine) {
		t.Errorf("another site's mark was overwritten: %v", err)
	}
	if uid, site, err := s.client.Identity(t.Context()); err != nil || uid == "" || site != mine {
		t.Errorf("the cluster with the UID %q says that it is %q, %v", uid, site, err)
	}
	facts, err := s.client.Facts(t.Context())
	if err != nil || facts.API.Site != mine || !strings.HasPrefix(facts.API.Capabilities.Kubernetes, "v1.") ||
		!slices.Contains(facts.API.Capabilities.APIs, "apps/v1/Deployment") {
		t.Errorf("facts: %+v, %v", facts.API, err)
	}
	if was != "" {
		t.Log("the cluster keeps the mark that it had")
	} else if err := s.client.DeleteObjects(t.Context(),
		[]lifecycle.ObjectRef{{APIVersion: "v1", Kind: "ConfigMap", Namespace: "kube-system", Name: siteName}}, func(string) {}); err != nil {
		t.Error(err)
	}
	inv := lifecycle.Inventory{Unit: "addon/kiban-test", Digest: "sha256:1",
		Objects: []lifecycle.InventoryItem{{ObjectRef: s.object("ConfigMap", "a"), Digest: "sha256:2"}}}
	for range 2 {
		if err := s.client.WriteInventory(t.Context(), inv); err != nil {
			t.Fatal(err)
		}
	}
	find := func() (found int) {
		all, err := s.client.Inventories(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range all {
			if i.Unit == inv.Unit && i.Digest == inv.Digest && len(i.Objects) == 1 && i.Objects[0] == inv.Objects[0] {
				found++
			}
		}
		return found
	}
	if n := find(); n != 1 {
		t.Errorf("found %d", n)
	}
	for range 2 {
		if err := s.client.DeleteInventory(t.Context(), inv.Unit); err != nil {
			t.Error(err)
		}
	}
	if n := find(); n != 0 {
		t.Errorf("found %d after it was deleted", n)
	}
}
