package main

import (
	"strings"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle/explain"
	"kiban.dev/kiban/lifecycle/readiness/risks"
)

func newSchema(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "schema [KIND]",
		Short: "Print the JSON schema of kiban's documents, for editors",
		Long: `Print the JSON schema of Site, Addon, Tenant and Fleet documents: of one kind, or one for files that hold any of them. Editors that
speak YAML's language server (VS Code, Neovim, JetBrains) then complete fields, explain them, and underline what kiban would refuse.

"risk" is the schema of files of known risks, which is a document of its own.

A fleet keeps it as ` + explain.SchemaFile + `, to which the first line of its files leads. Write it anew after an upgrade of kiban.`,
		Example:           "  kiban schema > " + explain.SchemaFile + "\n  kiban schema addon",
		ValidArgsFunction: cobra.FixedCompletions(append(explain.Kinds(), "risk"), cobra.ShellCompDirectiveNoFileComp),
		RunE: func(_ *cobra.Command, args []string) error {
			schema, err := explain.Schema(strings.Join(args, " "))
			if len(args) == 1 && args[0] == "risk" {
				schema, err = risks.Schema()
			}
			if err == nil {
				_, err = a.data.Write(schema)
			}
			return err
		},
	}
}
