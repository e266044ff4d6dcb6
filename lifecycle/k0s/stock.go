package k0s

import (
	"fmt"
	"path/filepath"
	"strings"

	"gopkg.in/yaml.v2"

	"kiban.dev/kiban/lifecycle"
)

// Stock is a site's Cluster document for the stock k0sctl: what kiban adds where the document leaves it open, the Site's SSH defaults, is
// written out, and files are named by their absolute paths, for k0sctl looks from where it runs.
func Stock(site lifecycle.Site) ([]byte, error) {
	var top yaml.MapSlice
	if err := yaml.Unmarshal(site.Cluster.Document, &top); err != nil {
		return nil, fmt.Errorf("read the cluster document: %w", err)
	}
	for i, item := range top {
		spec, ok := item.Value.(yaml.MapSlice)
		if item.Key != "spec" || !ok {
			continue
		}
		_, hosts := withoutHosts(spec)
		list := make([]any, len(hosts))
		for n, h := range hosts {
			list[n] = stockHost(h, site)
		}
		top[i].Value = set(spec, "hosts", list)
	}
	return yaml.Marshal(top)
}

// stockHost is one host with what kiban would have filled in.
func stockHost(h yaml.MapSlice, site lifecycle.Site) yaml.MapSlice {
	if connection, ok := lookup(h, "ssh").(yaml.MapSlice); ok {
		if lookup(connection, "user") == nil && site.SSH.User != "" {
			connection = set(connection, "user", site.SSH.User)
		}
		if lookup(connection, "port") == nil && site.SSH.Port != 0 {
			connection = set(connection, "port", site.SSH.Port)
		}
		if lookup(connection, "keyPath") == nil && site.SSH.KeyPath != "" {
			connection = set(connection, "keyPath", site.SSH.KeyPath)
		}
		h = set(h, "ssh", stockKeys(connection, site.Dir))
	}
	if from := stockMirror(site.Binary.URL); from != "" && lookup(h, "k0sDownloadURL") == nil && lookup(h, "k0sBinaryPath") == nil &&
		lookup(h, "useExistingK0s") == nil {
		h = set(h, "k0sDownloadURL", from)
	}
	if path, ok := lookup(h, "k0sBinaryPath").(string); ok {
		h = set(h, "k0sBinaryPath", absolute(site.Dir, path))
	}
	files, _ := lookup(h, "files").([]any)
	for i, f := range files {
		file, ok := f.(yaml.MapSlice)
		src, local := lookup(file, "src").(string)
		if ok && local && !strings.Contains(src, "://") && !filepath.IsAbs(src) {
			files[i] = set(file, "src", filepath.Join(site.Dir, src))
		}
	}
	return h
}

// stockMirror is a mirror of k0s in k0sctl's words: %v is the version, %p the architecture. "" is k0s's own releases, and a folder here,
// which k0sctl can't fetch from.
func stockMirror(url string) string {
	if !isURL(url) || url == lifecycle.ReleaseURL {
		return ""
	}
	if strings.HasSuffix(url, "/") {
		url += "k0s-{version}-{arch}"
	}
	return strings.NewReplacer("%", "%%", "{version}", "%v", "{arch}", "%p").Replace(url)
}

// stockKeys names the keys of a connection, and of the bastions before it, by absolute paths.
func stockKeys(connection yaml.MapSlice, dir string) yaml.MapSlice {
	if path, ok := lookup(connection, "keyPath").(string); ok {
		connection = set(connection, "keyPath", absolute(dir, path))
	}
	if bastion, ok := lookup(connection, "bastion").(yaml.MapSlice); ok {
		connection = set(connection, "bastion", stockKeys(bastion, dir))
	}
	return connection
}

// set gives a key a value, in its place or at the end.
func set(m yaml.MapSlice, key string, value any) yaml.MapSlice {
	for i := range m {
		if m[i].Key == key {
			m[i].Value = value
			return m
		}
	}
	return append(m, yaml.MapItem{Key: key, Value: value})
}
