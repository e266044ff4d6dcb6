package plan

import (
	"encoding/json"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// TestA2_PlanShowsNoFileThatIsNoConfiguration: an argument or a link can make another file stand where k0s's configuration is expected. A
// key in PEM that YAML folds into one string has no name that a mask could see.
func TestA2_PlanShowsNoFileThatIsNoConfiguration(t *testing.T) {
	const secret = "MHcCAQEEIKcanary"
	pem, err := json.Marshal("-----BEGIN EC PRIVATE KEY----- " + secret + " -----END EC PRIVATE KEY-----")
	if err != nil {
		t.Fatal(err)
	}
	for name, have := range map[string]string{
		"a key":                 string(pem),
		"a line of text":        `"` + secret + `"`,
		"a list":                `["` + secret + `"]`,
		"another mapping":       `{"spec":{"x":"` + secret + `"}}`,
		"another kind":          `{"apiVersion":"v1","kind":"Config","x":"` + secret + `"}`,
		"the kind of another":   `{"apiVersion":"example.com/v1","kind":"ClusterConfig","x":"` + secret + `"}`,
		"the kind without more": `{"kind":"ClusterConfig","x":"` + secret + `"}`,
	} {
		p := survey(newSite(v136, 1, 0, host("controller-1", config(`{"spec":{"network":{"provider":"calico"}}}`))),
			lifecycle.State{Hosts: []lifecycle.HostState{{Name: "controller-1"}}})
		p.members[0].seen.Config, p.members[0].seen.ConfigDigest = []byte(have), "sha256:other"
		p.inspectConfig(p.members[0], tellings{})
		got := strings.Join(append(p.configChanges(p.members[0]), p.found.Error()), "\n")
		if strings.Contains(got, "canary") || !strings.Contains(got, "k0s.yaml: (not a k0s configuration) -> as declared") {
			t.Errorf("%s: %q", name, got)
		}
	}
}
