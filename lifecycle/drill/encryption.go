package drill

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"slices"

	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle"
)

// encryptionFlag names the file that says how API servers encrypt at rest.
const encryptionFlag = "encryption-provider-config"

// ownKeys is where a drill's fleet has the file with the keys: in the folder of a fleet that git never holds.
const ownKeys = ".kiban/encryption.yaml"

// Encryption is the file with the site's keys of encryption at rest, as controllers are to have it.
type Encryption struct {
	lifecycle.HostFile
	// Keys are those that it has, "secretbox/a", as API servers write them before what they seal.
	Keys []string
}

// EncryptionOf finds the file that a site's API servers are told to read; nil where they are told of none. The error says that it is not
// known here, or does not say which keys it has.
func EncryptionOf(site lifecycle.Site) (*Encryption, error) {
	var doc struct {
		Spec struct {
			K0s struct {
				Config struct {
					Spec struct {
						API struct {
							ExtraArgs map[string]any `yaml:"extraArgs"`
						} `yaml:"api"`
					} `yaml:"spec"`
				} `yaml:"config"`
			} `yaml:"k0s"`
		} `yaml:"spec"`
	}
	if err := yaml.Unmarshal(site.Cluster.Document, &doc); err != nil {
		return nil, err
	}
	at, _ := doc.Spec.K0s.Config.Spec.API.ExtraArgs[encryptionFlag].(string)
	if at == "" {
		return nil, nil
	}
	for _, h := range site.Cluster.Controllers() {
		i := slices.IndexFunc(h.Files, func(f lifecycle.HostFile) bool { return f.Path == path.Clean(at) })
		if i < 0 {
			continue
		}
		e := Encryption{HostFile: h.Files[i]}
		if e.Content == nil {
			return nil, lifecycle.Blockedf(site.Name, "the keys of encryption at rest are not here").
				Because(at + " is what API servers read what they stored with. " + e.Missing).
				Try("Give it as the site says: spec.files of the Site names the variable or the file.")
		}
		var err error
		e.Keys, err = keysIn(e.Content)
		return &e, err
	}
	return nil, lifecycle.Blockedf(site.Name, "the keys of encryption at rest are not declared").
		Because(at + " lies on the controllers, and no file of the Site says what is in it.").
		Try("Declare it in spec.files of the Site, with `from`: a restore onto other machines needs it as well.")
}

// keysIn are the keys of an EncryptionConfiguration.
func keysIn(content []byte) ([]string, error) {
	type named struct {
		Name string                  `yaml:"name"`
		Keys []struct{ Name string } `yaml:"keys"`
	}
	var doc struct {
		Resources []struct {
			Providers []map[string]named `yaml:"providers"`
		} `yaml:"resources"`
	}
	if err := yaml.NewDecoder(bytes.NewReader(content)).Decode(&doc); err != nil {
		return nil, lifecycle.Errorf(encryptionFlag, "the file with the keys of encryption at rest can't be read").
			Try("kiban validate says what is wrong with it.") // the error would show what is in it
	}
	out := []string{}
	for _, r := range doc.Resources {
		for _, providers := range r.Providers {
			for provider, p := range providers {
				for _, k := range p.Keys {
					out = append(out, provider+"/"+k.Name)
				}
				if provider == "kms" {
					out = append(out, provider+"/"+p.Name)
				}
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// usable says why a lab cannot read what is sealed with these keys; nil where it can.
func usable(site string, sealed []string) error {
	for _, key := range sealed {
		if provider, name, _ := bytes.Cut([]byte(key), []byte("/")); string(provider) == "kms" {
			return lifecycle.Blockedf(site, "what is in the backup is encrypted by a plugin of the controllers (kms %s)", name).
				Because("The plugin, and the key that it asks for, are on the site's machines alone, so a lab can't read it.").
				Try("Restore onto machines that have the plugin: kiban restore " + site)
		}
	}
	return nil
}

// declared is the cluster's document with controllers alone.
func declared(site lifecycle.Site) ([]byte, error) {
	var doc map[string]any
	if err := yaml.Unmarshal(site.Cluster.Document, &doc); err != nil {
		return nil, err
	}
	spec, _ := doc["spec"].(map[string]any)
	hosts, _ := spec["hosts"].([]any)
	spec["hosts"] = slices.DeleteFunc(hosts, func(h any) bool {
		host, _ := h.(map[string]any)
		return host["role"] == string(lifecycle.RoleWorker) || host["reset"] == true
	})
	user, via := site.SSH.User, "direct"
	if site.API.ViaSSH {
		via = "ssh"
	}
	cluster, err := yaml.Marshal(doc)
	if err != nil {
		return nil, err
	}
	own, err := json.Marshal(map[string]any{"apiVersion": "kiban.dev/v1alpha1", "kind": "Site", "metadata": map[string]any{"name": site.Name},
		"spec": map[string]any{"ssh": map[string]any{"user": user}, "api": map[string]any{"via": via}}})
	return fmt.Appendf(cluster, "---\n%s\n", own), err
}

// withEncryption puts the site's file with its keys, and the flag that names it, back into the documents of a lab's fleet. The file itself
// lies where name says, seen from the overlay.
func withEncryption(cluster, site []byte, e Encryption, name string) (newCluster, newSite []byte, err error) {
	newCluster, err = edited(cluster, func(doc map[string]any) {
		args := into(doc, "spec", "k0s", "config", "spec", "api", "extraArgs")
		args[encryptionFlag] = e.Path
	})
	if err != nil {
		return nil, nil, err
	}
	newSite, err = edited(site, func(doc map[string]any) {
		file := map[string]any{"from": map[string]any{"file": name}, "on": "controllers"}
		for field, value := range map[string]string{"mode": e.Mode, "owner": e.Owner, "group": e.Group} {
			if value != "" {
				file[field] = value
			}
		}
		into(doc, "spec", "files")[e.Path] = file
	})
	return newCluster, newSite, err
}

func edited(document []byte, edit func(map[string]any)) ([]byte, error) {
	var doc map[string]any
	if err := yaml.Unmarshal(document, &doc); err != nil {
		return nil, err
	}
	edit(doc)
	return yaml.Marshal(doc)
}

// into is the map at a path, which is made where it is not there.
func into(m map[string]any, path ...string) map[string]any {
	for _, field := range path {
		next, ok := m[field].(map[string]any)
		if !ok {
			next = map[string]any{}
			m[field] = next
		}
		m = next
	}
	return m
}
