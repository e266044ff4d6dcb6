package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// TestAComponentMarksItsSites goes through every base and component of the example fleet: something more in it concerns the sites that are
// built with it, and no other; words beside it concern none.
func TestAComponentMarksItsSites(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("the fleet's repository is made by git, and it is not here")
	}
	fleet := t.TempDir()
	for _, folder := range []string{"clusters", "overlays"} {
		if err := os.CopyFS(filepath.Join(fleet, folder), os.DirFS(filepath.Join("..", "..", folder))); err != nil {
			t.Fatal(err)
		}
	}
	commitFleet(t, fleet)
	changed := func() []string {
		t.Helper()
		var out, errs bytes.Buffer
		s := Streams{In: strings.NewReader(""), Out: &out, Err: &errs, Getenv: func(string) string { return "" }}
		if code := Run(context.Background(), s, []string{"sites", "--fleet", fleet, "--changed-since", "HEAD", "-o", "names"}); code != 0 {
			t.Fatalf("exit %d:\n%s", code, errs.String())
		}
		names := strings.Fields(out.String())
		slices.Sort(names)
		return names
	}
	sites, err := filepath.Glob(filepath.Join(fleet, "overlays", "*", "kustomization.yaml"))
	parts, errParts := filepath.Glob(filepath.Join(fleet, "clusters", "components", "*", "kustomization.yaml"))
	if err != nil || errParts != nil || len(sites) < 4 || len(parts) < 10 {
		t.Fatalf("%d sites, %d components: %v %v", len(sites), len(parts), err, errParts)
	}
	for _, folder := range []string{"base", "external"} {
		parts = append(parts, filepath.Join(fleet, "clusters", folder, "kustomization.yaml"))
	}
	used := 0
	for _, part := range parts {
		folder := filepath.Dir(part)
		want := []string{}
		for _, site := range sites {
			if builtWith(t, filepath.Dir(site), folder) {
				want = append(want, filepath.Base(filepath.Dir(site)))
			}
		}
		used += len(want)
		words := filepath.Join(folder, "NOTES.md")
		putFile(t, words, "Words.\n")
		if got := changed(); len(got) != 0 {
			t.Errorf("%s: words mark %q", folder, got)
		}
		before := addResource(t, part, "probe.yaml",
			"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: probe\n  namespace: kube-system\ndata: {a: b}\n")
		if got := changed(); !slices.Equal(got, want) {
			t.Errorf("%s marks %q, and is used by %q", folder, got, want)
		}
		putFile(t, part, before)
	}
	if used < len(sites) {
		t.Errorf("the components are used %d times by %d sites: the test looks at the wrong places", used, len(sites))
	}
	putFile(t, filepath.Join(fleet, "README.md"), "Words.\n")
	if got := changed(); len(got) != 0 {
		t.Errorf("a README marks %q", got)
	}
}

// kustomization is what leads from one folder to others.
type kustomization struct {
	Resources, Components []string
}

func readKustomization(t *testing.T, file string) (k kustomization, all map[string]any) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err == nil {
		err = yaml.Unmarshal(b, &k)
	}
	if err == nil {
		err = yaml.Unmarshal(b, &all)
	}
	if err != nil {
		t.Fatal(err)
	}
	return k, all
}

// builtWith follows what kustomizations name, as kustomize does.
func builtWith(t *testing.T, folder, part string) bool {
	t.Helper()
	if folder == part {
		return true
	}
	k, _ := readKustomization(t, filepath.Join(folder, "kustomization.yaml"))
	return slices.ContainsFunc(append(k.Resources, k.Components...), func(name string) bool {
		next := filepath.Join(folder, name)
		_, err := os.Stat(filepath.Join(next, "kustomization.yaml"))
		return err == nil && builtWith(t, next, part)
	})
}

// addResource makes a kustomization hold one thing more, and gives the file as it was.
func addResource(t *testing.T, file, name, content string) (before string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	k, all := readKustomization(t, file)
	all["resources"] = append(k.Resources, name)
	after, err := yaml.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	putFile(t, filepath.Join(filepath.Dir(file), name), content)
	putFile(t, file, string(after))
	return string(b)
}

func putFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// commitFleet makes a folder a repository of what it holds.
func commitFleet(t testing.TB, fleet string) {
	t.Helper()
	for _, args := range [][]string{{"init", "-q"}, {"add", "."},
		{"-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "-m", "fleet"}} {
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir = fleet
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %q: %v\n%s", args, err, out)
		}
	}
}
