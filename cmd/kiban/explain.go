package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
)

// The comments of the code, as scripts/explain collects them.
//
//go:embed explain.json
var explainJSON []byte

type explainOptions struct {
	app   *app
	Topic string
}

func newExplain(a *app, runF func(context.Context, *explainOptions) error) *cobra.Command {
	opts := &explainOptions{app: a}
	return &cobra.Command{
		Use:   "explain [TOPIC]",
		Short: "Explain kiban's words, fields, actions, gates and exit codes",
		Long: `Explain a word (site, plan, step, gate), a field of a document (Site.spec.upgrade.workers.maxUnavailable, Addon.spec.chart), an
action of a step (drain), a gate (etcd-quorum), an exit code (3). Without TOPIC it lists what there is to explain.`,
		Example: "  kiban explain gate\n  kiban explain Site.spec.upgrade.workers\n  kiban explain exit",
		ValidArgsFunction: func(_ *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
			return topicNames(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usage(cmd, "one topic at a time")
			}
			if len(args) == 1 {
				opts.Topic = args[0]
			}
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return explainRun(cmd.Context(), opts)
		},
	}
}

// topic is an entry of explain.json.
type topic struct {
	Name   string  `json:"name"`
	Kind   string  `json:"kind"`
	Type   string  `json:"type"`
	Text   string  `json:"text"`
	Fields []topic `json:"fields"`
}

// heading is a kind of topic as a list shows it.
type heading struct{ kind, title string }

func headings() []heading {
	return []heading{
		{"word", "Words"}, {"action", "Actions: what a step does"}, {"gate", "Gates: what must hold before and after a step"},
		{"event", "Events: what a run tells"}, {"exit", "Exit codes"}, {"severity", "Severities of a diagnostic"},
		{"service", "States of the k0s service"}, {"problem", "Problems of a machine"}, {"change", "Changes of an object"},
		{"health", "Health of a unit or an object"}, {"field", "Fields of the Site, Addon and Tenant documents"},
	}
}

func topics() ([]topic, error) {
	var all []topic
	if err := json.Unmarshal(explainJSON, &all); err != nil {
		return nil, fmt.Errorf("explain.json: %w", err)
	}
	return all, nil
}

func topicNames() []string {
	all, err := topics()
	if err != nil {
		return nil
	}
	var names []string
	for _, t := range all {
		names = append(names, t.Name)
	}
	return names
}

func explainRun(_ context.Context, opts *explainOptions) error {
	all, err := topics()
	if err != nil {
		return err
	}
	text := explain(all, opts.Topic)
	if text == "" {
		return lifecycle.Errorf("", "kiban has no word %q", opts.Topic).Try("kiban explain")
	}
	_, err = fmt.Fprint(opts.app.Out, text)
	return err
}

// explain gives the text for a topic; "" when nothing is called so.
func explain(all []topic, name string) string {
	var b strings.Builder
	if name == "" {
		for _, h := range headings() {
			list(&b, h.title, ofKind(all, h.kind, 2))
		}
		return b.String()
	}
	// One name can be several things: "stage" is a word and an action.
	for _, t := range all {
		if !strings.EqualFold(t.Name, name) {
			continue
		}
		head := t.Name + " (" + t.Kind
		if t.Type != "" {
			head += ", " + t.Type
		}
		fmt.Fprintf(&b, "%s)\n\n", head)
		fill(&b, t.Text)
		list(&b, "Fields", t.Fields)
		if t.Kind == "field" {
			list(&b, "Fields", children(all, t.Name))
		}
		b.WriteByte('\n')
	}
	for _, h := range headings() {
		if strings.EqualFold(name, h.kind) || strings.EqualFold(name, h.kind+"s") || strings.EqualFold(name, h.kind+"-codes") {
			list(&b, h.title, ofKind(all, h.kind, 99))
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// ofKind gives the topics of a kind, fields only as deep as said.
func ofKind(all []topic, kind string, depth int) []topic {
	return slices.DeleteFunc(slices.Clone(all), func(t topic) bool { return t.Kind != kind || strings.Count(t.Name, ".") > depth })
}

func children(all []topic, name string) []topic {
	return slices.DeleteFunc(slices.Clone(all), func(t topic) bool {
		rest, below := strings.CutPrefix(t.Name, name+".")
		return !below || strings.Contains(rest, ".")
	})
}

func list(b *strings.Builder, title string, ts []topic) {
	if len(ts) == 0 {
		return
	}
	if b.Len() > 0 && !strings.HasSuffix(b.String(), "\n\n") {
		b.WriteByte('\n')
	}
	b.WriteString(title + "\n")
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, t := range ts {
		text := strings.TrimPrefix(t.Text, t.Name+": ") // the name stands before it already
		if t.Type != "" {
			text = "(" + t.Type + ") " + text
		}
		for i, line := range lines(text, 90) {
			name := t.Name
			if i > 0 {
				name = ""
			}
			fmt.Fprintf(w, "  %s\t%s\n", name, line)
		}
	}
	_ = w.Flush() // a strings.Builder takes everything
}

// fill writes a paragraph.
func fill(b *strings.Builder, text string) {
	for _, line := range lines(text, 110) {
		b.WriteString(line + "\n")
	}
}

// lines breaks text at spaces into lines of at most width. A text without words is one empty line.
func lines(text string, width int) []string {
	var out []string
	line := ""
	for _, w := range strings.Fields(text) {
		if line != "" && len(line)+1+len(w) > width {
			out = append(out, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += w
	}
	return append(out, line)
}
