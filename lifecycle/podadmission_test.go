package lifecycle

import (
	"fmt"
	"strings"
	"testing"
)

// How API servers judge pods is what the first controller is declared to have, for the version that is asked for.
func TestPodAdmission(t *testing.T) {
	const names = `{"spec":{"api":{"extraArgs":{"admission-control-config-file":"/etc/k0s/a.yaml"}}}}`
	target := Version{Major: 1, Minor: 37}
	controller := func(files ...HostFile) []Host {
		return []Host{{Name: "w1", Role: RoleWorker}, {Name: "c1", Role: RoleController, Files: files}}
	}
	file := HostFile{Path: "/etc/k0s/a.yaml", Content: []byte("content")}
	later, unread := file, HostFile{Path: "/etc/k0s/a.yaml", Missing: "PASSWORD is not set"}
	later.Since = Version{Major: 1, Minor: 38}
	for name, c := range map[string]struct {
		hosts   []Host
		config  string
		want    string // config, what is off
		unknown string
	}{
		"nothing said":             {hosts: controller(), want: " []"},
		"a file":                   {hosts: controller(file), config: names, want: "content []"},
		"a file that is not there": {hosts: controller(), config: names, want: " []", unknown: "not among the files"},
		"a file of later":          {hosts: controller(later), config: names, want: " []", unknown: "not among the files"},
		"a file that is not read":  {hosts: controller(unread), config: names, want: " []", unknown: "PASSWORD is not set"},
		"no controller":            {hosts: controller()[:1], config: names, want: " []", unknown: "no controller"},
		"plugins that are off": {hosts: controller(), want: " [PodSecurity LimitRanger]",
			config: `{"spec":{"api":{"extraArgs":{"disable-admission-plugins":"PodSecurity,LimitRanger"}}}}`},
	} {
		got := Site{Cluster: Cluster{Hosts: c.hosts, Config: []byte(c.config)}}.PodAdmission(target)
		if fmt.Sprintf("%s %v", got.Config, got.Off) != c.want ||
			(got.Unknown != "") != (c.unknown != "") || !strings.Contains(got.Unknown, c.unknown) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
