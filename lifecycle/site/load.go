package site

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// Options are what Load needs from other packages.
type Options struct {
	// Describe reads the Cluster document as k0sctl does, and validates it. Nil: only what this package's own rules read is
	// known, without install arguments and configurations.
	Describe func(doc []byte, ssh lifecycle.SSH, dir, origin string) (lifecycle.Cluster, lifecycle.Diagnostics)
	// Recipient reports, as an error if not, whether backups can be encrypted to it. Nil: not checked.
	Recipient func(string) error
	// Revision names the commit that a folder was read at. Nil: unknown.
	Revision func(dir string) string
	// Strangers says that the hosts' keys need not be known yet: they are about to be fetched.
	Strangers bool
}

// Load reads one site of a fleet: merges its overlay, decodes it, and checks it. The site is complete only when the findings hold
// no error; with errors it holds as much as could be read.
func Load(ctx context.Context, fleetDir, name string, opts Options) (lifecycle.Site, lifecycle.Diagnostics) {
	site := lifecycle.Site{Name: name}
	m, ds := merge(ctx, fleetDir, name)
	if ds.Err() != nil {
		sortFindings(ds)
		return site, ds
	}
	t := m.tree
	site.Dir, site.Digest = m.dir, digest(m.all)
	docs, found := t.sortDocuments(m.docs)
	ds = append(ds, found...)
	if ds.Err() != nil {
		sortFindings(ds)
		return site, ds
	}
	site.Objects = docs.objects

	declared, findings := decodeSite(docs.site)
	declared.fill(&site, m.dir)
	cluster, more := readCluster(docs.cluster)
	findings = append(findings, more...)
	findings = append(findings, checkSite(declared, name)...)
	findings = append(findings, checkRecipients(declared.Spec.Backup, opts.Recipient)...)
	if !opts.Strangers {
		findings = append(findings, checkKnownHosts(cluster, site.SSH, t.rel(site.SSH.KnownHosts))...)
	}
	findings = append(findings, checkCluster(cluster, docs.cluster, declared)...)
	ds = append(ds, t.locate(findings)...)

	sortHosts(docs.cluster, t.hosts.order)
	doc, err := marshal(docs.cluster)
	if err != nil {
		return site, append(ds, lifecycle.AsDiagnostics(err, "the Cluster document can't be printed")...)
	}
	ds = append(ds, t.describe(&site, doc, opts.Describe)...)
	if opts.Revision != nil {
		site.Revision = opts.Revision(m.dir)
	}
	sortFindings(ds)
	return site, ds
}

// describe fills in the cluster: by k0sctl's reading when there is one, else by ours.
func (t *tree) describe(site *lifecycle.Site, doc []byte, describe func([]byte, lifecycle.SSH, string, string) (lifecycle.Cluster, lifecycle.Diagnostics)) lifecycle.Diagnostics {
	var ds lifecycle.Diagnostics
	nodes, err := parseYAML(doc)
	if err != nil || len(nodes) != 1 {
		return lifecycle.AsDiagnostics(fmt.Errorf("read back the sorted Cluster document: %w", err), "the Cluster document can't be printed")
	}
	if describe != nil {
		site.Cluster, ds = describe(doc, site.SSH, site.Dir, t.rel(t.overlay))
		for i := range ds {
			ds[i] = t.pin(ds[i], nodes[0])
		}
	} else {
		cluster, _ := readCluster(nodes[0])
		site.Cluster = cluster.outline(site.SSH)
	}
	site.Cluster.Document = doc
	declared := map[string]hostSource{}
	for name, src := range t.hosts.declared {
		declared[strings.ToLower(name)] = src
	}
	for i := range site.Cluster.Hosts {
		h := &site.Cluster.Hosts[i]
		if src, ok := declared[h.Name]; ok {
			h.Source = t.subject(src.file, src.line)
		} else { // a JSON patch has added it
			h.Source = t.subject(t.sources.find(hostPlace(h.Name)))
		}
	}
	return ds
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}
