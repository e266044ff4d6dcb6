package applet

import (
	"fmt"
	"testing"

	utilversion "k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apiserver/pkg/util/compatibility"
	"k8s.io/component-base/version"

	"kiban.dev/kiban/lab/machine"
)

// TestPlays holds the range of versions to what Kubernetes' own servers accept as --emulated-version.
func TestPlays(t *testing.T) {
	own, err := ownMinor()
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("1.%d", own); version.DefaultKubeBinaryVersion != want {
		t.Errorf("the linked Kubernetes is %s, not %s", version.DefaultKubeBinaryVersion, want)
	}
	for minor := own - older - 2; minor <= own+1; minor++ {
		server := compatibility.DefaultBuildEffectiveVersion()
		server.SetEmulationVersion(utilversion.MajorMinor(1, uint(minor)))
		accepted := len(server.Validate()) == 0
		if err := Plays(fmt.Sprintf("v1.%d.1+k0s.0", minor)); (err == nil) != accepted || accepted != (minor >= own-older && minor <= own) {
			t.Errorf("1.%d: the lab says %v, Kubernetes' servers accept it: %v", minor, err, accepted)
		}
	}
}

// TestMirrorHasWhatIsPlayed wants a release of every minor that the lab plays in its mirror, and none that it does not.
func TestMirrorHasWhatIsPlayed(t *testing.T) {
	there := map[string]bool{}
	for _, release := range machine.Versions() {
		if err := Plays(release); err != nil {
			t.Error(err)
		}
		_, minor, err := kubernetesVersion(release)
		if err != nil {
			t.Error(err)
		}
		there[minor] = true
	}
	if len(there) != older+1 {
		t.Errorf("the mirror has the minors %v, of %d that are played", there, older+1)
	}
}

func TestKubernetesVersion(t *testing.T) {
	for in, want := range map[string]string{
		"v1.36.3+k0s.2":       "v1.36.3+k0s 36",
		"v1.34.10+k0s.0":      "v1.34.10+k0s 34",
		"v1.37.0-rc.1+k0s.10": "",
		"v1.36.3":             "v1.36.3 36",
		"1.36.3+k0s.0":        "",
		"v2.0.0+k0s.0":        "",
		"latest":              "",
	} {
		full, minor, err := kubernetesVersion(in)
		got := full + " " + minor
		if err != nil {
			got = ""
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", in, got, want)
		}
	}
}
