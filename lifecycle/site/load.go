package site

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/site/overlay"
)

// Options are what Load needs from other packages.
type Options struct {
	// Describe reads the Cluster document as k0sctl does, and validates it. Nil: only what this package's own rules read is
	// known, without install arguments and configurations.
	Describe func(doc []byte, ssh lifecycle.SSH, dir, origin string) (lifecycle.Cluster, lifecycle.Diagnostics)
	// Fields are the names that k0sctl takes below a place of the Cluster document; none where it takes any. Nil: names are not checked.
	Fields func(path []string) []string
	// Recipient reports, as an error if not, whether backups can be encrypted to it. Nil: not checked.
	Recipient func(string) error
	// ServerFile reports, as an error if not, whether an API server would accept a file that its argument of that name points to. Nil: not
	// checked.
	ServerFile func(flag string, content []byte) error
	// FindingNames are the names of what readiness may find at sites of a fleet. Nil: what is accepted is not held against them.
	FindingNames func(fleet string) []string
	// Risks says what is wrong with the fleet's own files of known risks. Nil: not checked.
	Risks func(fleet string) lifecycle.Diagnostics
	// Revision names the commit that a folder was read at. Nil: unknown.
	Revision func(dir string) string
	// Tracked reports whether git holds a file. Nil: only where it lies says so.
	Tracked func(file string) bool
	// UnknownHosts says that the hosts' keys need not be known yet: they are about to be fetched.
	UnknownHosts bool
	// KnownHostsLater says that a missing known_hosts file is no finding yet: whoever then asks the machines says it of them.
	KnownHostsLater bool
	// Unpinned says that the lock file need not match: it is about to be written.
	Unpinned bool
	// AddressesAsked says that the machines were asked by which addresses they are called.
	AddressesAsked bool
	// LocalFiles are places that the site may take files from, beside those that the fleet's owners name.
	LocalFiles []string
	// Beside is the fleet that an earlier revision was read from, which this folder has links to; see lifecycle.Site.
	Beside string
}

// Load reads one site of a fleet: merges its overlay, decodes it, and checks it. The site is complete only when the findings hold
// no error; with errors it holds as much as could be read.
func Load(ctx context.Context, fleetDir, name string, opts Options) (lifecycle.Site, lifecycle.Diagnostics) {
	site := lifecycle.Site{Name: name}
	if opts.Beside != "" {
		var err error
		if site.Beside, err = filepath.Abs(opts.Beside); err != nil {
			return site, lifecycle.AsDiagnostics(err, "the fleet's folder can't be resolved")
		}
	}
	allowed, ds := ReadFleet(fleetDir)
	allowed.LocalFiles = append(allowed.LocalFiles, opts.LocalFiles...)
	site.Fleet = allowed
	groups, found := readGroups(fleetDir)
	ds = append(ds, found...)
	m, found := merge(ctx, fleetDir, name)
	ds = append(ds, found...)
	if ds.Err() != nil {
		sortFindings(ds)
		return site, ds
	}
	site.Dir = m.dir
	docs, found := sortDocuments(m.tree, m.docs)
	ds = append(ds, found...)
	if ds.Err() != nil {
		site.Digest = digest(m.all)
		sortFindings(ds)
		return site, ds
	}
	l := loader{tree: m.tree, opts: opts, docs: docs, site: &site}
	l.readSite()
	l.add(checkGroups(groups, site, m.tree.Includes, m.tree.Component)...)
	if opts.Risks != nil {
		ds = append(ds, opts.Risks(fleetDir)...)
	}
	if accepted := l.declared.Spec.Upgrade.Accept; opts.FindingNames != nil && len(accepted) > 0 {
		l.add(checkAcceptedNames(accepted, opts.FindingNames(fleetDir))...)
	}
	l.readMachines()
	l.readUnits()
	l.readPins()
	l.checkAll()
	site.Digest = digest(append(append([][]byte{m.all}, l.lock), l.contents...)...)
	if opts.Revision != nil {
		site.Revision = opts.Revision(m.dir)
	}
	ds = append(ds, l.found...)
	ds = append(ds, locate(m.tree, l.findings)...)
	sortFindings(ds)
	return site, ds
}

// loader is a site while it is read.
type loader struct {
	tree *overlay.Tree
	opts Options
	docs documents
	site *lifecycle.Site

	declared siteDocument
	cluster  clusterDocument
	units    units
	// lock is the lock file's content; contents are those of files that the documents name and the repository holds.
	lock     []byte
	contents [][]byte

	findings []finding
	found    lifecycle.Diagnostics
	refused  []refusedVariable
}

func (l *loader) add(fs ...finding) { l.findings = append(l.findings, fs...) }

func (l *loader) readSite() {
	declared, found := decodeSite(l.docs.site)
	l.declared = declared
	l.add(found...)
	declared.fill(l.site, l.site.Dir)
	if len(declared.Spec.Promotion.From) > 0 {
		l.site.Promotion.Source = l.tree.Where(sitePlace("spec", "promotion", "from"))
	}
	l.add(checkSite(declared, l.site.Name)...)
	l.add(checkRecipients(declared.Spec.Backup, l.opts.Recipient)...)
	l.add(l.checkBackupTo(declared.Spec.Backup)...)
}

// readMachines reads the Cluster document and what is known of its hosts; an external site has neither.
func (l *loader) readMachines() {
	if l.docs.external() {
		l.site.Cluster.Name = l.site.Name
		l.add(checkExternal(l.declared, l.docs.cluster != nil)...)
		return
	}
	cluster, found := readCluster(l.docs.cluster)
	l.cluster = cluster
	l.add(found...)
	if l.opts.Fields != nil {
		l.add(checkFields(l.docs.cluster, l.opts.Fields)...)
	}
	l.add(l.checkKnownHostsFile(cluster)...)
	l.add(checkCluster(cluster, l.docs.cluster, l.declared)...)
	l.add(checkAddresses(cluster, l.declared, l.opts.AddressesAsked)...)
	sources := l.checkSources(cluster)
	l.add(sources...)
	read := l.opts.Describe
	if len(sources) > 0 {
		read = nil // it would read them
	}
	sortHosts(l.docs.cluster, l.tree.Hosts())
	doc, err := marshal(l.docs.cluster)
	if err != nil {
		l.found = append(l.found, lifecycle.AsDiagnostics(err, "the Cluster document can't be printed")...)
		return
	}
	l.found = append(l.found, notAgain(describe(l.tree, l.site, doc, read), l.findings)...)
	l.readImages()
	l.readHostKeys()
	l.readFiles()
	l.add(checkServerFiles(cluster, l.site.Cluster.Hosts, l.opts.ServerFile)...)
}

// readImages notes what the document says of k0s's own images, and where: an upgrade leaves it as it is.
func (l *loader) readImages() {
	l.site.Cluster.Lines = l.tree.ConfigLines()
	images := []string{"spec", "images"}
	config := overlay.Field(l.docs.cluster, "spec", "k0s", "config")
	overlay.EachScalar(overlay.Field(config, images...), images, func(n *yaml.Node, at []string) {
		if !overlay.Empty(n) {
			l.site.Cluster.Images = append(l.site.Cluster.Images,
				lifecycle.ImageSetting{Path: overlay.Dotted(at), Value: n.Value, Source: l.tree.Where(k0sPlace(at))})
		}
	})
}

// notAgain leaves out what k0sctl's reading refuses where ours has found errors in the Cluster document, and what it doubts that ours
// doubts anyway: one cause is told once, with its line.
func notAgain(ds lifecycle.Diagnostics, found []finding) lifecycle.Diagnostics {
	ours := func(f finding) bool {
		return f.severity == lifecycle.SeverityError && f.at.Kind == overlay.KindCluster
	}
	refused := slices.ContainsFunc(found, ours)
	return slices.DeleteFunc(ds, func(d lifecycle.Diagnostic) bool {
		return errors.Is(d.Cause, lifecycle.ErrReadAgain) && (refused || d.Severity == lifecycle.SeverityWarning)
	})
}

// describe fills in the cluster: by k0sctl's reading when there is one, else by ours.
func describe(t *overlay.Tree, site *lifecycle.Site, doc []byte,
	read func([]byte, lifecycle.SSH, string, string) (lifecycle.Cluster, lifecycle.Diagnostics)) lifecycle.Diagnostics {
	var ds lifecycle.Diagnostics
	nodes, err := overlay.ParseYAML(doc)
	if err != nil || len(nodes) != 1 {
		return lifecycle.AsDiagnostics(fmt.Errorf("read back the sorted Cluster document: %w", err), "the Cluster document can't be printed")
	}
	if read != nil {
		site.Cluster, ds = read(doc, site.SSH, site.Dir, t.Overlay())
		for i := range ds {
			ds[i] = pin(t, ds[i], nodes[0])
		}
	} else {
		cluster, _ := readCluster(nodes[0])
		site.Cluster = cluster.outline(site.SSH)
	}
	site.Cluster.Document = doc
	declared := map[string]string{}
	for _, h := range t.Hosts() {
		declared[strings.ToLower(h.Name)] = h.Source
	}
	for i := range site.Cluster.Hosts {
		h := &site.Cluster.Hosts[i]
		if src, ok := declared[h.Name]; ok {
			h.Source = src
		} else { // a JSON patch has added it
			h.Source = t.Where(hostPlace(h.Name))
		}
	}
	return ds
}

// digest identifies a declaration by its parts. Parts that are not there change nothing.
func digest(parts ...[]byte) string {
	h := sha256.New()
	for i, b := range parts {
		if i > 0 && len(b) > 0 {
			fmt.Fprintf(h, "\n--- %d\n", len(b))
		}
		h.Write(b)
	}
	return lifecycle.DigestOf(h)
}

// checkAll applies the rules that see several documents at once, and those about addons, tenants and objects.
func (l *loader) checkAll() {
	for _, d := range l.units.addons {
		l.add(l.checkAddon(d)...)
	}
	l.add(checkDependencies(l.site.Addons)...)
	l.add(checkTenants(l.units.tenants, l.site.Addons)...)
	l.add(checkClaims(*l.site, l.units.claims)...)
	l.add(checkForeignCharts(l.cluster, l.site.Addons)...)
	l.add(checkObjects(l.units.objects)...)
	l.add(checkPools(l.units.objects, l.cluster)...)
	l.checkTransport()
	if k := l.declared.Spec.API.Kubeconfig; k != nil {
		l.add(l.checkSecretSource(*k, "the kubeconfig", sitePlace("spec", "api", "kubeconfig"))...)
	}
	l.add(l.checkVariables()...)
	if !l.opts.Unpinned && l.lock == nil {
		l.add(checkUnpinned(*l.site)...)
	}
}
