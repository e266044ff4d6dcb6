package forge

import (
	"cmp"
	"context"
	"errors"
	"io"
	"sync"

	"kiban.dev/kiban/lifecycle"
)

// Announcement is what a job has to tell of a site.
type Announcement struct {
	Site string
	// What is told: "started", "ended" or "drift".
	What string
	// Plan is the file of what is about to be done, or of what a look at the site found; Result that of how it ended.
	Plan, Result string
	// Template is a file with the wording; "" is what the environment says, or the one that comes with kiban.
	Template string
	// Print takes the message in place of those who would be told; nil sends it.
	Print io.Writer
	// Who runs the job, and By who tells, for others to read: a job's address, or a person and a machine.
	Who, By string
	// Told is the folder that remembers what was told of a site whose cluster can't; Cluster asks for the site's, which done lets go of.
	Told    string
	Cluster func(lifecycle.Site) (cluster Cluster, done func(), err error)
}

// Cluster is what a site's cluster keeps: what was told, and what was done to it.
type Cluster interface {
	Keeper
	Lived(ctx context.Context) []lifecycle.RunRecord
}

// Announce tells those that the environment names what there is to tell, each of them once.
func (r Repository) Announce(ctx context.Context, t Announcement, getenv func(string) string, to Post, open Open) error {
	receivers, err := Receivers(getenv, to, open)
	if len(receivers) == 0 && t.Print == nil {
		if err == nil {
			r.Note("Nobody is told: neither KIBAN_WEBHOOK nor KIBAN_TELL_GITLAB is set.")
		}
		return err
	}
	site, found := r.Load(ctx, t.Site)
	readable := found.Err() == nil
	if !readable {
		site = lifecycle.Site{Name: t.Site} // what is amiss with it may be what there is to tell
	}
	job := Job{Site: site, Commit: getenv("CI_COMMIT_SHA"), Status: getenv("CI_JOB_STATUS"), URL: getenv("CI_JOB_URL"),
		Pipeline: getenv("CI_PIPELINE_URL"), Who: t.Who}
	cluster, done := t.cluster(site, readable)
	defer done() // what was to be said is said
	if readable {
		job.Due = r.Source.Due(ctx, r.Dir, site, func() []lifecycle.RunRecord {
			if c := cluster(); c != nil {
				return c.Lived(ctx)
			}
			return nil
		})
	}
	messages, why, toldErr := job.Tell(t.What, t.Plan, t.Result)
	if err = errors.Join(err, toldErr); why != "" {
		r.Note("%s", why)
	}
	if len(messages) == 0 {
		return err
	}
	wording, bad := ReadTemplate(cmp.Or(t.Template, getenv("KIBAN_TELL_TEMPLATE")))
	if t.Print != nil {
		return errors.Join(toldErr, bad, wording.Print(t.Print, messages))
	}
	memory := &Memory{Dir: t.Told, Note: r.Note}
	if c := cluster(); c != nil {
		memory.Cluster = c
	}
	teller := Teller{Memory: memory, Wording: wording, By: t.By, Note: r.Note}
	err = errors.Join(err, bad)
	for _, to := range receivers {
		for _, m := range messages {
			err = errors.Join(err, teller.Tell(ctx, to, m))
		}
	}
	return err
}

// cluster is the site's, which is connected to when it is first needed; nil where it can't be, and where all is only printed. done lets
// go of it.
func (t Announcement) cluster(site lifecycle.Site, readable bool) (cluster func() Cluster, done func()) {
	letGo := func() {}
	cluster = sync.OnceValue(func() Cluster {
		if !readable || t.Print != nil {
			return nil
		}
		c, leave, err := t.Cluster(site)
		if err != nil {
			return nil
		}
		letGo = leave
		return c
	})
	return cluster, func() { letGo() }
}
