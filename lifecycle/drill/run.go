package drill

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/backup"
	"kiban.dev/kiban/lifecycle/twin"
)

// Cluster is the lab's machines, and the API behind them.
type Cluster interface {
	// Restore rebuilds the control plane on them from the backup, as `kiban restore` does.
	Restore(ctx context.Context) error
	// ReadBack counts every object that the API reads, and reads a sample of them whole.
	ReadBack(ctx context.Context) (found lifecycle.Contents, sample int, err error)
	// Plan is what would be left to do.
	Plan(ctx context.Context) (lifecycle.Plan, error)
	Close() error
}

// Ways are how a drill comes to a lab.
type Ways struct {
	// Start starts a lab with these machines, in a folder, with one release in its mirror beside the declared one; stop ends it.
	Start func(ctx context.Context, folder string, machines []twin.Machine, releases []string) (place twin.Place, stop func(), err error)
	// Open opens the lab's site in a fleet.
	Open func(ctx context.Context, fleet string) (Cluster, error)
	// Say tells people what is being done.
	Say func(format string, args ...any)
	Now func() time.Time
	// Wait passes the time between two looks at an API that has just come up.
	Wait func(ctx context.Context) error
}

// Input is what is to be restored.
type Input struct {
	Site lifecycle.Site
	// Backup was verified before.
	Backup backup.Verified
	// Encryption is nil where the site's API servers encrypt nothing.
	Encryption *Encryption
	// Plays are the releases that the lab can pose as.
	Plays twin.LabVersion
	// Folder is for everything that the drill writes. By is who does it, for the record.
	Folder, By string
}

// mostLooks is how often an API that has just come up is looked at, until all is back.
const mostLooks = 10

func (in Input) name() string { return filepath.Base(in.Backup.Path) }

// Run restores the backup in a lab, reads back what is in it, and says in d what it found. With an error no proof is in it: the drill
// could not
// be made. That a backup is not proven is no error.
func Run(ctx context.Context, in Input, ways Ways, d *lifecycle.Drill) error {
	version := in.Site.Cluster.Version
	if !in.Backup.Version.IsZero() {
		version = in.Backup.Version
	}
	d.Version = version
	if !in.Plays.Plays(version) {
		return lifecycle.Blockedf(in.Site.Name, "the lab can't pose as k0s %s", version).
			Because(fmt.Sprintf("It plays Kubernetes %s.", lifecycle.Enumerate(in.Plays.Minors))).
			Try("Use kiban and kiban-lab of a release that plays it.")
	}
	if err := usable(in.Site.Name, in.Backup.Data.Sealed); err != nil {
		return err
	}
	var machines []twin.Machine
	for _, h := range in.Site.Cluster.Controllers() {
		machines = append(machines, twin.Machine{Name: h.Name, Role: "controller", Arch: "amd64"})
	}
	ways.Say("Starting a lab of %s.", lifecycle.Count(len(machines), "controller"))
	releases := []string{version.String()}
	if declared := in.Site.Cluster.Version; declared != version && in.Plays.Plays(declared) {
		releases = append(releases, declared.String())
	}
	place, stop, err := ways.Start(ctx, in.Folder, machines, releases)
	if err != nil {
		return err
	}
	defer stop()
	fleet := filepath.Join(in.Folder, "fleet")
	if d.Differences, err = in.write(fleet, version, place); err != nil {
		return err
	}
	cluster, err := ways.Open(ctx, fleet)
	if err != nil {
		return err
	}
	defer func() { _ = cluster.Close() }() // what was asked was asked
	ways.Say("Restoring %s into it.", in.name())
	began := ways.Now()
	if err := cluster.Restore(ctx); err != nil {
		return in.failed(ctx, d, "the backup does not come up", err)
	}
	var found lifecycle.Contents
	for looks := 1; ; looks++ {
		if found, d.Read, err = cluster.ReadBack(ctx); err != nil {
			return in.failed(ctx, d, "the restored API can't be asked", err)
		}
		d.Kinds = lifecycle.CompareBack(in.Backup.Known.Contents, in.Backup.Data.Contents, found)
		if looks == mostLooks || !slices.ContainsFunc(d.Kinds, func(k lifecycle.DrilledKind) bool { return k.Lost != "" }) {
			break
		}
		if err := ways.Wait(ctx); err != nil { // kinds that the data define are served a moment after the API
			return err
		}
	}
	took := ways.Now().Sub(began)
	in.judge(d, found)
	if len(releases) > 1 {
		if _, err := in.write(fleet, in.Site.Cluster.Version, place); err != nil {
			return err
		}
	}
	d.Left = in.left(ctx, fleet, ways)
	if d.Findings.Err() == nil {
		p := in.Backup.Proof(ways.Now(), took, in.By, found.Total())
		d.Proof = &p
	}
	return nil
}

// failed takes a restore that went wrong for a finding about the backup. Who interrupts it finds nothing, and neither does a computer
// that has no room for the lab.
func (in Input) failed(ctx context.Context, d *lifecycle.Drill, what string, err error) error {
	if ctx.Err() != nil {
		return lifecycle.WhyEnded(ctx)
	}
	if twin.IsFull(err) {
		return twin.NoRoom(in.Folder, err)
	}
	f := lifecycle.Errorf(in.name(), "%s", what)
	why := lifecycle.AsDiagnostics(err, "")[0]
	if head := strings.Trim(why.Subject+": "+why.Summary, ": "); head != "" {
		f = f.Because(head)
	}
	d.Findings = append(d.Findings, f.Because(why.Detail).Hiding(err).Try("Take another backup, and drill it: kiban backup "+in.Site.Name))
	return nil
}

// judge finds what did not come back.
func (in Input) judge(d *lifecycle.Drill, found lifecycle.Contents) {
	if uid := in.Backup.Data.Contents.Cluster; uid != "" && found.Cluster != uid {
		d.Findings = append(d.Findings, lifecycle.Errorf(in.name(), "another cluster came up than the one in the backup").
			Because(fmt.Sprintf("Its kube-system has the UID %s, and not %s.", found.Cluster, uid)).
			Try("Report it: kiban's lab did not restore what it was given."))
	}
	for _, k := range d.Kinds {
		if k.Lost != "" {
			d.Findings = append(d.Findings, lifecycle.Errorf(in.name(), "%s of the backup did not come back", k.Kind).Because(k.Lost).
				Try("Take another backup, and drill it: kiban backup "+in.Site.Name))
		}
	}
}

// left is what a plan would have to do after such a restore, or why that is not known.
func (in Input) left(ctx context.Context, fleet string, ways Ways) []string {
	cluster, err := ways.Open(ctx, fleet)
	if err != nil {
		return []string{"not known: " + lifecycle.OneLine(err.Error())}
	}
	defer func() { _ = cluster.Close() }() // what was asked was asked
	plan, err := cluster.Plan(ctx)
	if err != nil {
		return []string{"not known: " + lifecycle.OneLine(err.Error())}
	}
	var out []string
	for _, s := range plan.Steps {
		out = append(out, s.ID+": "+lifecycle.OneLine(s.Reason))
	}
	return out
}

// write puts down the fleet of the lab's site, at a version.
func (in Input) write(fleet string, version lifecycle.Version, place twin.Place) ([]lifecycle.TwinDifference, error) {
	documents, err := declared(in.Site)
	if err != nil {
		return nil, err
	}
	addresses := map[string]string{}
	for _, h := range in.Site.Cluster.Controllers() {
		addresses[h.Address], addresses[h.ClusterAddress()] = h.Name, h.Name
	}
	delete(addresses, "")
	cluster, site, differences, err := twin.Declare(documents,
		twin.Declaration{Site: in.Site.Name, Version: version, Addresses: addresses, Lab: place})
	if err != nil {
		return nil, err
	}
	if in.Encryption != nil {
		if cluster, site, err = withEncryption(cluster, site, *in.Encryption, filepath.Join("..", "..", ownKeys)); err != nil {
			return nil, err
		}
	}
	if err := twin.WriteFleet(fleet, in.Site.Name, cluster, site); err != nil {
		return nil, err
	}
	if in.Encryption != nil {
		file := filepath.Join(fleet, ownKeys)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return nil, err
		}
		if err := os.WriteFile(file, in.Encryption.Content, 0o600); err != nil {
			return nil, err
		}
	}
	if n := len(in.Site.Cluster.Hosts) - len(in.Site.Cluster.Controllers()); n > 0 {
		differences = append(differences, lifecycle.TwinDifference{What: "There are no workers", Consequence: fmt.Sprintf(
			"How the site's %s come back to a restored control plane is not drilled.", lifecycle.Count(n, "worker"))})
	}
	return differences, nil
}
