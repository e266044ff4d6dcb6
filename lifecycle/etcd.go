package lifecycle

import (
	"fmt"
	"net/netip"
	"strings"
)

// Owns reports whether the etcd member is the host's: it has the host's name, whatever its case, or is at one of its addresses. The name
// is the machine's own hostname, which may differ from the declared one.
func (h Host) Owns(e EtcdMember) bool {
	return strings.EqualFold(e.Name, h.Name) || sameAddress(e.PeerAddress, h.ClusterAddress()) || sameAddress(e.PeerAddress, h.Address)
}

// Moved reports whether the member is the host's, and etcd knows it at another address than the one that is declared for the cluster's
// own traffic. An address is written when a member joins, and stays. A host whose address is a name tells nothing of it.
func (h Host) Moved(e EtcdMember) bool {
	declared, errDeclared := netip.ParseAddr(h.ClusterAddress())
	there, errThere := netip.ParseAddr(e.PeerAddress)
	return h.Owns(e) && errDeclared == nil && errThere == nil && declared != there
}

// EtcdOwner is the declared controller behind an etcd member: by the address first, for that is what etcd's own traffic goes by.
func (c Cluster) EtcdOwner(e EtcdMember) (owner Host, known bool) {
	for _, h := range c.Hosts {
		switch {
		case !h.Role.IsController():
		case sameAddress(e.PeerAddress, h.ClusterAddress()):
			return h, true
		case h.Owns(e) && !known:
			owner, known = h, true
		}
	}
	return owner, known
}

// MemberOf is the host's etcd member, by the address first.
func (s EtcdState) MemberOf(h Host) (member EtcdMember, known bool) {
	for _, e := range s.Members {
		switch {
		case sameAddress(e.PeerAddress, h.ClusterAddress()):
			return e, true
		case h.Owns(e) && !known:
			member, known = e, true
		}
	}
	return member, known
}

// Leaving is the etcd member that leaves with a host; known is false where none is the host's. It is an error where name and address
// tell of different controllers, such as after two addresses were swapped in the declaration: the wrong one would leave, and quorum with
// it.
func (c Cluster) Leaving(h Host, members []EtcdMember) (member EtcdMember, known bool, err error) {
	var own []EtcdMember
	for _, e := range members {
		if h.Owns(e) {
			own = append(own, e)
		}
	}
	if len(own) == 0 {
		return EtcdMember{}, false, nil
	}
	doubt := Errorf(h.Name, "it can't be told which member of etcd is this controller").
		Try("Compare `k0s etcd member-list` with the names and addresses that the site declares, and correct these.")
	if len(own) > 1 {
		return EtcdMember{}, false, doubt.Because(fmt.Sprintf("Both %s and %s have its name or its address.", own[0], own[1]))
	}
	for _, other := range c.Controllers() {
		if other.Name != h.Name && other.Owns(own[0]) {
			return EtcdMember{}, false, doubt.Because(fmt.Sprintf("Member %s is %s by the one of name and address, and %s by the other.",
				own[0], h.Name, other.Name))
		}
	}
	return own[0], true, nil
}

// String names a member: "c1 at 10.0.0.1".
func (e EtcdMember) String() string { return e.Name + " at " + e.PeerAddress }

// sameAddress compares addresses however they are written; none is no one's.
func sameAddress(a, b string) bool {
	if a == "" || b == "" {
		return false
	}
	x, errX := netip.ParseAddr(a)
	y, errY := netip.ParseAddr(b)
	if errX != nil || errY != nil {
		return strings.EqualFold(a, b)
	}
	return x == y
}
