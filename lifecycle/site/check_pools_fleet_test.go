package site

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// poolsOf is a site that gives out ranges.
func poolsOf(name string, ranges ...string) lifecycle.Site {
	doc := "apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata:\n  name: pool\nspec:\n  addresses:\n  - " +
		strings.Join(ranges, "\n  - ")
	return lifecycle.Site{Name: name, Cluster: lifecycle.Cluster{Name: name},
		Objects: []lifecycle.Document{{APIVersion: "metallb.io/v1beta1", Kind: kindPool, Name: "pool", YAML: []byte(doc + "\n")}}}
}

// TestPoolsOfSitesOverlap holds the sweep against the comparison of every range with every other.
func TestPoolsOfSitesOverlap(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var sites []lifecycle.Site
		for i := range 2 + random.IntN(8) {
			var ranges []string
			for range 1 + random.IntN(3) {
				first := random.IntN(200)
				at := []string{"10.0.0.%d-10.0.0.%d", "fd00::%x-fd00::%x"}[random.IntN(2)]
				ranges = append(ranges, fmt.Sprintf(at, first, first+random.IntN(12)))
			}
			sites = append(sites, poolsOf(fmt.Sprintf("site-%d", i), ranges...))
		}
		want := map[string]int{}
		for i, s := range sites {
			for _, o := range sites[:i] {
				for _, a := range sitePools(s) {
					for _, b := range sitePools(o) {
						if a.span.overlaps(b.span) {
							want[fmt.Sprintf("two sites give out the same addresses: %s and %s", b.text, a.text)]++
						}
					}
				}
			}
		}
		got := map[string]int{}
		for _, d := range checkFleetPools(sites) {
			got[d.Summary]++
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("found\n%v\nof\n%v", got, want)
		}
	}
}

// BenchmarkCheckFleet checks what no site can see alone, over fleets of three sizes: what a site costs must not grow with the fleet.
func BenchmarkCheckFleet(b *testing.B) {
	for _, n := range []int{200, 1000, 3500} {
		var sites []lifecycle.Site
		for i := range n {
			s := poolsOf(fmt.Sprintf("site-%04d", i), fmt.Sprintf("10.%d.%d.0/28", i/250, i%250))
			s.Wave = i % 4
			if s.Wave > 0 {
				s.Promotion.From = []string{fmt.Sprintf("site-%04d", i-s.Wave)}
			}
			sites = append(sites, s)
		}
		slices.Reverse(sites)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				if ds := CheckFleet(sites); len(ds) > 0 {
					b.Fatal(ds)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/site")
		})
	}
}
