package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// TestImagesOfTheNextVersion: an upgrade says which of k0s's own images it leaves behind, and which the nodes may not get: the first
// controller that runs the next version has k0s start its images everywhere.
func TestImagesOfTheNextVersion(t *testing.T) {
	const folder = "/var/lib/k0s/images/"
	bundle := func(v lifecycle.Version) func(*lifecycle.Host) {
		return file(folder+"k0s-airgap-bundle-"+v.String()+"-amd64", v.String(), false)
	}
	images := func(settings ...string) func(*lifecycle.Site) {
		return func(s *lifecycle.Site) {
			var config []string
			for _, setting := range settings {
				name, value, _ := strings.Cut(setting, "=")
				path, below, deep := strings.Cut(name, ".")
				s.Cluster.Images = append(s.Cluster.Images,
					lifecycle.ImageSetting{Path: "spec.images." + name, Value: value, Source: "cluster.yaml:9"})
				if deep {
					config = append(config, fmt.Sprintf("%q:{%q:%q}", path, below, value))
				} else {
					config = append(config, fmt.Sprintf("%q:%q", path, value))
				}
			}
			eachHost(lifecycle.RoleController, func(h *lifecycle.Host) {
				setConfig(h, `{"spec":{"images":{`+strings.Join(config, ",")+`}}}`)
			})(s)
		}
	}
	workers := func(edit ...func(*lifecycle.Host)) func(*lifecycle.Site) {
		return eachHost(lifecycle.RoleWorker, edits(edit...))
	}
	pin, raised := images("kubeproxy.version=v1.35.7"), images("kubeproxy.version=v1.36.3")
	for name, c := range map[string]struct {
		was, is lifecycle.Site
		dynamic string // spec in the cluster
		says    []string
	}{
		"nothing of the kind": {was: newSite(v135, 1, 2), is: newSite(v136, 1, 2)},
		"pinned, and left so": {was: newSite(v135, 1, 2, pin),
			is:   newSite(v136, 1, 2, pin),
			says: []string{"cluster.yaml:9: spec.images.kubeproxy.version: v1.35.7"}},
		"pinned, and raised":      {was: newSite(v135, 1, 2, pin), is: newSite(v136, 1, 2, raised)},
		"pinned, without upgrade": {was: newSite(v136, 1, 2, raised), is: newSite(v136, 1, 2, raised)},
		"another name, no version": {was: newSite(v135, 1, 2, images("pause.image=a/pause")),
			is: newSite(v136, 1, 2, images("pause.image=a/pause"))},
		"a repository": {was: newSite(v135, 1, 2, images("repository=r.example")),
			is:   newSite(v136, 1, 2, images("repository=r.example")),
			says: []string{"whether r.example has the images of k0s v1.36.3+k0s.2"}},
		"pinned in the cluster": {was: newSite(v135, 1, 2),
			is:      newSite(v136, 1, 2, pin, dynamic),
			dynamic: `{"images":{"kubeproxy":{"version":"v1.35.7"}}}`,
			says:    []string{"spec.images.kubeproxy.version"}},
		"raised in the cluster": {was: newSite(v135, 1, 2),
			is:      newSite(v136, 1, 2, raised, dynamic),
			dynamic: `{"images":{"kubeproxy":{"version":"v1.35.7"}}}`},
		"the former bundle": {was: newSite(v135, 1, 2, workers(bundle(v135))),
			is:   newSite(v136, 1, 2, workers(bundle(v135))),
			says: []string{"2 machines: worker-1, worker-2: no bundle of the images of k0s v1.36.3+k0s.2"}},
		"the next, in the same": {was: newSite(v135, 1, 2, workers(bundle(v135))),
			is:   newSite(v136, 1, 2, workers(bundle(v136))),
			says: []string{"k0s v1.36.3+k0s.2 is not there yet"}},
		"the next, ahead": {was: newSite(v135, 1, 2, workers(bundle(v135), bundle(v136))),
			is: newSite(v136, 1, 2, workers(bundle(v135), bundle(v136)))},
		"one of the hops": {was: newSite(v134, 1, 2, workers(bundle(v134), bundle(v136))),
			is:   newSite(v136, 1, 2, path(v135), workers(bundle(v134), bundle(v136))),
			says: []string{"no bundle of the images of k0s v1.35.7"}},
		"something else of a bundle": {was: newSite(v135, 1, 2, workers(file(folder+"own.tar", "a", false))),
			is: newSite(v136, 1, 2, workers(file(folder+"own.tar", "a", false)))},
		"in another folder": {was: newSite(v135, 1, 2, workers(file("/srv/k0s-airgap-bundle-"+v135.String()+"-amd64", "a", false))),
			is: newSite(v136, 1, 2)},
	} {
		t.Run(name, func(t *testing.T) {
			w := built(t, c.was)
			w.declare(c.is)
			st := w.observe()
			if c.dynamic != "" {
				st.API.ClusterConfig = []byte(`{"spec":` + c.dynamic + `}`)
			}
			found := slices.DeleteFunc(makePlan(w.site, st).Diagnostics,
				func(d lifecycle.Diagnostic) bool { return !strings.Contains(d.Summary, "image") })
			if len(found) != len(c.says) || len(found) > 0 && (!strings.Contains(found.Error(), c.says[0]) || found.Err() != nil) {
				t.Errorf("found %v, want %q", found, c.says)
			}
		})
	}
}

// TestImagesAreOnceAControllerHasThem: once a controller runs the version, the rollout's own gate says what a node lacks.
func TestImagesAreOnceAControllerHasThem(t *testing.T) {
	bundled := eachHost(lifecycle.RoleWorker, file("/var/lib/k0s/images/k0s-airgap-bundle-"+v135.String()+"-amd64", "a", false))
	w := built(t, newSite(v135, 3, 2, bundled))
	w.declare(newSite(v136, 3, 2, bundled))
	w.hosts["controller-1"].Binary, w.hosts["controller-1"].Running = v136, v136
	if said := makePlan(w.site, w.observe()).Diagnostics.Error(); strings.Contains(said, "no bundle") {
		t.Error(said)
	}
}

func dynamic(s *lifecycle.Site) {
	s.Cluster.DynamicConfig, s.Cluster.Config = true, []byte(`{"spec":{}}`)
}
