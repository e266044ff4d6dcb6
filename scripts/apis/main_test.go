package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
)

// TestFilesAreCurrent: the file is what the modules say. Where the module cache lacks the older ones, what they tell is taken as it stands,
// and the rest is held to the modules that go.mod requires.
func TestFilesAreCurrent(t *testing.T) {
	root := filepath.Join("..", "..")
	got, err := os.ReadFile(filepath.Join(root, target))
	if err != nil {
		t.Fatal(err)
	}
	want, err := generate(root, true)
	switch {
	case err == nil && string(got) != string(want):
		t.Errorf("%s is not what the modules say; run: make generate", target)
	case errors.Is(err, errMissing):
		t.Logf("not all modules are here, so only what go.mod requires is compared: %v", err)
	case err != nil:
		t.Fatal(err)
	}
	var f file
	if err := json.Unmarshal(got, &f); err != nil {
		t.Fatal(err)
	}
	modules, err := sources(root)
	if err != nil {
		t.Fatal(err)
	}
	if f.Modules[0].Version != modules[0].Version || len(f.Modules) != len(modules) {
		t.Errorf("%s was made of other modules than %s %s and those before it; run: make generate", target, modules[0].Path, modules[0].Version)
	}
}

// TestTypesSayTheSame: the compiled types, which API servers ask, say what the file says that their source says.
func TestTypesSayTheSame(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "..", target))
	if err != nil {
		t.Fatal(err)
	}
	var f file
	if err := json.Unmarshal(b, &f); err != nil {
		t.Fatal(err)
	}
	known := map[schema.GroupVersionKind]api{}
	for _, a := range f.APIs {
		known[schema.GroupVersionKind{Group: a.Group, Version: a.Version, Kind: a.Kind}] = a
	}
	compared := 0
	for gvk := range scheme.Scheme.AllKnownTypes() {
		o, err := scheme.Scheme.New(gvk)
		if err != nil {
			t.Fatal(err)
		}
		gone, ok := o.(interface{ APILifecycleRemoved() (major, minor int) })
		base, list := strings.CutSuffix(gvk.Kind, "List")
		if !ok || (list && scheme.Scheme.Recognizes(gvk.GroupVersion().WithKind(base))) {
			continue
		}
		compared++
		major, minor := gone.APILifecycleRemoved()
		if want := release(major, minor); known[gvk].Removed != want {
			t.Errorf("%s says that it is removed in %s, and the file %q", gvk, want, known[gvk].Removed)
		}
		if d, ok := o.(interface{ APILifecycleDeprecated() (major, minor int) }); ok {
			if want := release(d.APILifecycleDeprecated()); known[gvk].Deprecated != want {
				t.Errorf("%s says that it is deprecated in %s, and the file %q", gvk, want, known[gvk].Deprecated)
			}
		}
		r, ok := o.(interface {
			APILifecycleReplacement() schema.GroupVersionKind
		})
		if ok {
			to := r.APILifecycleReplacement()
			if want := to.GroupVersion().String() + " " + strings.TrimSuffix(to.Kind, "List"); known[gvk].Replacement != want || known[gvk].Found {
				t.Errorf("%s says that %s takes its place, and the file %q", gvk, want, known[gvk].Replacement)
			}
		}
	}
	if compared < 60 {
		t.Errorf("only %d types were compared", compared)
	}
}

// TestListsAreNoKinds: what takes a kind's place is a kind of its own, and so is each kind of the file.
func TestListsAreNoKinds(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "..", target))
	if err != nil {
		t.Fatal(err)
	}
	var f file
	if err := json.Unmarshal(b, &f); err != nil {
		t.Fatal(err)
	}
	for _, a := range f.APIs {
		if strings.HasSuffix(a.Kind, "List") || strings.HasSuffix(a.Replacement, "List") {
			t.Errorf("%s/%s %s, replaced by %q: that is a list", a.Group, a.Version, a.Kind, a.Replacement)
		}
	}
	for named, want := range map[string]string{"IngressClassList": "IngressClass", "IngressClass": "IngressClass"} {
		if got := successor("IngressClass", named); got != want {
			t.Errorf("%s names %s", named, got)
		}
	}
}

// TestDeletedTypesAreKnown: what is in no present module, and what belongs to a module of its own.
func TestDeletedTypesAreKnown(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "..", target))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"group":"policy","version":"v1beta1","kind":"PodSecurityPolicy","resource":"podsecuritypolicies","introduced":"1.10",` +
			`"deprecated":"1.21","removed":"1.25"`,
		`"group":"autoscaling","version":"v2beta2","kind":"HorizontalPodAutoscaler"`,
		`"group":"apiextensions.k8s.io","version":"v1beta1","kind":"CustomResourceDefinition"`,
		`"group":"apiregistration.k8s.io","version":"v1beta1","kind":"APIService"`,
		`"group":"flowcontrol.apiserver.k8s.io","version":"v1beta3","kind":"FlowSchema"`,
		`"removed":"1.38","replacement":"resource.k8s.io/v1 ResourceClaim","found":true`,
	} {
		if !strings.Contains(string(b), want) {
			t.Errorf("the file lacks %s", want)
		}
	}
}
