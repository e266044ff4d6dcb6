package applet

import (
	"fmt"
	"strconv"
	"strings"
	_ "unsafe" // for go:linkname

	"k8s.io/component-base/version"
)

// The release build sets these with the linker, once. The lab has one binary that must be any release, so it sets them as it starts.

//go:linkname gitVersion k8s.io/component-base/version.gitVersion
var gitVersion string

//go:linkname gitMajor k8s.io/component-base/version.gitMajor
var gitMajor string

//go:linkname gitMinor k8s.io/component-base/version.gitMinor
var gitMinor string

// older is how many minors below its own Kubernetes can emulate.
const older = 3

// Plays returns an error for a k0s release whose Kubernetes this binary cannot pose as: it is one Kubernetes, which emulates the three
// minors before its own.
func Plays(k0s string) error {
	_, minor, err := kubernetesVersion(k0s)
	if err != nil {
		return err
	}
	own, err := ownMinor()
	if err != nil {
		return err
	}
	if n, err := strconv.Atoi(minor); err != nil || n > own || n < own-older {
		return fmt.Errorf("the lab plays Kubernetes 1.%d to 1.%d, not %s", own-older, own, k0s)
	}
	return nil
}

// Minors are the Kubernetes minors that this binary can pose as, lowest first: "1.34" and so on. The last one is its own.
func Minors() ([]string, error) {
	own, err := ownMinor()
	var list []string
	for minor := own - older; err == nil && minor <= own; minor++ {
		list = append(list, fmt.Sprintf("1.%d", minor))
	}
	return list, err
}

// ownMinor is the minor of the Kubernetes that is linked in.
func ownMinor() (int, error) {
	_, minor, _ := strings.Cut(version.DefaultKubeBinaryVersion, ".")
	return strconv.Atoi(minor)
}

// pose makes this process claim to be the Kubernetes of a k0s release: v1.36.3+k0s.2 is v1.36.3+k0s. It must come before the
// commands are built, because building them sets up the feature gates by version.
func pose(k0s string) error {
	if err := Plays(k0s); err != nil {
		return err
	}
	kubernetes, minor, err := kubernetesVersion(k0s)
	if err != nil {
		return err
	}
	gitVersion, gitMajor, gitMinor = kubernetes, "1", minor
	return version.SetDynamicVersion(kubernetes)
}

// kubernetesVersion is what the programs of a k0s release call themselves.
func kubernetesVersion(k0s string) (full, minor string, err error) {
	core, build, _ := strings.Cut(k0s, "+")
	parts := strings.Split(strings.TrimPrefix(core, "v"), ".")
	if len(parts) != 3 || parts[0] != "1" || !strings.HasPrefix(k0s, "v") {
		return "", "", fmt.Errorf("%q is not a k0s version", k0s)
	}
	if build != "" {
		name, _, _ := strings.Cut(build, ".")
		core += "+" + name
	}
	return core, parts[1], nil
}
