package session

import (
	"context"
	"os"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/atomicfile"
	"kiban.dev/kiban/lifecycle/backup"
	"kiban.dev/kiban/lifecycle/kube"
	"kiban.dev/kiban/lifecycle/plan"
	"kiban.dev/kiban/lifecycle/site"
	"kiban.dev/kiban/lifecycle/twin"
)

// SnapshotOptions are what a site is rehearsed for.
type SnapshotOptions struct {
	// To is the version that it is to go to, "v1.37.2+k0s.0"; "" is the declared one.
	To string
	// Save is the file that keeps the snapshot, encrypted to those that backups are encrypted to; "" keeps it nowhere.
	Save string
	// IfAsked looks no further than the plan where spec.rehearse does not ask for it to be rehearsed.
	IfAsked bool
}

// Snapshot is the site as it is now, for a twin of it. Nothing is changed: machines are looked at once, and the API is read page by page.
// The plan in it is the site's own. Where that has no step, or nobody asks for it, and nothing is to be saved, the API's objects are not
// read: nothing is rehearsed then.
func (s *Session) Snapshot(ctx context.Context, opts SnapshotOptions) (twin.Snapshot, error) {
	to, err := rehearsed(opts.To)
	if err != nil {
		return twin.Snapshot{}, err
	}
	if opts.Save != "" {
		if err := atomicfile.Try(opts.Save); err != nil {
			return twin.Snapshot{}, notKept(opts.Save, err)
		}
	}
	s.opts.Hooks.note("Taking a snapshot of %s.", s.site.Name)
	out, err := s.aimed(ctx, to)
	wanted := !out.Plan.Empty() && (!opts.IfAsked || s.site.Rehearse.Asks(out.Plan))
	if err != nil || !wanted && opts.Save == "" {
		return out, err
	}
	if len(out.Machines) == 0 && len(s.site.Cluster.Hosts) > 0 {
		return out, twin.NoCluster(s.site.Name)
	}
	out, err = s.withObjects(ctx, out)
	if err != nil || opts.Save == "" {
		return out, err
	}
	b, err := out.Encode()
	if err != nil {
		return out, err
	}
	if len(s.site.Backup.Recipients) == 0 {
		s.opts.Hooks.say("The snapshot is not encrypted: spec.backup.recipients names nobody. It has no values of Secrets, but all else.")
	}
	if err := backup.Seal(opts.Save, b, s.site.Backup.Recipients); err != nil {
		return out, notKept(opts.Save, err)
	}
	return out, nil
}

func notKept(file string, err error) error {
	return lifecycle.Errorf(file, "the snapshot can't be kept").From(err).
		Try("Name a file in a folder that is there and has room: --save FILE")
}

// rehearsed is a version that can be rehearsed: one to install.
func rehearsed(version string) (lifecycle.Version, error) {
	to, exact, err := lifecycle.ParseTarget(version)
	if err == nil && version != "" && !exact {
		err = lifecycle.Errorf("", "--to %s is no release to install", version).Try("Name it whole: --to v1.37.2+k0s.0")
	}
	return to, err
}

// Rehearsable refuses a rehearsal to that version of which it is known that it can't be made, before the site is asked anything.
func (s *Session) Rehearsable(version string, opts twin.Options) error {
	to, err := rehearsed(version)
	if err != nil {
		return err
	}
	aimed := s.site
	if !to.IsZero() {
		aimed.Cluster.Version = to
	}
	return twin.Foresee(aimed, opts)
}

// ReadSnapshot reads a snapshot that was kept, with the private keys in identity if it is encrypted.
func ReadSnapshot(file, identity string) (twin.Snapshot, error) {
	b, err := backup.Unseal(file, identity)
	if err != nil {
		return twin.Snapshot{}, err
	}
	return twin.Decode(file, b)
}

// aimed is the site with the plan to that version, and without its objects.
func (s *Session) aimed(ctx context.Context, to lifecycle.Version) (twin.Snapshot, error) {
	out := twin.Snapshot{Format: twin.SnapshotFormat, Site: s.site.Name, Taken: time.Now().UTC().Truncate(time.Second)}
	if s.site.Provider == lifecycle.ProviderExternal {
		return out, s.site.HasMachines()
	}
	seen, err := s.Observe(ctx)
	if err != nil {
		return out, err
	}
	if why := seen.API.Unknown; why != "" {
		return out, lifecycle.Errorf(s.site.Name, "the API does not answer, so no twin can be made of the site").Because(why).
			Try("kiban status " + s.site.Name + " says what is wrong. A snapshot from before can be rehearsed: --from FILE.")
	}
	aimed := s.site
	if !to.IsZero() {
		if to, err = s.reachable(seen, to, true); err != nil {
			return out, err
		}
		aimed.Cluster.Version = to
	}
	out.Plan = s.parts.Plans.Make(aimed, seen, lifecycle.PlanOptions{InJob: s.opts.InJob})
	out.Plan = s.judged(ctx, seen, out.Plan)
	out.Runs = s.pastRuns(ctx, true)
	for _, h := range s.site.Cluster.Hosts {
		st, _ := seen.Host(h.Name)
		if v := st.Level(); !v.IsZero() {
			out.Machines = append(out.Machines, twin.SiteMachine{Name: h.Name, Role: h.Role, Version: v, Arch: st.Arch, Staged: st.Staged,
				Addresses: addressesOf(h)})
		}
	}
	out.Owners = s.owners()
	docs, ds := site.Render(ctx, s.opts.Fleet, s.site.Name)
	if err := ds.Err(); err != nil {
		return out, err
	}
	out.Documents = docs
	return out, nil
}

// snapshotWithin bounds how long a site's API may take to tell all that it has.
const snapshotWithin = 5 * time.Minute

func (s *Session) withObjects(ctx context.Context, out twin.Snapshot) (twin.Snapshot, error) {
	if s.parts.Everything == nil {
		return out, nil
	}
	within, cancel := lifecycle.Within(ctx, snapshotWithin, "the API did not tell all that it has")
	defer cancel()
	objects, unread, err := s.parts.Everything(within)
	if ctx.Err() != nil {
		return out, context.Cause(ctx)
	}
	if err != nil {
		return out, lifecycle.Errorf(s.site.Name, "the site's objects can't be read").From(err).
			Try("Look at the API: kiban status " + s.site.Name + ". Nothing was changed, and no twin was made.")
	}
	out.Unread = unread
	if out.Addons, err = s.installed(within); err != nil && ctx.Err() == nil {
		out.Unread = append(out.Unread, "what kiban keeps of the addons: "+lifecycle.InWords(err))
	}
	for _, o := range objects {
		parsed, err := twin.ParseObject(o.JSON)
		if err != nil {
			return out, err
		}
		out.Objects = append(out.Objects, parsed)
	}
	return out, nil
}

// installed are the addons that the cluster has and the site declares: those that a rollout waits for.
func (s *Session) installed(ctx context.Context) ([]twin.SiteAddon, error) {
	if s.parts.Inventories == nil || len(s.site.Addons) == 0 {
		return nil, nil
	}
	inventories, err := s.parts.Inventories(ctx)
	var out []twin.SiteAddon
	for _, a := range s.site.Addons {
		for _, inv := range inventories {
			if inv.Unit != a.Unit() {
				continue
			}
			addon := twin.SiteAddon{Name: a.Name, Namespace: a.Namespace}
			for _, it := range inv.Objects {
				addon.Objects = append(addon.Objects, it.ObjectRef)
			}
			out = append(out, addon)
		}
	}
	return out, err
}

// addressesOf are those by which the declaration calls a machine.
func addressesOf(h lifecycle.Host) []string {
	var out []string
	for _, a := range []string{h.Address, h.PrivateAddress} {
		if a != "" {
			out = append(out, a)
		}
	}
	return out
}

// owners are tenants and addons by the namespaces that are theirs.
func (s *Session) owners() map[string]string {
	out := map[string]string{}
	for _, a := range s.site.Addons {
		if a.Namespace != "default" && !strings.HasPrefix(a.Namespace, "kube-") {
			out[a.Namespace] = "addon " + a.Name
		}
	}
	for _, t := range s.site.Tenants {
		for _, n := range t.Namespaces {
			out[n.Name] = "tenant " + t.Name
		}
	}
	return out
}

// Rehearse makes a twin of a snapshot and runs its plan there. No site is asked.
func Rehearse(ctx context.Context, s twin.Snapshot, opts twin.Options) (lifecycle.Rehearsal, error) {
	opts.Connect = func(kubeconfig []byte) twin.API {
		return kube.New(func(context.Context) (lifecycle.Credentials, error) {
			return lifecycle.Credentials{Kubeconfig: kubeconfig}, nil
		}, nil, kube.Options{})
	}
	if opts.Kiban == "" {
		self, err := os.Executable()
		if err != nil {
			return lifecycle.Rehearsal{}, err
		}
		opts.Kiban = self
	}
	defer sayEnding(ctx, opts.Note)()
	out, err := twin.Rehearse(ctx, s, opts)
	if err != nil {
		return lifecycle.Rehearsal{}, err
	}
	r := out.Rehearsal
	var unknown []lifecycle.Action
	r.Expected, unknown = plan.Expect(s.Plan, s.Runs, out.Lasted)
	r.Assumed = assumed(unknown)
	return r, nil
}

// sayEnding tells who interrupts that a lab takes a moment to end. What it gives back is called when there is nothing to tell any more.
func sayEnding(ctx context.Context, say func(text string)) (over func()) {
	stop := context.AfterFunc(ctx, func() { say("The lab is ended, which takes some seconds. The site is not touched.") })
	return func() { stop() }
}

// assumed says how long what no run of the site has done is taken to last.
func assumed(unknown []lifecycle.Action) []string {
	var names []string
	for _, a := range unknown {
		names = append(names, string(a))
	}
	switch len(names) {
	case 0:
		return nil
	case 1:
		return []string{"No run of the site tells how long " + names[0] + " takes; it is as in the lab."}
	}
	return []string{"No run of the site tells how long " + lifecycle.Enumerate(names) + " take; they are as in the lab."}
}
