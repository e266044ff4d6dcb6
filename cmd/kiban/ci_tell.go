package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/forge"
	"kiban.dev/kiban/lifecycle/session"
)

// tellLimit is how long telling may take: a job that tells is not kept from its end for long.
const tellLimit = time.Minute

type ciTellOptions struct {
	app  *app
	Site string
	// What is told: "started", "ended" or "drift".
	What string
	// Plan is what is about to be done, or what a look at the site found; Result how it ended.
	Plan, Result string
	// Template is a file with the wording; "" is what the environment says, or the one that comes with kiban.
	Template string
	// Print writes the message to stdout and sends nothing.
	Print bool
}

// tellings are what can be told, with the flag that each needs.
func tellings() map[string]string {
	return map[string]string{"started": "--plan", "ended": "--result", "drift": "--plan"}
}

func newCITell(a *app, runF func(context.Context, *ciTellOptions) error) *cobra.Command {
	opts := &ciTellOptions{app: a}
	cmd := &cobra.Command{
		Use:   "tell SITE started|ended|drift",
		Short: "Tell people that a site's run began or ended, or that the site has drifted: once",
		Long: `Send one message to each place that the environment names: KIBAN_WEBHOOK is the address of a webhook that takes Slack's messages
(a secret); KIBAN_TELL_GITLAB is "issue" (one issue a site, opened when something is amiss and closed when it is over), "note" (on the
merge request that the commit came with), or "issue,note", with a token in KIBAN_GITLAB_TOKEN or GITLAB_TOKEN. Where none is set, nobody
is told.

  started --plan FILE    the reviewed plan, as "kiban ci reviewed" leaves it. Silent when it has nothing to do, or is not there.
  ended --result FILE    what "kiban apply --result" wrote. Without the file: the job ended and left no result. That nothing had to be done
                         is told only when something was told to be amiss before.
  drift --plan FILE      what "kiban plan -o json" printed. Told the first time; that it is gone is told once, too. So is that the
                         time to leave a minor runs short ("kiban calendar"): at 30 days, at 7, and when none are left.

Each message is told once, however often the job is retried: the site's cluster remembers it, or .kiban/told where there is none. What could
not be sent is exit code 1 and no more. It takes a minute at most.`,
		Example: "  kiban ci tell tokyo-prod started --plan reviewed/tokyo-prod.json\n" +
			"  kiban ci tell tokyo-prod ended --result result-tokyo-prod.json\n  kiban ci tell tokyo-prod drift --plan plans/tokyo-prod.json " +
			"--print",
		ValidArgsFunction: a.completeTell,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usage(cmd, "name a site and what to tell of it: started, ended or drift")
			}
			opts.Site, opts.What = args[0], args[1]
			needs, known := tellings()[opts.What]
			switch {
			case !known:
				return usage(cmd, fmt.Sprintf("%q is nothing that can be told: started, ended or drift", opts.What))
			case needs == "--plan" && opts.Plan == "", needs == "--result" && opts.Result == "":
				return usage(cmd, opts.What+" needs "+needs+" FILE")
			}
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return ciTellRun(cmd.Context(), opts)
		},
	}
	cmd.Flags().StringVar(&opts.Plan, "plan", "", "the plan that is about to be carried out, or that a look at the site made")
	cmd.Flags().StringVar(&opts.Result, "result", "", "how the run ended")
	cmd.Flags().StringVar(&opts.Template, "template", "", "a file with the wording in place of kiban's own; default $KIBAN_TELL_TEMPLATE")
	cmd.Flags().BoolVar(&opts.Print, "print", false, "print the message as a webhook would get it, and send nothing")
	return cmd
}

// completeTell offers the sites, and then what can be told.
func (a *app) completeTell(cmd *cobra.Command, args []string, part string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 1 {
		return []string{"started", "ended", "drift"}, cobra.ShellCompDirectiveNoFileComp
	}
	return a.completeSites(cmd, args, part)
}

func ciTellRun(ctx context.Context, opts *ciTellOptions) error {
	a := opts.app
	ctx, cancel := lifecycle.Within(ctx, tellLimit, "not told")
	defer cancel()
	repo, err := a.repository()
	if err != nil {
		return err
	}
	if err := repo.Source.Known(ctx, repo.Dir, opts.Site); err != nil {
		return err
	}
	who, _ := a.operator()
	tell := forge.Announcement{Site: opts.Site, What: opts.What, Plan: opts.Plan, Result: opts.Result, Template: opts.Template,
		Who: who, By: a.toldBy(), Told: session.ToldDir(repo.Dir, opts.Site),
		Cluster: func(site lifecycle.Site) (forge.Cluster, func(), error) {
			s, err := a.open(site, repo.Dir)
			return s, func() { _ = s.Close() }, err
		}}
	if opts.Print {
		tell.Print = a.Out
	}
	return repo.Announce(ctx, tell, a.Getenv, a.SendWebhook, func() (forge.Forge, error) {
		return a.openForge(forge.ProjectOf(a.Getenv).ForgeServer)
	})
}

// toldBy is who tells, for others to read: a job's address, or a person and a machine.
func (a *app) toldBy() string {
	who, where := a.operator()
	if a.gitlab() && where != "" {
		return "job " + where
	}
	return strings.TrimSuffix(who+" on "+where, " on ")
}
