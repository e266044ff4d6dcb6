package k0s

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// systemUsers are the accounts that `k0s install controller` makes, one for each part of the control plane.
func systemUsers() []string {
	return []string{"etcd", "kine", "konnectivity-server", "kube-apiserver", "kube-scheduler"}
}

// firstSystemUser is the number of the first of them; the others follow.
const firstSystemUser = 990

// addUsers makes the accounts that are missing.
func (s *session) addUsers() error {
	b, err := s.call.Files.ReadFile("/etc/passwd")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return pathError(err)
	}
	text := string(b)
	for i, name := range systemUsers() {
		if !strings.Contains("\n"+text, "\n"+name+":") {
			text += fmt.Sprintf("%s:x:%[2]d:%[2]d::%s:/usr/sbin/nologin\n", name, firstSystemUser+i, s.flags.dataDir)
		}
	}
	if text == string(b) {
		return nil
	}
	return pathError(s.call.Files.WriteFile("/etc/passwd", []byte(text), 0o644))
}

// removeUsers takes them away, as `k0s reset` does.
func (s *session) removeUsers() error {
	b, err := s.call.Files.ReadFile("/etc/passwd")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return pathError(err)
	}
	var kept strings.Builder
	for line := range strings.Lines(string(b)) {
		name, _, _ := strings.Cut(line, ":")
		if !isSystemUser(name) {
			kept.WriteString(line)
		}
	}
	if kept.String() == string(b) {
		return nil
	}
	return pathError(s.call.Files.WriteFile("/etc/passwd", []byte(kept.String()), 0o644))
}

func isSystemUser(name string) bool {
	for _, u := range systemUsers() {
		if u == name {
			return true
		}
	}
	return false
}
