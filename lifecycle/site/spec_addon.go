package site

import (
	"cmp"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// addonDocument is the form of an Addon document; like siteDocument, its meaning stands in package lifecycle.
type addonDocument struct {
	APIVersion string         `yaml:"apiVersion"`
	Kind       string         `yaml:"kind"`
	Metadata   objectMetadata `yaml:"metadata"`
	Spec       addonSpec      `yaml:"spec"`
}

// objectMetadata is what kustomize may write of a document's metadata.
type objectMetadata struct {
	// Name is what overlays patch the document by.
	Name string `yaml:"name"`
	// Namespace is set by kustomize where a kustomization names one; it is used where spec names none.
	Namespace string `yaml:"namespace"`
	// Labels are for people and for kustomize.
	Labels map[string]string `yaml:"labels"`
	// Annotations are, too.
	Annotations map[string]string `yaml:"annotations"`
}

type addonSpec struct {
	Namespace string       `yaml:"namespace"`
	Chart     *chartSpec   `yaml:"chart"`
	Manifests []string     `yaml:"manifests"`
	DependsOn []string     `yaml:"dependsOn"`
	Secrets   []secretSpec `yaml:"secrets"`
	Ignore    []ignoreSpec `yaml:"ignore"`
	Timeout   duration     `yaml:"timeout"`
}

type chartSpec struct {
	Repo    string `yaml:"repo"`
	Name    string `yaml:"name"`
	Version string `yaml:"version"`
	Release string `yaml:"release"`
	// Values are given to the chart, over its own. Patches merge their maps and replace their lists.
	Values values `yaml:"values"`
}

type secretSpec struct {
	Name   string                `yaml:"name"`
	Keys   map[string]sourceSpec `yaml:"keys"`
	Labels map[string]string     `yaml:"labels"`
}

type sourceSpec struct {
	Env     string `yaml:"env"`
	File    string `yaml:"file"`
	FileEnv string `yaml:"fileEnv"`
}

func (s sourceSpec) source() lifecycle.SecretSource {
	return lifecycle.SecretSource{Env: s.Env, File: s.File, FileEnv: s.FileEnv}
}

type ignoreSpec struct {
	Kind   string   `yaml:"kind"`
	Name   string   `yaml:"name"`
	Fields []string `yaml:"fields"`
}

// defaultAddonTimeout is long enough for images to be pulled over a slow line.
const defaultAddonTimeout = 10 * time.Minute

func addonDefaults() addonDocument {
	return addonDocument{Spec: addonSpec{Timeout: duration(defaultAddonTimeout)}}
}

// addon is what the document declares, with the defaults that depend on its name.
func (d addonDocument) addon() lifecycle.Addon {
	a := lifecycle.Addon{
		Name: d.Metadata.Name, Namespace: cmp.Or(d.Spec.Namespace, d.Metadata.Namespace), Manifests: d.Spec.Manifests,
		DependsOn: d.Spec.DependsOn, Timeout: time.Duration(d.Spec.Timeout),
	}
	if c := d.Spec.Chart; c != nil {
		a.Chart = &lifecycle.Chart{Repo: c.Repo, Name: c.Name, Version: c.Version, Release: cmp.Or(c.Release, a.Name), Values: c.Values.json()}
	}
	for _, s := range d.Spec.Secrets {
		secret := lifecycle.Secret{Name: s.Name, Labels: s.Labels}
		for key, source := range s.Keys {
			if secret.Keys == nil {
				secret.Keys = map[string]lifecycle.SecretSource{}
			}
			secret.Keys[key] = source.source()
		}
		a.Secrets = append(a.Secrets, secret)
	}
	for _, i := range d.Spec.Ignore {
		a.Ignore = append(a.Ignore, lifecycle.Ignore{Kind: i.Kind, Name: i.Name, Fields: i.Fields})
	}
	return a
}
