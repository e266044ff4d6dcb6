package risks

import (
	"cmp"
	"strconv"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// compareReleases orders versions of what is no k0s, such as "1.7.29", "v0.16.0-rc.1" and "6.1.0-25-amd64": by their numbers, of which
// those that are not there are 0. What stands behind a hyphen makes a prerelease, but of a kernel, where it is the distribution's.
func compareReleases(a, b string) int {
	coreA, restA, _ := strings.Cut(strings.TrimPrefix(a, "v"), "-")
	coreB, restB, _ := strings.Cut(strings.TrimPrefix(b, "v"), "-")
	as, bs := strings.Split(coreA, "."), strings.Split(coreB, ".")
	for i := range max(len(as), len(bs)) {
		if c := cmp.Compare(number(as, i), number(bs, i)); c != 0 {
			return c
		}
	}
	switch {
	case restA == restB:
		return 0
	case restA == "":
		return 1
	case restB == "":
		return -1
	}
	return strings.Compare(restA, restB)
}

// number is the i-th part's leading digits.
func number(parts []string, i int) int {
	if i >= len(parts) {
		return 0
	}
	digits := strings.TrimRight(parts[i], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+_~")
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0
	}
	return n
}

// kernelRelease is the upstream part of what `uname -r` says.
func kernelRelease(s string) string {
	core, _, _ := strings.Cut(s, "-")
	return core
}

// within reports whether a version is in a range; "" is no bound.
func within(v, since, before string) bool {
	return (since == "" || compareReleases(v, since) >= 0) && (before == "" || compareReleases(v, before) < 0)
}

// carried is what is known of the version of a component that a release of k0s carries.
type carried struct {
	// exact is the version; "" where the release is not in the data. Then least is what the newest release before it carries, "" for none:
	// components do not go back.
	exact, least string
}

// carries looks a component up. A release before the first that the data has of its minor release, such as v1.36.0, counts as that one.
func carries(v lifecycle.Version, component string) (c carried) {
	text, _ := files.ReadFile("components.txt") // part of the program; its releases are sorted
	var newest lifecycle.Version
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] == "#" {
			continue
		}
		release, err := lifecycle.ParseVersion(fields[0])
		if err != nil {
			continue
		}
		for _, f := range fields[1:] {
			name, value, _ := strings.Cut(f, "=")
			switch {
			case name != component:
			case release == v, v.Less(release) && release.MinorsAhead(v) == 0 && newest.MinorsAhead(v) != 0:
				return carried{exact: value}
			case release.Less(v):
				newest, c.least = release, value
			}
		}
	}
	return c
}

// components are those that the data knows.
func components() []string {
	return []string{"containerd", "runc", "etcd", "kine", "konnectivity", "iptables", "kube-router", "calico", "coredns", "metrics-server"}
}

// inRange says whether the component of a release is in a range: for certain, for certain not, or not known.
func (c carried) inRange(since, before string) answer {
	switch {
	case c.exact != "":
		return answerOf(within(c.exact, since, before))
	case c.least != "" && before != "" && compareReleases(c.least, before) >= 0:
		return no
	case c.least != "" && before == "" && within(c.least, since, ""):
		return yes
	}
	return unknown
}
