package images

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/cache"
)

// addressRange is from one address to another, both included.
type addressRange struct {
	first, last netip.Addr
	text        string
}

func (r addressRange) contains(a netip.Addr) bool {
	return a.BitLen() == r.first.BitLen() && a.Compare(r.first) >= 0 && a.Compare(r.last) <= 0
}

func (r addressRange) overlaps(o addressRange) bool {
	return r.contains(o.first) || o.contains(r.first)
}

// parsePool reads the addresses of an IPAddressPool.
func parsePool(name string, pool unstructured.Unstructured) ([]addressRange, error) {
	list, _, err := unstructured.NestedStringSlice(pool.Object, "spec", "addresses")
	if err != nil {
		return nil, err
	}
	var ranges []addressRange
	for _, text := range list {
		r, err := parseRange(text)
		if err != nil {
			return nil, fmt.Errorf("parsing address pool %s: invalid CIDR %q: %w", name, text, err)
		}
		ranges = append(ranges, r)
	}
	return ranges, nil
}

// parseRange reads "192.0.2.0/28" and "192.0.2.1-192.0.2.9".
func parseRange(text string) (addressRange, error) {
	if from, to, ok := strings.Cut(text, "-"); ok {
		first, err := netip.ParseAddr(strings.TrimSpace(from))
		if err != nil {
			return addressRange{}, err
		}
		last, err := netip.ParseAddr(strings.TrimSpace(to))
		if err != nil {
			return addressRange{}, err
		}
		if first.BitLen() != last.BitLen() || last.Less(first) {
			return addressRange{}, fmt.Errorf("the range ends before it begins")
		}
		return addressRange{first, last, text}, nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return addressRange{}, err
	}
	last := p.Masked().Addr().AsSlice()
	for bit := p.Bits(); bit < len(last)*8; bit++ {
		last[bit/8] |= 0x80 >> (bit % 8)
	}
	end, _ := netip.AddrFromSlice(last)
	return addressRange{p.Masked().Addr(), end, text}, nil
}

// firstFree is the first address of the ranges that nobody has.
func firstFree(ranges []addressRange, taken map[netip.Addr]bool) (netip.Addr, bool) {
	for _, r := range ranges {
		for a := r.first; a.IsValid() && r.contains(a); a = a.Next() {
			if !taken[a] {
				return a, true
			}
		}
	}
	return netip.Addr{}, false
}

// poolsOf are the pools that an informer has, by name. One that makes no sense has no addresses.
func poolsOf(informer cache.SharedIndexInformer) []pool {
	var pools []pool
	for _, o := range listed[*unstructured.Unstructured](informer) {
		ranges, err := parsePool(o.GetName(), *o)
		if err != nil {
			continue
		}
		auto, found, err := unstructured.NestedBool(o.Object, "spec", "autoAssign")
		pools = append(pools, pool{name: o.GetName(), ranges: ranges, auto: auto || !found || err != nil})
	}
	slices.SortFunc(pools, func(a, b pool) int { return strings.Compare(a.name, b.name) })
	return pools
}
