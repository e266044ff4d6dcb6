package lifecycle

import (
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
