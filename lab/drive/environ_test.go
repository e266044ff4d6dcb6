package drive

import (
	"slices"
	"testing"
)

func TestEnvironIsThatOfATerminal(t *testing.T) {
	kept := []string{"PATH=/bin", "HOME=/root", "KIBAN_BIN=bin/kiban", "KIBAN_LAB_BIN=bin/kiban-lab", "KIBAN_E2E_KEEP=1", "CITY=Osaka",
		"EMPTY="}
	taken := []string{"CI=true", "CI_JOB_URL=x", "GITLAB_CI=true", "GITLAB_USER_LOGIN=ann", "KIBAN_FLEET=/elsewhere", "KIBAN_SITE=tokyo",
		"KIBAN_RETRY_FAILED=1", "KIBAN_SECRET_APP=s", "KUBECONFIG=/root/.kube/config", "NO_COLOR=1"}
	if got := Environ(slices.Concat(taken[:5], kept, taken[5:])); !slices.Equal(got, kept) {
		t.Errorf("got %q, want %q", got, kept)
	}
}
