package scaffold

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"kiban.dev/kiban/lifecycle"
)

// Import is a cluster document that is to become a site of a fleet.
type Import struct {
	// File is the document, as k0sctl takes it. Site is the new site's name; "" takes the cluster's.
	File, Site string
	// Fleet is the repository. Scratch is an empty folder for a fleet of its own, which has the site as far as it is known before any machine
	// is asked.
	Fleet, Scratch string
	// KnownHosts is a file to take the machines' host keys from; "" asks ImportPorts.Trust.
	KnownHosts string
	// Offline: no machine is asked, and the document must say all of it.
	Offline bool
}

// ImportPorts are what an import needs of others.
type ImportPorts struct {
	// Provisional reads the site of the scratch fleet, whose machines and files are not known yet; Load reads the one that was made.
	Provisional, Load func(ctx context.Context, fleet, name string) (lifecycle.Site, lifecycle.Diagnostics)
	// Trust asks the machines for their host keys, and a person whether they are theirs. It puts them into the site's known_hosts file.
	Trust func(ctx context.Context, site lifecycle.Site) error
	// Observe asks the machines what they are like.
	Observe func(ctx context.Context, site lifecycle.Site, fleet string) (lifecycle.State, error)
	// Describe reads a document by itself, without a merge.
	Describe func(doc []byte, ssh lifecycle.SSH, dir, origin string) (lifecycle.Cluster, lifecycle.Diagnostics)
	// Warn is told what does not stop the import.
	Warn func(lifecycle.Diagnostics)
}

// Bring makes an overlay that means what the document says, and reads it. No machine is changed. An overlay that would mean something else
// is taken away again.
func (i Import) Bring(ctx context.Context, ports ImportPorts) (lifecycle.Site, error) {
	in, err := i.open(ports)
	if err != nil {
		return lifecycle.Site{}, err
	}
	known, ds := in.cluster.Declared()
	if !i.Offline {
		known, ds = in.ask(ctx)
		ds = in.cluster.Given(ds)
	}
	if err := ds.Err(); err != nil {
		return lifecycle.Site{}, err
	}
	ports.Warn(ds)
	site, ds := in.write(ctx, known)
	if err := ds.Err(); err != nil {
		return site, err
	}
	ports.Warn(ds)
	return site, nil
}

// bringing is an import under way.
type bringing struct {
	Import
	ports   ImportPorts
	cluster *Cluster
	name    string
	overlay string
	// from is the document's folder.
	from       string
	knownHosts []byte
}

func (i Import) open(ports ImportPorts) (*bringing, error) {
	content, err := os.ReadFile(i.File)
	if err != nil {
		return nil, lifecycle.Errorf(i.File, "the document can't be read").From(err)
	}
	in := &bringing{Import: i, ports: ports}
	var ds lifecycle.Diagnostics
	if in.cluster, ds = Read(i.File, content); ds.Err() != nil {
		return nil, ds
	}
	ports.Warn(ds)
	if in.Fleet, err = filepath.Abs(i.Fleet); err != nil {
		return nil, err
	}
	if in.name, err = in.cluster.SiteName(i.Site); err != nil {
		return nil, err
	}
	if in.overlay, err = FreeOverlay(in.Fleet, in.name); err != nil {
		return nil, err
	}
	file, err := filepath.Abs(i.File)
	if err != nil {
		return nil, err
	}
	in.from = filepath.Dir(file)
	if i.KnownHosts != "" {
		if in.knownHosts, err = os.ReadFile(i.KnownHosts); err != nil {
			return nil, lifecycle.Errorf(i.KnownHosts, "the known_hosts file can't be read").From(err)
		}
	}
	return in, in.furnish()
}

// furnish has the scratch fleet allow what the fleet does.
func (in *bringing) furnish() error {
	allowed, err := os.ReadFile(filepath.Join(in.Fleet, lifecycle.FleetFile))
	if err == nil {
		err = os.WriteFile(filepath.Join(in.Scratch, lifecycle.FleetFile), allowed, 0o600)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// ask learns from the machines what the document leaves open.
func (in *bringing) ask(ctx context.Context) (Learnt, lifecycle.Diagnostics) {
	site, ds := in.provisional(ctx)
	if ds.Err() != nil {
		return Learnt{}, ds
	}
	if in.knownHosts == nil {
		err := in.ports.Trust(ctx, site)
		if err == nil {
			in.knownHosts, err = os.ReadFile(site.SSH.KnownHosts)
		}
		if err != nil {
			return Learnt{}, lifecycle.AsDiagnostics(err, "the host keys could not be learnt")
		}
	}
	state, err := in.ports.Observe(ctx, site, in.Fleet)
	if err != nil {
		return Learnt{}, lifecycle.AsDiagnostics(err, "the machines can't be asked")
	}
	return in.cluster.Learn(state)
}

// provisional reads the site as far as it is known, from the scratch fleet: what kiban refuses in the document shows here, before any
// machine is asked.
func (in *bringing) provisional(ctx context.Context) (lifecycle.Site, lifecycle.Diagnostics) {
	doc, origin, err := in.cluster.Document(in.cluster.Provisional(), Paths{From: in.from})
	if err == nil {
		err = MakeOverlay(filepath.Join(in.Scratch, "overlays", in.name), in.cluster.ImportedOverlay(in.name, doc, in.knownHosts))
	}
	if err != nil {
		return lifecycle.Site{}, lifecycle.AsDiagnostics(err, "the site can't be read")
	}
	site, ds := in.ports.Provisional(ctx, in.Scratch, in.name)
	return site, in.origin(origin).Locate(ds)
}

// write puts the overlay in its place, reads it, and takes it away again if it does not mean what the document says.
func (in *bringing) write(ctx context.Context, known Learnt) (lifecycle.Site, lifecycle.Diagnostics) {
	doc, origin, err := in.cluster.Document(known, Paths{From: in.from, To: in.overlay})
	if err == nil {
		err = MakeOverlay(in.overlay, in.cluster.ImportedOverlay(in.name, doc, in.knownHosts))
	}
	if err != nil {
		return lifecycle.Site{}, lifecycle.AsDiagnostics(err, "the overlay can't be written")
	}
	site, ds := in.ports.Load(ctx, in.Fleet, in.name)
	if ds.Err() == nil {
		want, found := in.ports.Describe(doc, site.SSH, site.Dir, in.File)
		if ds = append(ds, found.Stopping()...); ds.Err() == nil { // its warnings are told of the overlay, with their lines
			ds = append(ds, in.origin(origin).Same(want, site.Cluster)...)
		}
	}
	if ds.Err() == nil {
		for _, path := range in.cluster.Outside(in.Fleet, Paths{From: in.from}) {
			ds = append(ds, lifecycle.Warnf("overlays/"+in.name+"/cluster.yaml", "%s is outside of the fleet", path).
				Because("The overlay names it where it is; a pipeline has only what is in the repository.").
				Try("Copy it into overlays/"+in.name+" and change src."))
		}
		return site, ds
	}
	if err := os.RemoveAll(in.overlay); err != nil {
		ds = append(ds, lifecycle.AsDiagnostics(err, "the overlay can't be removed again")...)
	}
	return site, in.origin(origin).Locate(ds)
}

func (in *bringing) origin(lines map[int]int) Origin {
	return Origin{Site: in.name, File: in.File, KnownHosts: in.KnownHosts, Lines: lines}
}
