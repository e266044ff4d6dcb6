package plan

import (
	"slices"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// TestImagesInTheSoak: before the pin, what of k0s's own does not wait for the commit is named; what is declared, switched off or of
// another network is not. What is pinned for the soak is no mistake before it is over, and told then.
func TestImagesInTheSoak(t *testing.T) {
	images := func(names ...string) func(*lifecycle.Site) {
		return func(s *lifecycle.Site) {
			for _, n := range names {
				s.Cluster.Images = append(s.Cluster.Images, lifecycle.ImageSetting{Path: "spec.images." + n + ".version", Value: "v1",
					Source: "cluster.yaml:9"})
			}
		}
	}
	controllers := func(edit func(*lifecycle.Host)) func(*lifecycle.Site) {
		return eachHost(lifecycle.RoleController, edit)
	}
	all := []string{"kubeproxy", "coredns", "metricsserver", "kuberouter.cni", "kuberouter.cniInstaller"}
	for name, c := range map[string]struct {
		edit []func(*lifecycle.Site)
		want []string
	}{
		"none is declared": {nil, all},
		"all are declared": {[]func(*lifecycle.Site){images(all...)}, nil},
		"one is not": {[]func(*lifecycle.Site){images("kubeproxy", "metricsserver", "kuberouter.cni", "kuberouter.cniInstaller")},
			[]string{"coredns"}},
		"another network": {[]func(*lifecycle.Site){controllers(config(`{"spec":{"network":{"provider":"custom"}}}`))}, all[:3]},
		"no kube-proxy":   {[]func(*lifecycle.Site){controllers(config(`{"spec":{"network":{"kubeProxy":{"disabled":true}}}}`))}, all[1:]},
		"what is switched off": {[]func(*lifecycle.Site){controllers(argument("--disable-components=coredns,metrics-server"))},
			[]string{"kubeproxy", "kuberouter.cni", "kuberouter.cniInstaller"}},
	} {
		w := built(t, newSite(v135, 1, 1, c.edit...))
		w.declare(newSite(v136, 1, 1, append(slices.Clone(c.edit), soaks)...))
		text := ""
		for _, d := range makePlan(w.site, w.observe()).Diagnostics {
			if strings.Contains(d.Summary, "wait for the commit") {
				text += d.Summary + "\n" + d.Detail
			}
			if strings.Contains(d.Summary, "at the version that is declared") {
				t.Errorf("%s: what is to wait is told as left behind: %s", name, d.Summary)
			}
		}
		for _, image := range all {
			if got := strings.Contains(text, "spec.images."+image+".version"); got != slices.Contains(c.want, image) {
				t.Errorf("%s: %s is named: %t\n%s", name, image, got, text)
			}
		}
		if newer := strings.Contains(text, "kube-proxy would be newer than v1.35"); newer != slices.Contains(c.want, "kubeproxy") {
			t.Errorf("%s: that kube-proxy is newer is said: %t", name, newer)
		}
	}
	w := built(t, newSite(v135, 1, 1))
	w.declare(newSite(v136, 1, 1))
	if text := makePlan(w.site, w.observe()).Diagnostics.Error(); strings.Contains(text, "wait for the commit") {
		t.Errorf("without a soak: %s", text)
	}
	pinned := []func(*lifecycle.Site){images("coredns"), controllers(config(`{"spec":{"images":{"coredns":{"version":"v1"}}}}`))}
	w = soaking(t, 1, append(pinned, soaks)...)
	w.later = 49 * time.Hour
	p := makePlan(w.site, w.observe())
	if text := p.Diagnostics.Error(); !strings.Contains(text, "leaves 1 image of k0s at the version that is declared") {
		t.Errorf("when it is over: %s\n%s", text, outline(p))
	}
}
