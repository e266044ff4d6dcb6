package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
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
  drift --plan FILE      what "kiban plan -o json" printed. Told the first time; that it is gone is told once, too.

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
	ctx, cancel := context.WithTimeout(ctx, tellLimit)
	defer cancel()
	fleet, err := a.fleetDir()
	if err != nil {
		return err
	}
	if err := a.knownSite(ctx, fleet, opts.Site); err != nil {
		return err
	}
	receivers, err := a.receivers()
	if len(receivers) == 0 && !opts.Print {
		if err == nil {
			a.note("Nobody is told: neither KIBAN_WEBHOOK nor KIBAN_TELL_GITLAB is set.")
		}
		return err
	}
	site, found := a.LoadSite(ctx, fleet, opts.Site, session.LoadOptions{})
	readable := found.Err() == nil
	if !readable {
		site = lifecycle.Site{Name: opts.Site} // what is amiss with it may be what there is to tell
	}
	m, why, toldErr := a.toTell(opts, site)
	if toldErr != nil || why != "" {
		if why != "" {
			a.note("%s", why)
		}
		return errors.Join(err, toldErr)
	}
	wording, bad := readTemplate(cmp.Or(opts.Template, a.Getenv("KIBAN_TELL_TEMPLATE")))
	if opts.Print {
		return errors.Join(bad, a.printMessage(wording, m))
	}
	memory := &forge.Memory{Dir: toldDir(fleet, opts.Site), Note: a.note}
	if readable {
		conn, unconnected := a.open(site, fleet)
		if unconnected == nil {
			memory.Cluster = conn
			defer func() { _ = conn.Close() }() // what was to be said is said
		}
	}
	teller := forge.Teller{Memory: memory, Wording: wording, By: a.toldBy(), Note: a.note}
	err = errors.Join(err, bad)
	for _, r := range receivers {
		err = errors.Join(err, teller.Tell(ctx, r, m))
	}
	return err
}

// toTell is the message, or why there is none.
func (a *app) toTell(opts *ciTellOptions, site lifecycle.Site) (m forge.Message, why string, err error) {
	who, _ := a.operator()
	job := forge.Job{Site: site, Commit: a.Getenv("CI_COMMIT_SHA"), Status: a.Getenv("CI_JOB_STATUS"),
		URL: a.Getenv("CI_JOB_URL"), Pipeline: a.Getenv("CI_PIPELINE_URL"), Who: who}
	switch opts.What {
	case "started":
		return job.Started(opts.Plan)
	case "ended":
		return job.Ended(opts.Result)
	}
	m, err = job.Drift(opts.Plan)
	return m, "", err
}

// receivers are those that the environment wants to be told. One that is configured wrong is an error beside the others.
func (a *app) receivers() ([]forge.Receiver, error) {
	var out []forge.Receiver
	if address := a.Getenv("KIBAN_WEBHOOK"); strings.TrimSpace(address) != "" {
		out = append(out, forge.WebhookReceiver(address, a.SendWebhook))
	}
	wanted := strings.FieldsFunc(a.Getenv("KIBAN_TELL_GITLAB"), func(r rune) bool { return r == ',' || r == ' ' })
	for _, w := range wanted {
		if w != "issue" && w != "note" {
			return out, lifecycle.Errorf("", "KIBAN_TELL_GITLAB says %q", w).Try("Set it to issue, to note, or to issue,note.")
		}
	}
	p := a.project()
	if len(wanted) > 0 && (p.URL == "" || p.Project == "") {
		return out, lifecycle.Errorf("", "there is no GitLab project to write to").
			Because("CI_API_V4_URL or CI_PROJECT_ID is not set: this is no pipeline.").
			Try("Unset KIBAN_TELL_GITLAB outside of pipelines.")
	}
	open := func() (forge.Forge, error) { return a.OpenForge(p.ForgeServer, a.log()) }
	if slices.Contains(wanted, "issue") {
		out = append(out, forge.IssueReceiver(open, p.Project))
	}
	if slices.Contains(wanted, "note") {
		out = append(out, forge.NoteReceiver(open, p.Project, a.Getenv("CI_COMMIT_SHA"), a.Getenv("CI_COMMIT_BRANCH")))
	}
	return out, nil
}

// toldDir is where it is remembered what was told of a site whose cluster can't: a file a message.
func toldDir(fleet, site string) string { return filepath.Join(session.StateDir(fleet), "told", site) }

// toldBy is who tells, for others to read: a job's address, or a person and a machine.
func (a *app) toldBy() string {
	who, where := a.operator()
	if a.gitlab() && where != "" {
		return "job " + where
	}
	return strings.TrimSuffix(who+" on "+where, " on ")
}

// knownSite refuses the name of a site that the fleet does not have. One that can't be read is known.
func (a *app) knownSite(ctx context.Context, fleet, name string) error {
	names, err := a.ListSites(fleet)
	if err != nil || slices.Contains(names, name) {
		return err
	}
	_, ds := a.LoadSite(ctx, fleet, name, session.LoadOptions{})
	return ds.Err()
}

// readTemplate is the wording. Of one that makes no message, people are told in kiban's own words all the same.
func readTemplate(file string) (forge.Template, error) {
	if file == "" {
		return forge.ShippedTemplate(), nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return forge.ShippedTemplate(), lifecycle.Errorf(file, "the template can't be read").From(err).
			Try("--template and KIBAN_TELL_TEMPLATE name a file, as seen from the folder that kiban runs in.")
	}
	t, err := forge.ParseTemplate(file, string(b))
	if err != nil {
		return forge.ShippedTemplate(), err
	}
	return t, nil
}

func (a *app) printMessage(wording forge.Template, m forge.Message) error {
	text, err := wording.ForChat(m)
	if err != nil {
		return err
	}
	_, err = io.WriteString(a.Out, strings.TrimSuffix(text, "\n")+"\n")
	return err
}
