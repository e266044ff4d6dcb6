package lifecycle

import "testing"

func TestOwns(t *testing.T) {
	plain := Host{Name: "c1", Role: RoleController, Address: "10.0.0.1"}
	private := Host{Name: "c1", Role: RoleController, Address: "10.0.0.1", PrivateAddress: "192.168.0.1"}
	six := Host{Name: "c1", Role: RoleController, Address: "10.0.0.1", PrivateAddress: "FD00:0:0::1"}
	named := Host{Name: "c1", Role: RoleController, Address: "c1.example.com"}
	for name, c := range map[string]struct {
		host        Host
		member      EtcdMember
		owns, moved bool
	}{
		"by name and address":              {plain, EtcdMember{"c1", "10.0.0.1"}, true, false},
		"by a name in capitals":            {plain, EtcdMember{"C1", "10.0.0.1"}, true, false},
		"by its address":                   {plain, EtcdMember{"node-17", "10.0.0.1"}, true, false},
		"by its address, written long":     {six, EtcdMember{"node-17", "fd00::1"}, true, false},
		"by its private address":           {private, EtcdMember{"node-17", "192.168.0.1"}, true, false},
		"joined before it had a private":   {private, EtcdMember{"c1", "10.0.0.1"}, true, true},
		"by the address that SSH uses":     {private, EtcdMember{"node-17", "10.0.0.1"}, true, true},
		"moved, by a name in capitals":     {plain, EtcdMember{"C1", "10.9.9.9"}, true, true},
		"an address that is a name":        {named, EtcdMember{"c1", "10.0.0.1"}, true, false},
		"a member without an address":      {plain, EtcdMember{"c1", ""}, true, false},
		"another's":                        {plain, EtcdMember{"c2", "10.0.0.2"}, false, false},
		"no one's: it says nothing at all": {Host{Name: "c1"}, EtcdMember{}, false, false},
	} {
		if got := c.host.Owns(c.member); got != c.owns {
			t.Errorf("%s: owns %t, want %t", name, got, c.owns)
		}
		if got := c.host.Moved(c.member); got != c.moved {
			t.Errorf("%s: moved %t, want %t", name, got, c.moved)
		}
	}
}

func TestOwnersGoByAddressFirst(t *testing.T) {
	c := Cluster{Hosts: []Host{
		{Name: "w", Role: RoleWorker, Address: "10.0.0.9"},
		{Name: "c1", Role: RoleController, Address: "10.0.0.1"},
		{Name: "c2", Role: RoleController, Address: "10.0.0.2"},
	}}
	// a machine calls itself something else than it is declared as
	members := EtcdState{Members: []EtcdMember{{"c1", "10.0.0.2"}, {"c2", "10.0.0.1"}}}
	if h, ok := c.EtcdOwner(members.Members[0]); !ok || h.Name != "c2" {
		t.Errorf("the owner is %q, %t", h.Name, ok)
	}
	if m, ok := members.MemberOf(c.Hosts[1]); !ok || m.Name != "c2" {
		t.Errorf("the member is %q, %t", m.Name, ok)
	}
	if h, ok := c.EtcdOwner(EtcdMember{"C2", "10.9.9.9"}); !ok || h.Name != "c2" {
		t.Errorf("by name: %q, %t", h.Name, ok)
	}
	if h, ok := c.EtcdOwner(EtcdMember{"w", "10.0.0.9"}); ok {
		t.Errorf("%s, a worker, has an etcd member", h.Name)
	}
	if m, ok := members.MemberOf(c.Hosts[0]); ok {
		t.Errorf("a worker has the member %q", m.Name)
	}
}

// Who leaves is told by name and address together: where these tell of two controllers, nobody does.
func TestLeaving(t *testing.T) {
	c := Cluster{Hosts: []Host{
		{Name: "c1", Role: RoleController, Address: "10.0.0.1"},
		{Name: "c2", Role: RoleController, Address: "10.0.0.2"},
		{Name: "c3", Role: RoleController, Address: "10.0.0.3", PrivateAddress: "10.1.0.3"},
	}}
	for name, tt := range map[string]struct {
		host    string
		members []EtcdMember
		want    string // the peer address; "" when nobody leaves
		doubt   bool
	}{
		"by name and address":        {"c1", []EtcdMember{{"c1", "10.0.0.1"}, {"c2", "10.0.0.2"}}, "10.0.0.1", false},
		"by its address":             {"c1", []EtcdMember{{"node-17", "10.0.0.1"}, {"c2", "10.0.0.2"}}, "10.0.0.1", false},
		"by its name":                {"c3", []EtcdMember{{"c3", "10.0.0.3"}, {"c2", "10.0.0.2"}}, "10.0.0.3", false},
		"gone":                       {"c1", []EtcdMember{{"c2", "10.0.0.2"}}, "", false},
		"addresses swapped":          {"c1", []EtcdMember{{"c1", "10.0.0.2"}, {"c2", "10.0.0.1"}}, "", true},
		"the name of one that is up": {"c1", []EtcdMember{{"c1", "10.0.0.2"}}, "", true},
		"the address of another":     {"c1", []EtcdMember{{"c2", "10.0.0.1"}}, "", true},
		"two of them":                {"c1", []EtcdMember{{"c1", "10.9.9.9"}, {"node-17", "10.0.0.1"}}, "", true},
	} {
		h, _ := c.Host(tt.host)
		m, known, err := c.Leaving(h, tt.members)
		if m.PeerAddress != tt.want || known != (tt.want != "") || (err != nil) != tt.doubt {
			t.Errorf("%s: %+v, %t, %v", name, m, known, err)
		}
	}
}
