package twin

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// Options are what a rehearsal is made with.
type Options struct {
	// Lab is the program of the lab, Kiban this very program.
	Lab, Kiban string
	// Plays is what the lab says of itself: see AskLab.
	Plays LabVersion
	// Version and Revision are kiban's, which the lab's are to agree with.
	Version, Revision string
	// Source is what the snapshot is of: lifecycle.RehearsalLive, or a file's name.
	Source string
	Faults []Fault
	// Connect makes a client for the API that a kubeconfig leads to.
	Connect func(kubeconfig []byte) API
	// Note tells people what is being done. It is called by one goroutine at a time.
	Note func(string)
	// free is as in Room.
	free func(folder string) (int64, error)
}

// Outcome is a rehearsal, and what only the twin knows of it.
type Outcome struct {
	lifecycle.Rehearsal
	// Lasted is how long each step took in the twin, the gates before it included.
	Lasted map[string]time.Duration
}

// Rehearse makes a twin of a site and runs the site's plan in it. The error says why that could not be done; what became of the run is no
// error. When it returns nothing of the twin runs any more, and nothing of it is on the disk.
func Rehearse(ctx context.Context, s Snapshot, o Options) (Outcome, error) {
	if err := playable(s, o); err != nil {
		return Outcome{}, err
	}
	if s.Plan.Empty() || s.withheld() {
		return nothing(s, o.Source), nil
	}
	if !o.Plays.Agrees(o.Version, o.Revision) {
		o.Note(fmt.Sprintf("The lab is of another release (%s) than kiban (%s): what it plays may differ.", o.Plays.Version, o.Version))
	}
	room := Room{Controllers: s.controllers(), Machines: len(s.Machines), free: o.free}
	if err := room.Check(); err != nil {
		return Outcome{}, err
	}
	dir, err := os.MkdirTemp("", "kiban-twin-") // 0700
	if err != nil {
		return Outcome{}, NoRoom(os.TempDir(), err)
	}
	defer os.RemoveAll(dir)
	ctx, over := room.Watch(ctx)
	defer over()
	t := &twin{Snapshot: s, Options: o, dir: dir}
	defer t.stop()
	for _, step := range []func(context.Context) error{
		t.boot,    // a lab with the site's machines
		t.found,   // the site's cluster on them, at the versions that it has
		t.furnish, // the site's nodes and objects in it
		t.run,     // what is to be done, with requests to every Service meanwhile
	} {
		if err := step(ctx); err != nil {
			return Outcome{}, t.why(ctx, err)
		}
	}
	return t.outcome(), nil
}

// why is what to say of a rehearsal that could not be made.
func (t *twin) why(ctx context.Context, err error) error {
	switch full, yes := Full(ctx); {
	case yes:
		return full
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case IsFull(err):
		return NoRoom(t.dir, err)
	}
	return err
}

// nothing is the rehearsal of a plan without steps: there is nothing to rehearse, or what stops the plan does so before its first step.
func nothing(s Snapshot, source string) Outcome {
	r := lifecycle.Rehearsal{Format: lifecycle.RehearsalFormat, Site: s.Site, From: s.Lowest(), To: s.Plan.Target, Plan: s.Plan.Meaning(),
		Source: source, Taken: s.Taken, Ended: time.Now(), Result: lifecycle.RunDone, Same: true}
	for _, d := range s.Plan.Diagnostics.Stopping() {
		r.Result = lifecycle.RunBlocked
		r.Blocks = append(r.Blocks, lifecycle.RehearsedBlock{Diagnostic: d})
	}
	return Outcome{Rehearsal: r}
}

// withheld reports whether the site's plan would not begin because of a machine that the twin does not have: without it the plan would go
// through there, which says nothing of the site.
func (s Snapshot) withheld() bool {
	members := map[string]bool{}
	for _, m := range s.Machines {
		members[m.Name] = true
	}
	docs, err := parseDocuments(s.Documents)
	if err != nil {
		return false // what makes the twin of them says so
	}
	for _, doc := range docs {
		hosts, _ := lookupPath(doc, "spec.hosts").([]any)
		for _, h := range hosts {
			host, _ := h.(map[string]any)
			name := strings.ToLower(text(host, "hostname"))
			if !members[name] && slices.ContainsFunc(s.Plan.Diagnostics.Stopping(), func(d lifecycle.Diagnostic) bool { return d.Subject == name }) {
				return true
			}
		}
	}
	return false
}

// twin is one that is being made, or runs.
type twin struct {
	Snapshot
	Options
	dir   string
	lab   *Lab
	kiban Kiban
	names naming

	left    []lifecycle.TwinDifference
	addons  []twinAddon
	refused []lifecycle.RefusedObject
	unwell  []string
	runs    []Ended
	faults  *faults
	probed  probed
}

func (t *twin) stop() { t.lab.Stop() }

func (t *twin) boot(ctx context.Context) (err error) {
	t.Note(fmt.Sprintf("Starting a lab with %s.", lifecycle.Count(len(t.Machines), "machine")))
	var releases []string
	for _, v := range t.Releases() {
		releases = append(releases, v.String())
	}
	own, err := ownKey(t.dir)
	if err != nil {
		return err
	}
	if t.lab, err = StartLab(ctx, t.Lab, t.dir, t.LabMachines(), releases); err != nil {
		return err
	}
	t.names = newNaming(t.lab.Place)
	t.kiban = Kiban{Program: t.Kiban, Fleet: t.dir, Home: t.dir, Own: []string{own}}
	t.faults = newFaults(slices.Clone(t.Faults), t.lab, t.Note)
	return nil
}

// declare writes the twin's fleet with the Cluster at a version.
func (t *twin) declare(v lifecycle.Version, patient bool) error {
	cluster, site, left, err := Declare(t.Documents, Declaration{Site: t.Site, Version: v, Addresses: t.Addresses(), Lab: t.lab.Place,
		Patient: patient, OwnKey: true})
	if err != nil {
		return err
	}
	t.left = left
	if err := WriteFleet(t.kiban.Fleet, t.Site, cluster, site); err != nil {
		return err
	}
	return writeAddons(t.kiban.Fleet, t.Site, t.addons)
}

// found sets the cluster up as it is now.
func (t *twin) found(ctx context.Context) error {
	now := t.Lowest()
	t.Note(fmt.Sprintf("Setting up k0s %s on them.", now))
	if err := t.declare(now, true); err != nil {
		return err
	}
	run, err := t.kiban.Run(ctx, nil, "apply", t.Site, "--yes", "--progress", "json")
	if err != nil {
		return err
	}
	return t.names.run(run).Err("set the twin up")
}

const again = "Try again; if it stays so, it is a fault of the lab."

// furnish brings the site's nodes and objects in.
func (t *twin) furnish(ctx context.Context) error {
	kubeconfig, err := t.lab.Kubeconfig(ctx)
	if err != nil {
		return lifecycle.Errorf("", "the twin's API can't be reached").From(err).Try(again)
	}
	api := t.Connect(kubeconfig)
	defer api.Close()
	made := makers(t.Objects)
	tamed := Tame(t.Snapshot)
	t.left = append(tamed.Differences, t.left...)
	if t.midway() {
		if err := t.catchUp(ctx, api); err != nil {
			return err
		}
	}
	t.Note(fmt.Sprintf("Loading %s, with %s.", lifecycle.Count(len(tamed.Objects), "object"), lifecycle.Count(tamed.Ready, "running pod")))
	if err := adjustNodes(ctx, api, t.Snapshot); err != nil {
		return lifecycle.Errorf("", "the twin's nodes can't be made like the site's").From(err).Try(again)
	}
	if t.refused, err = load(ctx, api, tamed.Objects); err != nil {
		return err
	}
	if t.unwell, err = awaitReady(ctx, api, tamed.Ready, tamed.Slowest); err != nil {
		return err
	}
	if err := awaitOwners(ctx, api, owned(tamed.Objects, made), ownersWithin); err != nil {
		return err
	}
	if err := t.adopt(ctx, tamed.Objects); err != nil {
		return err
	}
	return t.hold(ctx, api)
}

// run does at the twin what is to be done at the site.
func (t *twin) run(ctx context.Context) error {
	left := t.left
	if err := t.declare(cmp.Or(t.Plan.Target, t.Lowest()), false); err != nil {
		return err
	}
	t.left = left
	report := filepath.Join(t.dir, "probe.json")
	stop, err := t.lab.Probe(report)
	if err != nil {
		return err
	}
	t.Note(fmt.Sprintf("Running the plan: %s.", lifecycle.Count(len(t.Plan.Steps), "step")))
	for range 1 + t.faults.kills() {
		var run Ended
		turns := newTurns(t.Note)
		run, err = t.kiban.Run(ctx, func(e lifecycle.Event, kill func()) {
			turns.see(e)
			t.faults.see(ctx, e, kill)
		}, "apply", t.Site, "--yes", "--progress", "json")
		t.runs = append(t.runs, t.names.run(run))
		if err = cmp.Or(err, t.faults.refused); err != nil || run.Code != -1 {
			break
		}
	}
	stop()
	if err != nil {
		return err
	}
	if t.probed, err = readProbe(report); err != nil {
		t.Note("What the prober saw can't be read: " + err.Error())
	}
	t.probed = t.names.probe(t.probed)
	return nil
}

func (t *twin) outcome() Outcome {
	r := tell(t.runs, t.probed, t.Owners)
	r.Site, r.From, r.To, r.Plan = t.Site, t.Lowest(), t.Plan.Target, t.Plan.Meaning()
	r.Source, r.Taken, r.Ended = t.Source, t.Taken, time.Now()
	r.Same, r.Other = compare(t.Plan, t.runs)
	if r.Steps == 0 { // it did not come to a run
		r.Steps = len(t.Plan.Steps)
	}
	r.Differences = append(t.left, Simulated()...)
	r.Refused, r.Unwell, r.Faults = t.refused, t.unwell, t.faults.told()
	return Outcome{Rehearsal: r, Lasted: lasted(t.runs)}
}

// lasted is how long each step took, the gates before it included.
func lasted(runs []Ended) map[string]time.Duration {
	out := map[string]time.Duration{}
	for _, run := range runs {
		waited := map[string]time.Duration{}
		began := map[string]time.Time{}
		for _, e := range run.Events {
			switch e.Kind {
			case lifecycle.EventWaiting:
				if _, known := began[e.Step]; !known {
					began[e.Step] = e.Time.Add(-e.Elapsed)
				}
			case lifecycle.EventStarted:
				if at, known := began[e.Step]; known {
					waited[e.Step] = e.Time.Sub(at)
				} else {
					began[e.Step] = e.Time
				}
			case lifecycle.EventFinished:
				out[e.Step] = waited[e.Step] + e.Elapsed
			}
		}
	}
	return out
}
