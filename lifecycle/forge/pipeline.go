package forge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/fleet"
	"kiban.dev/kiban/lifecycle/selector"
)

// PipelineOptions say what a child pipeline is to do.
type PipelineOptions struct {
	Kind lifecycle.PipelineKind
	// Since has jobs for the sites only that changed since that revision; "", or what noRevision matches, for all.
	Since string
	// Due are the facts by which it is decided who may go now: only those get a job, for what was merged before. nil: all do.
	Due *fleet.Facts
	// Sites are the only ones that may get a job; none means all.
	Sites []string
	// Selector picks the sites that may get a job by their labels, as they are now.
	Selector selector.Selector
	// Image is what the jobs run in, LabImage what those run in that rehearse: "" is what LabImage makes of Image. Include is a file of the
	// repository that the pipeline includes.
	Image, LabImage, Include string
}

// noRevision is what GitLab gives as a branch's former revision when it had none.
var noRevision = regexp.MustCompile(`^0{40,64}$`)

// Pipeline is the child pipeline for the sites of the work tree. A site that can't be read gets a job all the same, which fails and says
// why: the others go on.
func (r Repository) Pipeline(ctx context.Context, opts PipelineOptions) (p lifecycle.Pipeline, err error) {
	allowed, found := r.Allowed()
	if found.Err() != nil {
		return p, found
	}
	p = lifecycle.Pipeline{Kind: opts.Kind, Image: opts.Image, LabImage: cmp.Or(opts.LabImage, LabImage(opts.Image)), Include: opts.Include,
		Signed: allowed.SignedReviews}
	now, err := r.Source.Now(r.Dir)
	if err != nil {
		return p, err
	}
	var list fleet.List
	var former FormerLabels
	if opts.Since != "" && !noRevision.MatchString(opts.Since) {
		then, done, openErr := r.Source.At(r.Dir, opts.Since)
		if openErr != nil {
			return p, openErr
		}
		defer func() { err = errors.Join(err, done()) }()
		list, found, err = fleet.Between(ctx, then, now)
		p.Base, p.Since, former = list.Since, fmt.Sprintf("%.10s", list.Since), labelsOf(ctx, then)
	} else {
		list, found, err = fleet.All(ctx, now)
	}
	if err != nil {
		return p, err
	}
	r.Warn(found)
	if list, err = list.Only(now, opts.Sites); err != nil {
		return p, err
	}
	if list = list.Selected(opts.Selector); len(list.Sites) == 0 && !opts.Selector.All() {
		r.Note("%s", list.None(p.Since != "", opts.Selector))
	}
	var brought map[string]fleet.Brought
	if opts.Due != nil {
		if list, brought, err = r.due(ctx, list, *opts.Due); err != nil {
			return p, err
		}
		p.Later, former = true, formerOf(brought)
	}
	if p.Sites, err = r.jobs(ctx, opts.Kind, list.Declared(), former); err != nil {
		return p, err
	}
	for i, s := range p.Sites {
		p.Sites[i].Brought = brought[s.Name].Commit
	}
	p.Gone, p.Again = PipelineGone(list.Removed), again(opts, list.Since)
	return p, nil
}

// jobs are the sites that get a job, as that needs them.
func (r Repository) jobs(ctx context.Context, kind lifecycle.PipelineKind, sites []lifecycle.Site, former FormerLabels) (
	[]lifecycle.PipelineSite, error,
) {
	load := func(name string) lifecycle.Site {
		site, _ := r.Load(ctx, name)
		return site
	}
	drills := map[string]bool{}
	if kind == lifecycle.PipelineBackup {
		sites = slices.DeleteFunc(sites, func(s lifecycle.Site) bool {
			whole := load(s.Name) // a list has no backups; each site is built once
			drills[s.Name] = whole.Backup.Proven > 0
			return !NeedsBackup(whole)
		})
	}
	out, err := PipelineSites(kind, sites, load, former)
	for i, s := range out {
		out[i].Rehearse, out[i].Drill = kind == lifecycle.PipelinePlan && load(s.Name).Rehearse.On != "", drills[s.Name]
	}
	return out, err
}

// again are the words of the command that writes a pipeline once more, from the same revision.
func again(opts PipelineOptions, since string) []string {
	words := []string{"kiban", "ci", "generate", string(opts.Kind)}
	for _, flag := range []struct{ name, value string }{{"--changed-since", since}, {"--image", opts.Image}, {"--lab-image", opts.LabImage},
		{"--include", opts.Include}, {"--selector", opts.Selector.String()}} {
		if flag.value != "" {
			words = append(words, flag.name, flag.value)
		}
	}
	return append(words, opts.Sites...)
}

// LabImage is the image that has the lab beside the kiban of another one, as releases name them: "kiban:1.0.0" has "kiban:1.0.0-lab". A
// digest names one image only, so it is left out. One without a tag is somebody's own, and stays.
func LabImage(image string) string {
	name, _, _ := strings.Cut(image, "@")
	if strings.LastIndex(name, ":") <= strings.LastIndex(name, "/") {
		return image
	}
	return strings.TrimSuffix(name, "-lab") + "-lab"
}

// labelsOf reads the labels that sites had.
func labelsOf(ctx context.Context, then fleet.Declared) FormerLabels {
	type former struct {
		labels map[string]string
		known  bool
	}
	read := map[string]former{}
	return func(name string) (map[string]string, bool) {
		f, is := read[name]
		if !is {
			was, ds := then.Read(ctx, name) // a site that there was not is one that can't be read
			f = former{was.Site.Labels, ds.Err() == nil}
			read[name] = f
		}
		return f.labels, f.known
	}
}

// plainName is what a folder must be called to be a site whose name a script and a job can bear.
var plainName = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`)

// FormerLabels are the labels that a site had on the branch that a change goes into; false when it was not there, or could not be read.
type FormerLabels func(site string) (labels map[string]string, known bool)

// PipelineSites are the jobs' sites, with those that they wait for: load reads one of these, as far as it can be read. A name that no
// job can bear is an error: it would become part of a script. former is nil where no change is known, and then what is declared counts.
//
// Before a change is merged, the branch that it goes into says of what tier a site is, and so whose variables its jobs get: a label must
// not choose them. After it, production is what was production before it or is so now, and what is new waits for somebody as production
// does.
func PipelineSites(
	kind lifecycle.PipelineKind, sites []lifecycle.Site, load func(name string) lifecycle.Site, former FormerLabels,
) ([]lifecycle.PipelineSite, error) {
	var out []lifecycle.PipelineSite
	waitedFor := map[string]lifecycle.PipelineSite{} // the sites of a fleet wait for the same few
	for _, s := range sites {
		site := pipelineSite(kind, s, former)
		for _, name := range s.Promotion.From {
			if _, known := waitedFor[name]; !known {
				from := load(name)
				from.Name = name
				waitedFor[name] = pipelineSite(kind, from, former)
			}
			site.From = append(site.From, waitedFor[name])
		}
		for _, named := range append([]lifecycle.PipelineSite{site}, site.From...) {
			if !plainName.MatchString(named.Name) {
				return nil, lifecycle.Errorf("overlays/"+named.Name, "a site's folder has a name that no job can bear").
					Try("Use small letters, digits, - and dots between them.")
			}
		}
		out = append(out, site)
	}
	return out, nil
}

// production is the tier whose sites wait for somebody to start them.
const production = "production"

func pipelineSite(kind lifecycle.PipelineKind, s lifecycle.Site, former FormerLabels) lifecycle.PipelineSite {
	site := lifecycle.PipelineSite{Name: s.Name, Wave: s.Wave, Tier: s.Labels["tier"]}
	site.Manual = s.Production()
	if former == nil {
		return site
	}
	labels, known := former(s.Name)
	site.Manual = site.Manual || !known || labels["tier"] == production
	if kind == lifecycle.PipelinePlan {
		site.Tier, site.New = labels["tier"], !known
	}
	return site
}

// PipelineGone leaves of the sites whose overlay is gone those whose names a job can bear: the others never had one.
func PipelineGone(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !plainName.MatchString(name) })
}

// NeedsBackup reports whether the backup schedule has a job for a site: one that has machines and a place for backups, or that is
// production and should have one. That job then fails, and says so.
func NeedsBackup(s lifecycle.Site) bool {
	return s.Provider != lifecycle.ProviderExternal && (len(s.Backup.To) > 0 || s.Production())
}
