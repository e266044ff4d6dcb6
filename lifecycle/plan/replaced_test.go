package plan

import (
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// TestA13_TheDeadMembersAddressIsNamed: the machine of a controller was replaced and declared with another address. The member that is to
// leave etcd is at the former one, and that is the address in the hint.
func TestA13_TheDeadMembersAddressIsNamed(t *testing.T) {
	st := seen(t, newSite(v136, 3, 1))
	for i := range st.Hosts {
		if st.Hosts[i].Name == "controller-2" {
			st.Hosts[i] = lifecycle.HostState{Name: "controller-2", Hostname: "controller-2", Arch: "amd64", FreeBytes: 10 << 30}
		}
	}
	for i := range st.Etcd.Members {
		if st.Etcd.Members[i].Name == "controller-2" {
			st.Etcd.Members[i].PeerAddress = "10.99.99.99"
		}
	}
	found := false
	for _, d := range planned(t, newSite(v136, 3, 1), st).Diagnostics {
		if strings.Contains(d.Summary, "still an etcd member's") {
			found = true
			if !strings.Contains(d.Hint, "k0s etcd leave --peer-address 10.99.99.99") || strings.Contains(d.Hint, "10.0.0.12") {
				t.Errorf("the hint is %q", d.Hint)
			}
		}
	}
	if !found {
		t.Error("the member of the former machine is not told")
	}
}
