package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// version is major, minor, patch and k0s's build, with what came before and whether it is a pre-release. The flavour of an image, "-musl",
// is followed by the same flavour only.
type version struct {
	text       string
	number     [4]int
	flavour    string
	prerelease bool
}

func parse(text string) (version, bool) {
	m := regexp.MustCompile(`^v?(\d+)\.(\d+)\.(\d+)(-[\w.]+)?(?:\+k0s\.(\d+))?$`).FindStringSubmatch(text)
	if m == nil {
		return version{}, false
	}
	v := version{text: text}
	if v.prerelease = strings.Contains(m[4], "."); !v.prerelease {
		v.flavour = m[4]
	}
	for i, part := range []string{m[1], m[2], m[3], m[5]} {
		v.number[i], _ = strconv.Atoi(part)
	}
	return v, true
}

// next writes a version that many steps after this one: minor releases begin with patch 0, major ones with 0.0.
func (v version) next(major, minor, patch, build int, suffix string) string {
	n := v.number
	switch {
	case major > 0:
		n = [4]int{n[0] + major, 0, 0, 0}
	case minor > 0:
		n = [4]int{n[0], n[1] + minor, patch, build}
	case patch > 0:
		n = [4]int{n[0], n[1], n[2] + patch, build}
	default:
		n[3] += build
	}
	s := fmt.Sprintf("%d.%d.%d%s", n[0], n[1], n[2], suffix)
	if strings.HasPrefix(v.text, "v") {
		s = "v" + s
	}
	if strings.Contains(v.text, "+k0s.") {
		s += fmt.Sprintf("+k0s.%d", n[3])
	}
	return s + v.flavour
}

// around invents what has come out since a version: for each answer that the policy can give, something that it applies to.
func around(current version) []release {
	out := []release{{current.text, 90 * day}}
	add := func(version string, days int) { out = append(out, release{version, time.Duration(days) * day}) }
	if strings.Contains(current.text, "+k0s.") {
		if rebuiltOnly(current) {
			add(current.next(0, 0, 0, 1, ""), 20)
			add(current.next(0, 2, 1, 0, ""), 60) // the minor after the next, and nothing between
			return out
		}
		add(current.next(0, 0, 0, 1, ""), 40)
		add(current.next(0, 0, 1, 0, "-rc.1"), 39)
		add(current.next(0, 0, 1, 0, ""), 20)
		add(current.next(0, 0, 2, 0, ""), 5)
		add(current.next(0, 0, 3, 0, ""), 1)
		add(current.next(0, 1, 0, 0, "-rc.0"), 35) // never followed by .0, as it is with v1.36
		add(current.next(0, 1, 1, 0, ""), 30)
		add(current.next(0, 1, 2, 0, ""), 8)
		add(current.next(0, 1, 3, 0, ""), 2)
		add(current.next(0, 2, 1, 0, ""), 30)
		return out
	}
	add(current.next(0, 0, 1, 0, ""), 40)
	add(current.next(0, 1, 0, 0, ""), 20)
	add(current.next(0, 2, 0, 0, ""), 5)
	add(current.next(0, 3, 0, 0, ""), 1)
	add(current.next(0, 4, 0, 0, "-rc.1"), 40)
	add(current.next(1, 0, 0, 0, ""), 30)
	if current.flavour != "" {
		add(strings.TrimSuffix(current.next(0, 9, 0, 0, ""), current.flavour), 30)
	}
	return out
}

// rebuiltOnly picks the one release of the check's own sites for the case that all there is to take is a rebuild.
func rebuiltOnly(v version) bool { return v.number[1] == 33 }

// policy is who may have what, as docs/renovate.md tells it: written a second time here, and not read from the configuration it is held
// against.
type policy struct {
	age      time.Duration
	approval bool
	never    bool
}

func policyOf(tier string, d dependency) policy {
	switch {
	case tier == "lab" && d.DepName == "k0s":
		return policy{never: true}
	case d.Datasource == "kubernetes-api":
		return policy{never: true}
	}
	p := policy{age: 14 * day, approval: true}
	switch tier {
	case "staging":
		p = policy{age: 3 * day}
	case "components":
		p = policy{age: 14 * day}
	case "pipeline":
		p = policy{age: 7 * day}
	case "lab":
		p = policy{}
	}
	if d.Datasource == "docker" || tier == "pipeline" && strings.HasSuffix(d.DepName, "/kiban") {
		p.age = 0
	}
	return p
}

// expect is what a policy lets through: the newest of the release in use, and the newest of the next one. For k0s that is patch and next
// minor, for everything else whatever keeps the major version, and the newest major.
func expect(d dependency, releases []release, p policy) []string {
	current, ok := parse(d.CurrentValue)
	if !ok || p.never {
		return nil
	}
	var near, far version
	for _, r := range releases {
		v, ok := parse(r.version)
		if !ok || v.prerelease || v.flavour != current.flavour || r.age < p.age || slices.Compare(v.number[:], current.number[:]) <= 0 {
			continue
		}
		line := 1 // how much of the number the release in use shares with its successors
		if d.DepName == "k0s" {
			line = 2
		}
		switch {
		case slices.Equal(v.number[:line], current.number[:line]):
			near = later(near, v)
		case d.DepName != "k0s" || v.number[0] == current.number[0] && v.number[1] == current.number[1]+1:
			far = later(far, v)
		}
	}
	var want []string
	for _, v := range []version{near, far} {
		if v.text != "" {
			want = append(want, v.text)
		}
	}
	return want
}

func later(a, b version) version {
	if slices.Compare(a.number[:], b.number[:]) > 0 {
		return a
	}
	return b
}
