package site

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/site/overlay"
)

// span is a range of addresses, both ends included.
type span struct{ first, last netip.Addr }

func (s span) overlaps(o span) bool {
	return s.first.BitLen() == o.first.BitLen() && s.first.Compare(o.last) <= 0 && o.first.Compare(s.last) <= 0
}

func prefixSpan(p netip.Prefix) span {
	p = p.Masked()
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	last, _ := netip.AddrFromSlice(b) // as long as the address it came from
	return span{p.Addr(), last}
}

// parseSpan reads what MetalLB takes: "10.0.0.0/24" or "10.0.0.10-10.0.0.20".
func parseSpan(s string) (span, bool) {
	if p, err := netip.ParsePrefix(strings.TrimSpace(s)); err == nil {
		return prefixSpan(p), true
	}
	from, to, found := strings.Cut(s, "-")
	if !found {
		return span{}, false
	}
	first, err1 := netip.ParseAddr(strings.TrimSpace(from))
	last, err2 := netip.ParseAddr(strings.TrimSpace(to))
	if err1 != nil || err2 != nil || first.BitLen() != last.BitLen() || last.Less(first) {
		return span{}, false
	}
	return span{first, last}, true
}

// poolRange is one entry of an address pool.
type poolRange struct {
	pool, text string
	span       span
	at         overlay.Place
}

const kindPool = "IPAddressPool"

// readPool reads the ranges of a pool; what is no range is a finding.
func readPool(d lifecycle.Document, node *yaml.Node) ([]poolRange, []finding) {
	if d.Kind != kindPool || !strings.HasPrefix(d.APIVersion, "metallb.io/") {
		return nil, nil
	}
	var ranges []poolRange
	var found []finding
	for i, n := range overlay.Items(overlay.Field(node, "spec", "addresses")) {
		where := objectPlace(d, "spec", "addresses", overlay.Index(i))
		s, ok := parseSpan(overlay.Text(n))
		if !ok {
			found = append(found, wrong(where, fmt.Sprintf("pool %s: %q is no range of addresses", d.Name, overlay.Text(n)), "",
				"Write it like 10.20.8.0/24 or 10.20.8.10-10.20.8.99."))
			continue
		}
		ranges = append(ranges, poolRange{d.Name, overlay.Text(n), s, where})
	}
	return ranges, found
}

// taken is an address, or a range, that something else has.
type taken struct {
	what string
	span span
}

// checkPools holds that load balancers get no address that something else has.
func checkPools(objects []object, c clusterDocument) []finding {
	var ranges []poolRange
	var found []finding
	for _, o := range objects {
		more, wrongs := readPool(o.Document, o.node)
		ranges, found = append(ranges, more...), append(found, wrongs...)
	}
	if len(ranges) == 0 {
		return found
	}
	others := addressesOf(c)
	for i, r := range ranges {
		for _, t := range others {
			if r.span.overlaps(t.span) {
				found = append(found, wrong(r.at, fmt.Sprintf("pool %s (%s) overlaps %s", r.pool, r.text, t.what),
					"A Service could get an address that is in use.", "Choose a range that nothing else has."))
			}
		}
		for _, o := range ranges[:i] {
			if r.span.overlaps(o.span) {
				found = append(found, wrong(r.at, fmt.Sprintf("pool %s (%s) overlaps pool %s (%s)", r.pool, r.text, o.pool, o.text),
					"MetalLB refuses such pools.", "Choose ranges that do not overlap."))
			}
		}
	}
	return found
}

// addressesOf are those that the cluster itself uses.
func addressesOf(c clusterDocument) []taken {
	var out []taken
	add := func(what, value string) {
		value, _, _ = strings.Cut(value, "/") // virtual addresses carry the length of their network
		if ip, err := netip.ParseAddr(value); err == nil {
			ip = ip.Unmap().WithZone("")
			out = append(out, taken{fmt.Sprintf("%s (%s)", what, ip), span{ip, ip}})
		}
	}
	for _, h := range c.Spec.Hosts {
		add("host "+h.Hostname, h.address())
		if h.PrivateAddress != h.address() {
			add("host "+h.Hostname, h.PrivateAddress)
		}
	}
	add("the API's external address", c.Spec.K0s.Config.Spec.API.ExternalAddress)
	keepalived := c.Spec.K0s.Config.Spec.Network.ControlPlane.Keepalived
	for _, v := range keepalived.VRRP {
		for _, ip := range v.VirtualIPs {
			add("a virtual address of the control plane", ip)
		}
	}
	for _, s := range keepalived.Servers {
		add("a virtual server of the control plane", s.Address)
	}
	if len(c.Spec.Hosts) > 0 {
		nets, _ := networks(c)
		for _, n := range nets {
			out = append(out, taken{fmt.Sprintf("the %s (%s)", n.name, n.prefix), prefixSpan(n.prefix)})
		}
	}
	return out
}

// sitePools are the ranges that a loaded site gives out, for comparison with other sites.
func sitePools(s lifecycle.Site) []poolRange {
	docs := append([]lifecycle.Document{}, s.Objects...)
	for _, a := range s.Addons {
		docs = append(docs, a.Objects...)
	}
	var ranges []poolRange
	for _, d := range docs {
		if d.Kind != kindPool {
			continue
		}
		nodes, err := overlay.ParseYAML(d.YAML)
		if err != nil || len(nodes) != 1 {
			continue // the site's own findings say so
		}
		more, _ := readPool(d, nodes[0])
		ranges = append(ranges, more...)
	}
	return ranges
}

// checkFleetPools finds addresses that two sites give out. The ranges are swept by their first address: each is held against those before
// it that have not ended yet, so that a fleet whose sites keep apart costs one sort.
func checkFleetPools(sites []lifecycle.Site) lifecycle.Diagnostics {
	var all []sitePool
	for _, s := range sites {
		for _, r := range sitePools(s) {
			all = append(all, sitePool{len(all), s.Name, r})
		}
	}
	slices.SortStableFunc(all, func(a, b sitePool) int {
		return cmp.Or(cmp.Compare(a.span.first.BitLen(), b.span.first.BitLen()), a.span.first.Compare(b.span.first))
	})
	var open, clashes []sitePool // clashes are pairs
	for _, r := range all {
		open = slices.DeleteFunc(open, func(o sitePool) bool { return !o.span.overlaps(r.span) })
		for _, o := range open {
			if o.name != r.name {
				clashes = append(clashes, o, r)
			}
		}
		open = append(open, r)
	}
	var ds lifecycle.Diagnostics
	for pair := range slices.Chunk(clashes, 2) {
		o, r := pair[0], pair[1]
		if r.order < o.order {
			o, r = r, o
		}
		ds = append(ds, lifecycle.Errorf(r.at.Subject, "two sites give out the same addresses: %s and %s", o.text, r.text).
			Because(fmt.Sprintf("Pool %s of %s (%s) and pool %s of %s (%s) overlap.", o.pool, o.name, o.at.Subject, r.pool, r.name, r.at.Subject)).
			Try("Choose ranges that do not overlap."))
	}
	return ds
}

// sitePool is a range that a site gives out; order is where it stands among all of the fleet's.
type sitePool struct {
	order int
	name  string
	poolRange
}
