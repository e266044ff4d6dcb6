// Package modules checks that the repository's two modules, kiban and its lab, take the same version of whatever both of them take. Go
// compiles a package once only when everything below it is equal, so one version that differs can mean another Kubernetes client library
// for each of the two.
package modules

import (
	"encoding/json"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/Masterminds/semver/v3"
)

func TestModulesAgree(t *testing.T) {
	kiban, lab := read(t, "../.."), read(t, "../../lab")
	for _, finding := range disagreements(kiban, lab) {
		t.Error(finding)
	}
}

// TestKubernetesIsOneRelease holds the lab's libraries of Kubernetes to the release of its servers: v1.37.2 is made of libraries v0.37.2.
func TestKubernetesIsOneRelease(t *testing.T) {
	lab := read(t, "../../lab")
	want, found := strings.CutPrefix(lab["k8s.io/kubernetes"], "v1.")
	if !found {
		t.Fatalf("lab/go.mod takes k8s.io/kubernetes %q", lab["k8s.io/kubernetes"])
	}
	staged := 0
	for name, version := range lab {
		// Libraries with a release of their own: klog is v2, the others have none but commits.
		if !strings.HasPrefix(name, "k8s.io/") || strings.HasPrefix(version, "v0.0.0-") || strings.HasPrefix(version, "v2.") ||
			name == "k8s.io/kubernetes" {
			continue
		}
		staged++
		if version != "v0."+want {
			t.Errorf("lab/go.mod takes %s %s beside k8s.io/kubernetes v1.%s, which is made with v0.%s", name, version, want, want)
		}
	}
	if staged < 20 {
		t.Errorf("only %d libraries of Kubernetes were looked at", staged)
	}
}

// TestOlderKubernetesIsTheMinorBefore holds the older programs to what they are for: the way back goes to the minor before the lab's.
func TestOlderKubernetesIsTheMinorBefore(t *testing.T) {
	older := read(t, "../../lab/older")
	is := semver.MustParse(read(t, "../../lab")["k8s.io/kubernetes"])
	was := semver.MustParse(older["k8s.io/kubernetes"])
	if was.Major() != is.Major() || was.Minor()+1 != is.Minor() {
		t.Errorf("lab/older takes Kubernetes %s, and the lab %s", was, is)
	}
	// k0s of that minor brings it, and so does the one before: two releases with the same etcd are those between which there is a way back.
	if etcd := semver.MustParse(older["go.etcd.io/etcd/server/v3"]); etcd.Minor() != 6 {
		t.Errorf("lab/older takes etcd %s; k0s 1.34 to 1.36 bring 3.6", etcd)
	}
}

func TestDisagreements(t *testing.T) {
	kiban := map[string]string{"a": "v1.2.0", "b": "v0.10.0", "c": "v1.0.0", "d": "v0.0.0-20260101000000-aaaaaaaaaaaa",
		"e": "v2.0.0+incompatible"}
	lab := map[string]string{"a": "v1.2.0", "b": "v0.9.0", "c": "v1.1.0", "d": "v0.0.0-20260201000000-000000000000", "f": "v1.0.0"}
	want := []string{
		"b is v0.10.0 in go.mod and v0.9.0 in lab/go.mod",
		"c is v1.0.0 in go.mod and v1.1.0 in lab/go.mod",
		"d is v0.0.0-20260101000000-aaaaaaaaaaaa in go.mod and v0.0.0-20260201000000-000000000000 in lab/go.mod",
		"so what imports these is compiled twice; the newer ones in both:\n" +
			"  go get c@v1.1.0 d@v0.0.0-20260201000000-000000000000 && go mod tidy\n" +
			"  go -C lab get b@v0.10.0 && go -C lab mod tidy",
	}
	if got := disagreements(kiban, lab); !slices.Equal(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := disagreements(lab, lab); got != nil {
		t.Errorf("a module disagrees with itself: %q", got)
	}
}

// disagreements says which modules the two take in different versions, and how to bring them together. It is empty when there are none.
//
// go.mod names every module that packages come from, those that are needed by others too: what only one of the two names serves only that
// one.
func disagreements(kiban, lab map[string]string) []string {
	var findings, raiseKiban, raiseLab []string
	for _, name := range slices.Sorted(maps.Keys(kiban)) {
		ours, theirs := kiban[name], lab[name]
		if theirs == "" || ours == theirs {
			continue
		}
		findings = append(findings, fmt.Sprintf("%s is %s in go.mod and %s in lab/go.mod", name, ours, theirs))
		if older(ours, theirs) {
			raiseKiban = append(raiseKiban, name+"@"+theirs)
		} else {
			raiseLab = append(raiseLab, name+"@"+ours)
		}
	}
	if findings == nil {
		return nil
	}
	remedy := "so what imports these is compiled twice; the newer ones in both:"
	if raiseKiban != nil {
		remedy += "\n  go get " + strings.Join(raiseKiban, " ") + " && go mod tidy"
	}
	if raiseLab != nil {
		remedy += "\n  go -C lab get " + strings.Join(raiseLab, " ") + " && go -C lab mod tidy"
	}
	return append(findings, remedy)
}

// older reports whether version a comes before b. Of versions that can't be read, none does.
func older(a, b string) bool {
	x, errA := semver.NewVersion(a)
	y, errB := semver.NewVersion(b)
	return errA == nil && errB == nil && x.LessThan(y)
}

// read returns the modules that the go.mod of a folder names, replacements taken into account, with their versions.
func read(t *testing.T, dir string) map[string]string {
	t.Helper()
	out, err := exec.Command("go", "-C", dir, "mod", "edit", "-json").Output()
	if err != nil {
		t.Fatal(err)
	}
	type module struct{ Path, Version string }
	var file struct {
		Require []module
		Replace []struct{ Old, New module }
	}
	if err := json.Unmarshal(out, &file); err != nil {
		t.Fatal(err)
	}
	versions := map[string]string{}
	for _, m := range file.Require {
		versions[m.Path] = m.Version
	}
	for _, r := range file.Replace {
		if versions[r.Old.Path] == "" || r.Old.Version != "" && r.Old.Version != versions[r.Old.Path] {
			continue
		}
		versions[r.Old.Path] = r.New.Version
		if r.New.Path != r.Old.Path {
			versions[r.Old.Path] = r.New.Path + " " + r.New.Version
		}
	}
	return versions
}
