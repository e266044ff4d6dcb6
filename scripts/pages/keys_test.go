package pages

import (
	"regexp"
	"testing"
)

var intoFile = regexp.MustCompile(`(?m)kiban kubeconfig [^\n#>]*> *[^\n]*`)

// TestNoPageLeavesKeysInTheFleet: a shell makes files that everybody may read, where it stands, and that is the fleet. No page has an
// administrator's kubeconfig made so: --out and --merge are there for it. One of --oidc holds no key.
func TestNoPageLeavesKeysInTheFleet(t *testing.T) {
	pages, err := Markdown(root)
	if err != nil {
		t.Fatal(err)
	}
	oidc := regexp.MustCompile(`--oidc`)
	for _, page := range pages {
		for _, found := range intoFile.FindAllString(read(t, page), -1) {
			if !oidc.MatchString(found) {
				t.Errorf("%s: %s", page, found)
			}
		}
	}
}
