package lifecycle

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Version is a k0s version, "v<kubernetes version>+k0s.<build>", for example v1.36.3+k0s.2. The zero value means "no version known".
type Version struct {
	Major, Minor, Patch int
	// Prerelease is what stands between patch and build, such as "rc.1"; empty for a stable release.
	Prerelease string
	// Build is the k0s build of that Kubernetes release: v1.36.3+k0s.2 is newer than v1.36.3+k0s.1.
	Build int
}

var versionForm = regexp.MustCompile(`^v(\d{1,4})\.(\d{1,4})\.(\d{1,4})(?:-((?:alpha|beta|rc)\.\d{1,4}))?\+k0s\.(\d{1,4})$`)

// ParseVersion reads a version in k0s's own form, leading v and build included. Anything else is an error: "latest" and
// "1.36" leave open what would be installed.
func ParseVersion(s string) (Version, error) {
	m := versionForm.FindStringSubmatch(s)
	if m == nil {
		return Version{}, fmt.Errorf("%q is not a k0s version; the form is v1.36.3+k0s.2", s)
	}
	n := func(i int) int { v, _ := strconv.Atoi(m[i]); return v } // the form admits digits only
	return Version{Major: n(1), Minor: n(2), Patch: n(3), Prerelease: m[4], Build: n(5)}, nil
}

var targetForm = regexp.MustCompile(`^v?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?$`)

// ParseTarget reads a version that is asked about. "1.37" is a minor release and leaves open what comes behind: exact is false of it. A
// patch release is exact however it is written: "1.37.2" and "v1.37.2" stand for the first build of it, v1.37.2+k0s.0. "" is the zero
// value.
func ParseTarget(s string) (v Version, exact bool, err error) {
	if m := targetForm.FindStringSubmatch(s); m != nil {
		n := func(i int) int { v, _ := strconv.Atoi(m[i]); return v } // digits, or "", which is 0
		return Version{Major: n(1), Minor: n(2), Patch: n(3)}, m[3] != "", nil
	}
	if s == "" {
		return Version{}, false, nil
	}
	if v, err = ParseVersion("v" + strings.TrimPrefix(s, "v")); err != nil {
		return v, false, Errorf("", "%q is not a version", s).Try("Write it as v1.37.2+k0s.0, v1.37.2 or 1.37.").Hiding(err)
	}
	return v, true, nil
}

// IsZero reports whether no version is known.
func (v Version) IsZero() bool { return v == Version{} }

// String is the form that ParseVersion reads, or "" for the zero value.
func (v Version) String() string {
	if v.IsZero() {
		return ""
	}
	return fmt.Sprintf("%s+k0s.%d", v.Kubernetes(), v.Build)
}

// Kubernetes is the Kubernetes version inside, as the API server reports it: v1.36.3.
func (v Version) Kubernetes() string {
	s := fmt.Sprintf("v%d.%d.%d", v.Major, v.Minor, v.Patch)
	if v.Prerelease != "" {
		s += "-" + v.Prerelease
	}
	return s
}

// Kubelet is what a node's kubeletVersion shows. It lacks the build: v1.36.3+k0s.
func (v Version) Kubelet() string { return v.Kubernetes() + "+k0s" }

// MinorString names the minor release: "v1.36".
func (v Version) MinorString() string { return fmt.Sprintf("v%d.%d", v.Major, v.Minor) }

// NeedsCgroupV2 reports whether that release's kubelet does not start on cgroup v1 (H39).
func (v Version) NeedsCgroupV2() bool { return v.MinorsAhead(Version{Major: 1, Minor: 35}) >= 0 }

// RefusesCgroupV1 reports whether k0s of that version would not start on this machine where it runs cgroup v1: it runs a kubelet, and k0s's
// checks are not switched off.
func (h Host) RefusesCgroupV1(v Version) bool {
	return v.NeedsCgroupV2() && h.Role.RunsWorkloads() && !slices.Contains(h.Arguments, "--ignore-pre-flight-checks=true")
}

// Compare orders versions, the k0s build included; a prerelease comes before its release.
func (v Version) Compare(o Version) int {
	return cmp.Or(cmp.Compare(v.Major, o.Major), cmp.Compare(v.Minor, o.Minor), cmp.Compare(v.Patch, o.Patch),
		comparePrerelease(v.Prerelease, o.Prerelease), cmp.Compare(v.Build, o.Build))
}

// Less reports whether v is older than o.
func (v Version) Less(o Version) bool { return v.Compare(o) < 0 }

// MinorsAhead is how many minor releases v is ahead of o; negative when behind. Majors count as a hundred minors.
func (v Version) MinorsAhead(o Version) int { return (v.Major-o.Major)*100 + v.Minor - o.Minor }

// reaches reports whether v is at o or newer. An o without patch, prerelease and build, "v1.36", stands for its whole minor release, and
// the zero value is reached by all.
func (v Version) reaches(o Version) bool {
	if o == (Version{Major: o.Major, Minor: o.Minor}) {
		return v.MinorsAhead(o) >= 0
	}
	return !v.Less(o)
}

// MarshalText makes JSON and YAML carry the version as its string.
func (v Version) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads what MarshalText wrote; "" is the zero value.
func (v *Version) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*v = Version{}
		return nil
	}
	p, err := ParseVersion(string(b))
	if err == nil {
		*v = p
	}
	return err
}

func comparePrerelease(a, b string) int {
	switch {
	case a == b:
		return 0
	case a == "":
		return 1
	case b == "":
		return -1
	}
	return cmp.Or(cmp.Compare(prereleaseRank(a), prereleaseRank(b)), cmp.Compare(prereleaseNumber(a), prereleaseNumber(b)))
}

func prereleaseRank(s string) int {
	switch s[0] {
	case 'a':
		return 0
	case 'b':
		return 1
	}
	return 2
}

func prereleaseNumber(s string) int {
	for i := range s {
		if s[i] == '.' {
			n, _ := strconv.Atoi(s[i+1:])
			return n
		}
	}
	return 0
}
