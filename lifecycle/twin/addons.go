package twin

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle"
)

// SiteAddon is an addon that is installed at a site.
type SiteAddon struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	// Objects are those that were applied of it.
	Objects []lifecycle.ObjectRef `json:"objects"`
}

// twinAddon is an addon of the twin: what runs of the site's, as objects that kiban is to have applied. The rollout waits for an addon by
// the health of its objects, whatever chart they are from; so no chart is fetched, which would lead outside.
type twinAddon struct {
	SiteAddon
	manifest []byte
}

// twinAddons are the addons that something of runs in the twin. What the others have is there as objects, and waited for by nobody.
func twinAddons(addons []SiteAddon, objects []Object) (out []twinAddon, err error) {
	for _, a := range addons {
		var manifest bytes.Buffer
		for _, o := range objects {
			if !runsPods(o) || !slices.ContainsFunc(a.Objects, func(r lifecycle.ObjectRef) bool { return r.Same(o.ref()) }) {
				continue
			}
			b, err := yaml.Marshal(map[string]any{"apiVersion": o["apiVersion"], "kind": o.kind(),
				"metadata": map[string]any{"name": o.name(), "namespace": o.namespace()}, "spec": o["spec"]})
			if err != nil {
				return nil, err
			}
			manifest.WriteString("---\n")
			manifest.Write(b)
		}
		if manifest.Len() > 0 {
			out = append(out, twinAddon{SiteAddon: a, manifest: manifest.Bytes()})
		}
	}
	return out, nil
}

func runsPods(o Object) bool {
	return o.group() == "apps" && slices.Contains([]string{"Deployment", "StatefulSet", "DaemonSet"}, o.kind())
}

// writeAddons puts addons into a fleet that WriteFleet has written.
func writeAddons(dir, site string, addons []twinAddon) error {
	if len(addons) == 0 {
		return nil
	}
	files := map[string][]byte{"kustomization.yaml": []byte("resources:\n- cluster.yaml\n- site.yaml\n- addons.yaml\n")}
	var documents bytes.Buffer
	for i, a := range addons {
		file := fmt.Sprintf("addon-%d.yaml", i+1)
		files[file] = a.manifest
		b, err := yaml.Marshal(map[string]any{"apiVersion": "kiban.dev/v1alpha1", "kind": "Addon",
			"metadata": map[string]any{"name": a.Name},
			"spec":     map[string]any{"namespace": a.Namespace, "manifests": []string{file}, "timeout": adoptedWithin}})
		if err != nil {
			return err
		}
		documents.WriteString("---\n")
		documents.Write(b)
	}
	files["addons.yaml"] = documents.Bytes()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, "overlays", site, name), content, 0o600); err != nil {
			return NoRoom(dir, err)
		}
	}
	return nil
}

// adoptedWithin is how long an addon is waited for when it is taken over: its pods are as ready then as they become.
const adoptedWithin = "1m"

// adopt has kiban take over what runs of the site's addons in the twin, so that the rollout waits for them as it does at the site. Where
// that can't be done, they are as any other workload, which is told.
func (t *twin) adopt(ctx context.Context, objects []Object) (err error) {
	if t.addons, err = twinAddons(t.Addons, objects); err != nil || len(t.addons) == 0 {
		return err
	}
	left := t.left
	if err := t.declare(t.Lowest(), true); err != nil {
		return err
	}
	t.left = left
	t.Note(fmt.Sprintf("Taking over %s.", lifecycle.Count(len(t.addons), "addon")))
	run, err := t.kiban.Run(ctx, nil, "apply", t.Site, "--yes", "--progress", "json")
	if err != nil {
		return err
	}
	if why := t.names.run(run).Err("take over the addons"); why != nil {
		if !began(run) { // else they stay declared: what kiban knows of and nobody declares would be removed
			t.addons = nil
		}
		t.left = append(t.left, lifecycle.TwinDifference{What: "The rollout does not wait for addons: " + lifecycle.OneLine(why.Error()),
			Consequence: "At the site no node leaves while an addon is not healthy."})
	}
	return nil
}

// began reports whether a run came to a step.
func began(run Ended) bool {
	return slices.ContainsFunc(run.Events, func(e lifecycle.Event) bool { return e.Kind == lifecycle.EventStarted })
}
