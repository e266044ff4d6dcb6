package lifecycle

import (
	"encoding/json"
	"regexp"
	"strings"
)

// AuditLog is the file that a controller's API server writes its audit log to, as the site declares it: spec.api.extraArgs of k0s's
// configuration. "" where it declares none.
func (s Site) AuditLog(h Host) string { return s.apiArgument(h, "audit-log-path") }

// apiArgument is what k0s's configuration of a controller gives its API server for a flag; "" where it says nothing.
func (s Site) apiArgument(h Host, flag string) string {
	for _, b := range [][]byte{h.Config, s.Cluster.Config} {
		var config struct {
			Spec struct {
				API struct {
					ExtraArgs map[string]string `json:"extraArgs"`
				} `json:"api"`
			} `json:"spec"`
		}
		if json.Unmarshal(b, &config) == nil && config.Spec.API.ExtraArgs[flag] != "" {
			return config.Spec.API.ExtraArgs[flag]
		}
	}
	return ""
}

var plainPath = regexp.MustCompile(`^(/[A-Za-z0-9_][A-Za-z0-9._-]*)+$`)

// IsPlainPath reports whether a path is absolute, and made of nothing that a shell or a pattern would read as something else.
func IsPlainPath(path string) bool {
	return plainPath.MatchString(path) && !strings.Contains(path, "..")
}
