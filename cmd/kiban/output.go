package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// output is the -o flag of a verb: one of the forms it knows.
type output struct {
	form  string
	forms []string
}

// addOutput gives a verb its -o flag. The first form is the default.
func addOutput(cmd *cobra.Command, o *output, forms ...string) {
	o.forms = forms
	cmd.Flags().StringVarP(&o.form, "output", "o", forms[0], "form of the result: "+strings.Join(forms, ", "))
	// The only error is a flag of another name.
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(forms, cobra.ShellCompDirectiveNoFileComp))
}

func (o output) validate(cmd *cobra.Command) error {
	if slices.Contains(o.forms, o.form) {
		return nil
	}
	return usage(cmd, fmt.Sprintf("-o %s is not a form of %s; it has %s", o.form, cmd.Name(), strings.Join(o.forms, ", ")))
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
