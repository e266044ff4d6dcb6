package main

import (
	"bytes"
	"os"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/forge"
)

// writeCounts puts a plan's counts into a file for GitLab's merge request widget. A plan that is blocked has counts too: the widget says
// how much would change, the job that it can't.
func writeCounts(file string, plan lifecycle.Plan) error {
	if file == "" {
		return nil
	}
	var b bytes.Buffer
	if err := forge.TerraformReport(&b, plan); err != nil {
		return err
	}
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		return lifecycle.Errorf(file, "the report of the plan could not be written").From(err)
	}
	return nil
}
