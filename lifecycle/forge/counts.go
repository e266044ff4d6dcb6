package forge

import (
	"bytes"
	"encoding/json"
	"io"
	"os"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render"
)

// Counts are how many machines and objects a plan makes, changes and removes, in the form of GitLab's Terraform report
// (artifacts:reports:terraform). Guests of a project may read that report: it holds numbers and nothing else.
type Counts struct {
	Create int `json:"create"`
	Update int `json:"update"`
	Delete int `json:"delete"`
}

// TerraformReport writes the report of a plan.
func TerraformReport(w io.Writer, p lifecycle.Plan) error {
	b, err := json.Marshal(CountsOf(p))
	if err != nil {
		return err
	}
	_, err = w.Write(append(b, '\n'))
	return err
}

// WriteTerraformReport puts the report of a plan into a file; "" is none. A plan that is blocked has counts too: the widget says how much
// would change, the job that it can't.
func WriteTerraformReport(file string, p lifecycle.Plan) error {
	if file == "" {
		return nil
	}
	var b bytes.Buffer
	if err := TerraformReport(&b, p); err != nil {
		return err
	}
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		return lifecycle.Errorf(file, "the report of the plan could not be written").From(err)
	}
	return nil
}

// CountsOf counts each machine once, by what becomes of it on the whole, and each object that a unit changes. As Terraform does, what is
// deleted and made anew counts as both. Steps for the cluster as a whole, such as a backup, change nothing that could be counted.
func CountsOf(p lifecycle.Plan) Counts {
	var c Counts
	seen := map[string]bool{}
	for _, s := range p.Steps {
		switch {
		case lifecycle.IsUnit(s.Target):
			c.countUnit(s)
		case s.Target != "" && !seen[s.Target]:
			seen[s.Target] = true
			c.countMachine(p, s.Target)
		}
	}
	return c
}

func (c *Counts) countMachine(p lifecycle.Plan, target string) {
	joins, leaves := false, false
	for _, s := range p.Steps {
		if s.Target != target {
			continue
		}
		switch s.Action.Verb() {
		case lifecycle.VerbJoin:
			joins = true
		case lifecycle.VerbRemove:
			leaves = true
		}
	}
	if joins {
		c.Create++
	}
	if leaves {
		c.Delete++
	}
	if !joins && !leaves {
		c.Update++
	}
}

func (c *Counts) countUnit(s lifecycle.Step) {
	sum := render.SumUnit(s)
	if sum.Empty() {
		c.Update++ // it is applied again although no object differs
		return
	}
	c.Create += sum.Created + sum.Replaced
	c.Update += sum.Changed + sum.Relabelled + sum.PutBack
	c.Delete += sum.Deleted + sum.Replaced
}
