package main

import (
	"context"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// mark has the cluster say which site it is, after the first run that changed anything; another site's plan is refused from then on. A cluster
// that does not take the mark is worth a warning and no more.
func (c *siteConnection) mark(ctx context.Context, plan lifecycle.Plan, r *recorder) {
	c.mu.Lock()
	marked := c.seen.API.Site != ""
	c.mu.Unlock()
	if marked || harmless(plan) || r.sum.Record().Begun == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordLimit)
	defer cancel()
	err := c.api.MarkSite(ctx, c.site.Name)
	if err == nil {
		return
	}
	r.warn(lifecycle.Diagnostic{Severity: lifecycle.SeverityWarning, Summary: "the cluster could not note which site it is", Detail: err.Error(), Subject: c.site.Name, Cause: err,
		Hint: "The next run that changes anything tries again."})
}

// warn puts a finding among the events of a run that is over.
func (r *recorder) warn(d lifecycle.Diagnostic) {
	record := r.sum.Record()
	_ = r.next(lifecycle.Event{Format: lifecycle.EventFormat, Time: time.Now(), Run: record.ID, Site: record.Site, Kind: lifecycle.EventProgress,
		Message: "warning: " + d.Summary, Detail: d.Detail, Diagnostic: &d}) // the run itself is over
}
