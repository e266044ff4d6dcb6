package overlay

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestA9_ABuildThatGrowsIsGivenUp: a few lines of replacements double a document each. The build ends with a finding, not with the
// machine's memory, and no other is begun beside what cannot be stopped.
func TestA9_ABuildThatGrowsIsGivenUp(t *testing.T) {
	var doubling strings.Builder // 200 bytes that become 200 << 14
	doubling.WriteString("resources: [site.yaml, x.yaml]\nreplacements:\n")
	for i := range 14 {
		fmt.Fprintf(&doubling, "- {source: {kind: ConfigMap, fieldPath: data}, targets: [{select: {kind: ConfigMap}, "+
			"fieldPaths: [data.x%d], options: {create: true}}]}\n", i)
	}
	fleet := fleetOf(t, map[string]string{
		"overlays/tokyo/site.yaml": siteYAML, "overlays/tokyo/kustomization.yaml": doubling.String(),
		"overlays/tokyo/x.yaml":             "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: b, c: d, e: f, g: h}\n",
		"overlays/osaka/site.yaml":          siteYAML,
		"overlays/osaka/kustomization.yaml": "resources: [site.yaml]\n",
	})
	osaka := Read(filepath.Join(fleet, "overlays", "osaka"))
	if _, ds := osaka.Build(t.Context()); ds.Err() != nil {
		t.Fatal(ds)
	}
	tokyo := Read(filepath.Join(fleet, "overlays", "tokyo"))
	if err := tokyo.Diagnostics().Err(); err != nil {
		t.Fatal(err)
	}
	tokyo.room = 16 << 20
	begun := time.Now()
	_, ds := tokyo.Build(t.Context())
	t.Cleanup(func() { // what was given up ends by itself here, and the tests beside this one go on
		for _, ds := osaka.Build(context.Background()); ds.Err() != nil; _, ds = osaka.Build(context.Background()) {
			time.Sleep(10 * time.Millisecond)
		}
	})
	if len(ds) != 1 || !strings.Contains(ds[0].Summary, "grows and grows") || ds[0].Subject != "overlays/tokyo" {
		t.Errorf("after %s: %v", time.Since(begun), ds)
	}
	if _, ds := osaka.Build(t.Context()); len(ds) != 1 || !strings.Contains(ds[0].Detail, "the build of overlays/tokyo, which was given up") {
		t.Errorf("another build begins beside it: %v", ds)
	}
}

// TestA9_InclusionsHaveABudget: two folders that each include the next two are a million after twenty levels.
func TestA9_InclusionsHaveABudget(t *testing.T) {
	files := map[string]string{"overlays/tokyo/site.yaml": siteYAML,
		"overlays/tokyo/kustomization.yaml": "resources: [site.yaml, ../../c/0a]\n"}
	for i := range 24 {
		for _, side := range []string{"a", "b"} {
			files[fmt.Sprintf("c/%d%s/kustomization.yaml", i, side)] = fmt.Sprintf("namePrefix: %s\nresources: [../%da, ../%db]\n", side, i+1, i+1)
		}
	}
	for _, side := range []string{"a", "b"} {
		files["c/24"+side+"/kustomization.yaml"] = "resources: [x.yaml]\n"
		files["c/24"+side+"/x.yaml"] = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"
	}
	begun := time.Now()
	ds := Read(filepath.Join(fleetOf(t, files), "overlays", "tokyo")).Diagnostics()
	if len(ds) != 1 || !strings.Contains(ds[0].Subject, "/kustomization.yaml:2") || !strings.Contains(ds[0].Summary, "takes in more") {
		t.Errorf("found %v", ds)
	}
	if took := time.Since(begun); took > time.Minute {
		t.Errorf("it took %s", took)
	}
}

// TestA9_FilesHaveABudget: files that are large each are not read one after the other until the memory is full. The first that is too much
// is named, and is not parsed.
func TestA9_FilesHaveABudget(t *testing.T) {
	fleet := fleetOf(t, map[string]string{"overlays/tokyo/site.yaml": siteYAML,
		"overlays/tokyo/x.yaml": "a: b\n", "overlays/tokyo/y.yaml": "a: b\n",
		"overlays/tokyo/kustomization.yaml": "resources: [site.yaml]\n"})
	tree := Read(filepath.Join(fleet, "overlays", "tokyo"))
	if err := tree.Diagnostics().Err(); err != nil {
		t.Fatal(err)
	}
	tree.in.written = maxWritten
	for _, name := range []string{"x.yaml", "y.yaml"} {
		if docs, ok := tree.parse(filepath.Join(fleet, "overlays", "tokyo", name), 0, []byte("a: b\n")); ok || len(docs) > 0 {
			t.Errorf("%s is parsed", name)
		}
	}
	ds := tree.Diagnostics()
	if len(ds) != 1 || ds[0].Subject != "overlays/tokyo/x.yaml:1" || !strings.Contains(ds[0].Summary, "takes in more") {
		t.Errorf("found %v", ds)
	}
}
