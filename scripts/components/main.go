// Components writes which containerd, runc, etcd and network plugin each release of k0s carries, as k0s's own source says at the release's
// tag: embedded-bins/Makefile.variables and pkg/constant/constant.go. It reads a clone of github.com/k0sproject/k0s, bare or not, and asks
// nobody.
//
//	go run ./scripts/components CLONE > lifecycle/readiness/risks/components.txt
//	go run ./scripts/components -verify CLONE     # whether the file says what the source does, of the releases that it has
package main

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const data = "lifecycle/readiness/risks/components.txt"

const head = `# What each release of k0s carries, from github.com/k0sproject/k0s at its tag: embedded-bins/Makefile.variables and
# pkg/constant/constant.go. Written by go run ./scripts/components CLONE.
`

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "components:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	verify := len(args) > 0 && args[0] == "-verify"
	if verify {
		args = args[1:]
	}
	if len(args) != 1 {
		return errors.New("give the clone of github.com/k0sproject/k0s")
	}
	text, err := table(args[0])
	if err != nil {
		return err
	}
	if !verify {
		_, err := out.Write(text)
		return err
	}
	return compare(text)
}

// compare holds the file against what was just read: each line of a release that the clone has.
func compare(now []byte) error {
	was, err := os.ReadFile(data)
	if err != nil {
		return err
	}
	have := map[string]string{}
	for line := range strings.Lines(string(now)) {
		version, _, _ := strings.Cut(line, " ")
		have[version] = line
	}
	var wrong []error
	for line := range strings.Lines(string(was)) {
		version, _, _ := strings.Cut(line, " ")
		if want := have[version]; want != "" && strings.HasPrefix(version, "v") && want != line {
			wrong = append(wrong, fmt.Errorf("%s: the source says %q", version, strings.TrimSpace(want)))
		}
	}
	return errors.Join(wrong...)
}

// table reads all releases from v1.30 on.
func table(clone string) ([]byte, error) {
	tags, err := git(clone, "tag", "--list", "v1.*")
	if err != nil {
		return nil, err
	}
	form := regexp.MustCompile(`^v1\.(\d+)\.(\d+)\+k0s\.(\d+)$`)
	type release struct {
		tag string
		key [3]int
	}
	var releases []release
	for tag := range strings.FieldsSeq(string(tags)) {
		m := form.FindStringSubmatch(tag)
		if m == nil {
			continue
		}
		var r release
		r.tag = tag
		for i := range r.key {
			r.key[i], _ = strconv.Atoi(m[i+1]) // the form admits digits only
		}
		if r.key[0] >= 30 {
			releases = append(releases, r)
		}
	}
	slices.SortFunc(releases, func(a, b release) int {
		return cmp.Or(cmp.Compare(a.key[0], b.key[0]), cmp.Compare(a.key[1], b.key[1]), cmp.Compare(a.key[2], b.key[2]))
	})
	if len(releases) == 0 {
		return nil, errors.New("the clone has no releases: fetch its tags")
	}
	var b bytes.Buffer
	b.WriteString(head)
	for _, r := range releases {
		line, err := carries(clone, r.tag)
		if err != nil {
			return nil, err
		}
		b.WriteString(r.tag + line + "\n")
	}
	return b.Bytes(), nil
}

// carries is what a release carries: " containerd=2.3.3 runc=1.4.3 ...".
func carries(clone, tag string) (string, error) {
	makefile, err := git(clone, "show", tag+":embedded-bins/Makefile.variables")
	if err != nil {
		return "", err
	}
	constants, err := git(clone, "show", tag+":pkg/constant/constant.go")
	if err != nil {
		return "", err
	}
	number := regexp.MustCompile(`^[0-9]+(\.[0-9]+)+$`)
	var b strings.Builder
	for _, name := range []string{"containerd", "runc", "etcd", "kine", "konnectivity", "iptables"} {
		v, _, _ := strings.Cut(cmp.Or(variable(makefile, name+"_version_and_rev"), variable(makefile, name+"_version")), "@")
		if !number.MatchString(v) {
			return "", fmt.Errorf("%s does not say which %s it carries", tag, name)
		}
		b.WriteString(" " + name + "=" + v)
	}
	for _, c := range [][2]string{{"kube-router", "KubeRouterCNIImageVersion"}, {"calico", "CalicoCNIImageVersion"},
		{"calico", "CalicoComponentImagesVersion"}, {"coredns", "CoreDNSImageVersion"}, {"metrics-server", "MetricsImageVersion"}} {
		m := regexp.MustCompile(`(?m)^\s*` + c[1] + `\s*=\s*"v?([0-9]+(?:\.[0-9]+)*)`).FindSubmatch(constants)
		if m != nil {
			b.WriteString(" " + c[0] + "=" + string(m[1]))
		}
	}
	return b.String(), nil
}

// variable is what a line of the Makefile gives a variable.
func variable(makefile []byte, name string) string {
	s := bufio.NewScanner(bytes.NewReader(makefile))
	for s.Scan() {
		if key, value, ok := strings.Cut(s.Text(), "="); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func git(clone string, args ...string) ([]byte, error) {
	out, err := exec.Command("git", append([]string{"-C", clone}, args...)...).Output()
	if err != nil {
		return nil, fmt.Errorf("git %s: %w", args[0], err)
	}
	return out, nil
}
