package lifecycle

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Where k0s finds what its containerd is given: a configuration of k0s's own, which becomes an administrator's when its first line is
// removed, and files that are merged into it.
const (
	ContainerdConfig  = "/etc/k0s/containerd.toml"
	ContainerdDropIns = "/etc/k0s/containerd.d"
)

// DropIn is a file that a machine's containerd is given beside what k0s says itself, whoever has put it there.
type DropIn struct {
	Path string `json:"path"`
	// Digest is "sha256:<hex>" of its content.
	Digest string `json:"digest,omitempty"`
	// Form is the version of containerd's configuration that it is written in, as ContainerdForm has it.
	Form int `json:"form,omitempty"`
}

// containerd2 is the first minor release of k0s with containerd 2. Its workers do not start with a drop-in of `version = 2`; containerd 1.7,
// which those before it bring, ends within seconds of finding one of `version = 3` (H41).
func containerd2() Version { return Version{Major: 1, Minor: 36} }

// ReadByContainerd reports whether k0s gives a file of the machine to its containerd. It watches the folder: containerd is restarted 3 s
// after a file changes there, whenever that is.
func ReadByContainerd(file string) bool {
	return file == ContainerdConfig || path.Dir(file) == ContainerdDropIns && strings.HasSuffix(file, ".toml")
}

// OwnRuntime reports whether the host is declared to have a container runtime of its own: k0s starts no containerd there, and reads no
// drop-ins for it.
func (h Host) OwnRuntime() bool {
	return slices.ContainsFunc(h.Arguments, func(a string) bool { return strings.HasPrefix(a, "--cri-socket=") })
}

// ContainerdForm is the version of containerd's configuration that a file is written in: what its `version` says or, where it says none,
// the names of its sections. 0: neither tells, and containerd takes it for either.
func ContainerdForm(content []byte) int {
	form, above := 0, true
	for line := range bytes.Lines(content) {
		said, _, _ := bytes.Cut(line, []byte("#"))
		said = bytes.TrimSpace(said)
		above = above && !bytes.HasPrefix(said, []byte("["))
		key, value, _ := strings.Cut(string(said), "=")
		if n, err := strconv.Atoi(strings.TrimSpace(value)); err == nil && above && strings.TrimSpace(key) == "version" {
			return n
		}
		switch {
		case form > 0:
		case bytes.Contains(said, []byte("io.containerd.grpc.v1.cri")):
			form = 2
		case bytes.Contains(said, []byte("io.containerd.cri.v1.")):
			form = 3
		}
	}
	return form
}

// ContainerdVersions are the versions of k0s whose containerd takes a file of that form: from the one on, and before the other; zero where
// there is no such end. containerd 2 itself still reads the old form where a whole configuration is an administrator's; k0s refuses it in
// a drop-in.
func ContainerdVersions(file string, form int) (since, until Version) {
	switch {
	case form >= 3:
		return containerd2(), Version{}
	case form > 0 && file != ContainerdConfig:
		return Version{}, containerd2()
	}
	return Version{}, Version{}
}

// Takes reports whether k0s of that version takes the drop-in.
func (d DropIn) Takes(v Version) bool {
	f := HostFile{}
	f.Since, f.Until = ContainerdVersions(d.Path, d.Form)
	return f.Fits(v)
}

// ContainerdOf says which containerd k0s of that version brings.
func ContainerdOf(v Version) string {
	major, form := 1, 2
	if v.reaches(containerd2()) {
		major, form = 2, 3
	}
	return fmt.Sprintf("containerd %d, whose drop-ins are of `version = %d`", major, form)
}
