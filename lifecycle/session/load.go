package session

import (
	"context"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/backup"
	"kiban.dev/kiban/lifecycle/git"
	"kiban.dev/kiban/lifecycle/k0s"
	"kiban.dev/kiban/lifecycle/kube"
	"kiban.dev/kiban/lifecycle/site"
)

// Load reads what a fleet declares of a site, and checks it. Findings that are errors make the site unfit to be opened.
func Load(ctx context.Context, fleet, name string) (lifecycle.Site, lifecycle.Diagnostics) {
	return site.Load(ctx, fleet, name, site.Options{
		Describe:   k0s.Describe,
		Recipient:  backup.CheckRecipient,
		ServerFile: kube.CheckServerFile,
		Revision:   git.Revision,
	})
}
