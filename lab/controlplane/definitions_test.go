package controlplane_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/types"
)

// TestStoredVersionsStay: an API server refuses a definition that leaves out a version in which objects were stored, in a dry run, too.
// kiban counts on it: a plan tries each definition of an addon in this way.
func TestStoredVersionsStay(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a control plane")
	}
	s := newSite(t, "127.48.8")
	c := s.controller(1, "")
	s.run(c)
	client := s.client(c).CoreV1().RESTClient()
	const path, name = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", "/pools.metal.example"
	version := func(name string, served, storage bool) string {
		return fmt.Sprintf(`{"name":%q,"served":%v,"storage":%v,"schema":{"openAPIV3Schema":{"type":"object"}}}`, name, served, storage)
	}
	body := func(versions ...string) []byte {
		return fmt.Appendf(nil, `{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"pools.metal.example"},`+
			`"spec":{"group":"metal.example","scope":"Cluster","names":{"plural":"pools","kind":"Pool"},"versions":[%s]}}`, strings.Join(versions, ","))
	}
	apply := func(dry bool, versions ...string) error {
		r := client.Patch(types.ApplyPatchType).AbsPath(path+name).Param("fieldManager", "test").Param("force", "true")
		if dry {
			r = r.Param("dryRun", "All")
		}
		return r.Body(body(versions...)).Do(t.Context()).Error()
	}
	s.until("the definition is there", func(context.Context) error { return apply(false, version("v1alpha1", true, true)) })
	if err := apply(true, version("v1alpha1", false, false), version("v1", true, true)); err != nil {
		t.Errorf("one that keeps the version is refused: %v", err)
	}
	if err := apply(true, version("v1", true, true)); err == nil || !strings.Contains(err.Error(), "status.storedVersions") {
		t.Errorf("one that leaves it out: %v", err)
	}
}
