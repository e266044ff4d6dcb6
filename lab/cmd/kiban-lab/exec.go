package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// execRequest is a command line for one machine; execAnswer is what it left.
type execRequest struct {
	Machine, User, Command string
}

type execAnswer struct {
	Out, Err []byte
	Status   int
}

// execCommand is for people and tests; the control socket carries it, so that it works when SSH does not.
func execCommand(dir *string) *cobra.Command {
	r := execRequest{}
	c := &cobra.Command{Use: "exec MACHINE COMMAND...", Short: "Run a command on a machine, also when its SSH does not answer",
		Args: cobra.MinimumNArgs(2)}
	c.Flags().StringVar(&r.User, "user", "root", "root or ops")
	c.Flags().SetInterspersed(false)
	c.RunE = func(c *cobra.Command, args []string) error {
		r.Machine, r.Command = args[0], strings.Join(args[1:], " ")
		var a execAnswer
		if err := ask(c.Context(), *dir, "POST", "/exec", r, &a); err != nil {
			return err
		}
		_, _ = c.OutOrStdout().Write(a.Out)
		_, _ = c.ErrOrStderr().Write(a.Err)
		if a.Status != 0 {
			os.Exit(a.Status)
		}
		return nil
	}
	return c
}

func (c *control) exec(w http.ResponseWriter, req *http.Request) {
	var r execRequest
	if err := json.NewDecoder(req.Body).Decode(&r); err != nil {
		answer(w, nil, err)
		return
	}
	m := c.lab.Machine(r.Machine)
	if m == nil {
		answer(w, nil, fmt.Errorf("no machine %q in this lab", r.Machine))
		return
	}
	var a execAnswer
	var out, errs bytes.Buffer
	a.Status = m.Run(req.Context(), r.User, r.Command, nil, &out, &errs)
	a.Out, a.Err = out.Bytes(), errs.Bytes()
	answer(w, a, nil)
}
