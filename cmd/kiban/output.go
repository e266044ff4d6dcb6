package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
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

// data reports whether the result is for programs.
func (o output) data() bool { return o.form == "json" || o.form == "yaml" }

func (o output) validate(cmd *cobra.Command) error {
	if slices.Contains(o.forms, o.form) {
		return nil
	}
	return usage(cmd, fmt.Sprintf("-o %s is not a form of %s; it has %s", o.form, cmd.Name(), strings.Join(o.forms, ", ")))
}

// writeJSON writes a result for programs, which is read by people too.
func writeJSON(w io.Writer, v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(lifecycle.HarmlessJSON(b.Bytes()))
	return err
}
