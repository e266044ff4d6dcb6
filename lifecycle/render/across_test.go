package render

import (
	"fmt"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// TestAcrossSites: what a base has made wrong in many sites is told once; what is a site's own stands by itself, and so does the second of
// two that are alike in one site.
func TestAcrossSites(t *testing.T) {
	var ds lifecycle.Diagnostics
	for i := range 40 {
		site := fmt.Sprintf("shop-%02d", i)
		ds = append(ds, lifecycle.Warnf("overlays/"+site+"/addons.yaml:9", "the site has no kiban.lock").Because("Whatever is served.").
			Try("kiban pin "+site))
		if i == 3 {
			ds = append(ds, lifecycle.Errorf("overlays/"+site+"/site.yaml:4", "wave must be a whole number").Try("Correct the value."))
		}
	}
	for i := range 2 { // two sites are two findings
		ds = append(ds, lifecycle.Warnf(fmt.Sprintf("overlays/few-%d", i), "it is not checked"))
	}
	ds = append(ds, lifecycle.Errorf("clusters/base/site.yaml:4", "another"), lifecycle.Errorf("clusters/base/site.yaml:5", "another"),
		lifecycle.Errorf("clusters/base/site.yaml:6", "another"))
	for i := range 4 { // one file of one site has it four times
		ds = append(ds, lifecycle.Errorf(fmt.Sprintf("overlays/own/hosts.yaml:%d", i), "no such role"))
	}
	var text strings.Builder
	if err := Diagnostics(&text, AcrossSites(ds), Style{}); err != nil {
		t.Fatal(err)
	}
	const first = `Warning: the site has no kiban.lock
  on overlays/shop-00/addons.yaml line 9
  Whatever is served.
  The same is so of 39 sites more: shop-01, shop-02, shop-03, shop-04, shop-05 and 34 more.
  Try: kiban pin shop-00 (and so for the others)

Error: wave must be a whole number
  on overlays/shop-03/site.yaml line 4
`
	if !strings.HasPrefix(text.String(), first) {
		t.Errorf("it begins with\n%s", text.String())
	}
	for what, n := range map[string]int{"no kiban.lock": 1, "it is not checked": 2, "another": 3, "no such role": 4} {
		if strings.Count(text.String(), what) != n {
			t.Errorf("%q is told %d times, and not %d", what, strings.Count(text.String(), what), n)
		}
	}
}
