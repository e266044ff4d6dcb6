package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kiban.dev/kiban/lifecycle/explain"
	"kiban.dev/kiban/lifecycle/render"
)

// addGroup gives root verbs under a title of its help.
func addGroup(root *cobra.Command, title string, verbs ...*cobra.Command) {
	root.AddGroup(&cobra.Group{ID: title, Title: title})
	for _, v := range verbs {
		v.GroupID = title
		root.AddCommand(v)
	}
}

// newHelp is `kiban help VERB`, which says what `kiban VERB --help` does.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:     "help [VERB...]",
		Short:   "Say what a verb is for and how it is called",
		Example: "  kiban help apply\n  kiban help node drain",
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, _ := cmd.Root().Find(args) // what it does not find is left over
			if len(rest) > 0 {
				return noVerb(about, rest[0])
			}
			return about.Help()
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			about, rest, _ := cmd.Root().Find(args)
			var names []string
			for _, c := range about.Commands() {
				if c.IsAvailableCommand() && len(rest) == 0 {
					names = append(names, c.Name())
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
	}
}

// noVerb says that a command has no such verb, and which one may have been meant.
func noVerb(cmd *cobra.Command, name string) error {
	what := fmt.Sprintf("%s has no verb %q", cmd.Name(), name)
	var names []string
	for _, c := range cmd.Commands() {
		if slices.Contains(c.SuggestFor, name) {
			return usage(cmd, fmt.Sprintf("%s; did you mean %q?", what, c.Name()))
		}
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	if near := explain.Nearest(name, names); near != "" {
		what += fmt.Sprintf("; did you mean %q?", near)
	}
	return usage(cmd, what)
}

// suggestFor are what other tools call a verb of ours.
func suggestFor() map[string][]string {
	return map[string][]string{
		"apply": {"deploy", "up", "install", "upgrade", "sync", "run"}, "status": {"get", "health", "doctor", "info"},
		"sites": {"list", "ls"}, "show": {"describe", "log", "logs"}, "validate": {"check", "lint", "test"},
		"node": {"nodes", "machine", "drain", "cordon", "uncordon", "maintain", "reboot"}, "site": {"add", "remove", "rename"},
		"hosts": {"trust"}, "ssh": {"exec", "shell"}, "runs": {"history"}, "render": {"build", "template"},
	}
}

// wrongFlag says of a flag that a verb does not have which one may have been meant.
func wrongFlag(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !asFlag(err, &unknown) {
		return usage(cmd, err.Error())
	}
	name := strings.TrimLeft(cmp.Or(unknown.GetSpecifiedShortnames(), unknown.GetSpecifiedName()), "-")
	what := "unknown flag: --" + name
	if len(name) == 1 {
		what = "unknown flag: -" + name
	}
	switch {
	case slices.Contains([]string{"dry-run", "dryrun", "preview", "what-if"}, name), name == "check" && cmd.Name() == "apply":
		return usage(cmd, what+"; kiban plan shows what apply would do, and changes nothing")
	}
	meant := map[string]string{"auto-approve": "yes", "assume-yes": "yes", "force": "yes", "confirm": "yes", "debug": "verbose",
		"trace":  "verbose",
		"format": "output", "json": "output", "wide": "output", "repo": "fleet", "chdir": "fleet", "config": "fleet"}[name]
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	if !slices.Contains(names, meant) {
		meant = explain.Nearest(name, names)
	}
	if meant != "" {
		what += "; did you mean --" + meant + "?"
	}
	return usage(cmd, what)
}

// asFlag is errors.As for what pflag gives, which is never wrapped.
func asFlag(err error, to **pflag.NotExistError) (is bool) {
	*to, is = err.(*pflag.NotExistError) //nolint:errorlint // cobra hands on what pflag gave
	return is
}

// manual is what help, docs/cli.md and man pages show of a command.
func manual(cmd *cobra.Command) render.Manual {
	m := render.Manual{Name: cmd.CommandPath(), Usage: strings.TrimSuffix(cmd.UseLine(), " [flags]"), Short: cmd.Short, Long: cmd.Long}
	for line := range strings.Lines(cmd.Example) {
		m.Examples = append(m.Examples, strings.TrimPrefix(strings.TrimRight(line, "\n"), "  "))
	}
	if !cmd.HasParent() {
		m.Usage = cmd.DisplayName() + " VERB"
	}
	titles := []string{""}
	for _, g := range cmd.Groups() {
		titles = append(titles, g.ID)
	}
	for _, title := range titles {
		g := render.ManualGroup{Title: cmp.Or(title, "Verbs")}
		for _, c := range cmd.Commands() {
			if c.GroupID == title && c.IsAvailableCommand() {
				g.Entries = append(g.Entries, render.ManualEntry{Name: c.Name(), Text: c.Short})
			}
		}
		if len(g.Entries) > 0 {
			m.Verbs = append(m.Verbs, g)
		}
	}
	m.Flags, m.Everywhere = entries(cmd.NonInheritedFlags()), entries(cmd.InheritedFlags())
	if !cmd.HasParent() {
		m.Flags, m.Everywhere = entries(cmd.LocalNonPersistentFlags()), entries(cmd.PersistentFlags())
	}
	return m
}

func entries(flags *pflag.FlagSet) (out []render.ManualEntry) {
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" || f.Deprecated != "" {
			return
		}
		kind, text := pflag.UnquoteUsage(f)
		name := "    --" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", --" + f.Name
		}
		if of := map[string]string{"string": "TEXT", "strings": "TEXT,...", "stringArray": "TEXT", "duration": "TIME",
			"int": "N"}[kind]; kind != "" {
			name += " " + cmp.Or(of, kind)
		}
		if d := f.DefValue; !slices.Contains([]string{"", "0", "0s", "false", "[]"}, d) {
			text += " (default " + strings.Trim(d, "[]") + ")"
		}
		out = append(out, render.ManualEntry{Name: name, Text: text})
	})
	return out
}
