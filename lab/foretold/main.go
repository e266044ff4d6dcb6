// Command foretold holds rehearsals against what then happens: each scenario is built as a site of the lab, rehearsed there, and then
// really done. It prints the table of docs/rehearse.md, and fails where one was not foretold: another order of machines, another end,
// requests lost by one alone, or a time that is off by more than a fifth.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"kiban.dev/kiban/lab/drive"
)

func main() {
	kiban := flag.String("kiban", "bin/kiban", "kiban's binary")
	lab := flag.String("lab", "bin/kiban-lab", "the lab's binary")
	net := flag.String("net", "127.210.0", "addresses of the sites' machines")
	only := flag.String("only", "", "a regular expression: only the scenarios whose name has it in it")
	keep := flag.String("keep", "", "a folder for what rehearsals and runs said")
	slow := flag.String("node-timeout", "40s", "how long a node may take to be well: more on a computer that is slower than two cores")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	b, err := binaries(*kiban, *lab)
	wanted, bad := regexp.Compile(*only)
	if err = errors.Join(err, bad); err != nil {
		fmt.Fprintln(os.Stderr, "foretold:", err)
		os.Exit(1)
	}
	os.Exit(all(ctx, b, *net, wanted, *keep, *slow))
}

func binaries(kiban, lab string) (b drive.Binaries, err error) {
	if b.Kiban, err = filepath.Abs(kiban); err != nil {
		return b, err
	}
	b.Lab, err = filepath.Abs(lab)
	return b, err
}

// all runs the scenarios, prints the table, and gives the exit code.
func all(ctx context.Context, b drive.Binaries, net string, wanted *regexp.Regexp, keep, slow string) int {
	fmt.Println("| scenario | machines, in order | steps | ended | requests lost | time | |")
	fmt.Println("|---|---|---|---|---|---|---|")
	wrong, run := 0, 0
	for _, s := range scenarios() {
		if !wanted.MatchString(s.name) || ctx.Err() != nil {
			continue
		}
		run++
		s.slow = slow
		foretold, happened, err := s.run(ctx, b, net, keep)
		if err != nil {
			wrong++
			fmt.Printf("| %s | | | | | | **could not be run**: %s |\n", s.name, strings.ReplaceAll(err.Error(), "\n", " "))
			continue
		}
		foretold.order, happened.order = s.turns(foretold.order), s.turns(happened.order)
		differs := compare(foretold, happened)
		if len(differs) > 0 {
			wrong++
		}
		fmt.Println(row(s.name, foretold, happened, differs))
	}
	fmt.Printf("\n%d of %d foretold\n", run-wrong, run)
	if wrong > 0 || run == 0 {
		return 1
	}
	return 0
}

// end is how a plan went, foretold or happened.
type end struct {
	order       []string
	done, steps int
	result      string
	// blocked are the steps that ended it.
	blocked        []string
	requests, lost int
	took           time.Duration
}

// turns puts the workers that are taken out together in the order of their names: which of them comes first by some milliseconds is
// nobody's choice.
func (s scenario) turns(order []string) []string {
	width, err := strconv.Atoi(s.width)
	alone := s.controllers + cmp.Or(s.ahead, s.canaries)
	if err != nil || len(order) <= alone {
		return order
	}
	out := slices.Clone(order[:alone])
	for together := range slices.Chunk(order[alone:], width) {
		out = append(out, slices.Sorted(slices.Values(together))...)
	}
	return out
}

// compare says in what what happened is not what was foretold.
func compare(foretold, happened end) (differs []string) {
	differ := func(what string, a, b any) {
		differs = append(differs, fmt.Sprintf("%s: foretold %v, happened %v", what, a, b))
	}
	if !slices.Equal(foretold.order, happened.order) {
		differ("order", foretold.order, happened.order)
	}
	if foretold.result != happened.result {
		differ("end", foretold.result, happened.result)
	}
	if !slices.Equal(foretold.blocked, happened.blocked) {
		differ("blocks", foretold.blocked, happened.blocked)
	}
	if foretold.done != happened.done || happened.steps > 0 && foretold.steps != happened.steps { // a run that never began says no number
		differ("steps", fmt.Sprintf("%d of %d", foretold.done, foretold.steps), fmt.Sprintf("%d of %d", happened.done, happened.steps))
	}
	if (foretold.lost == 0) != (happened.lost == 0) {
		differ("requests lost", foretold.lost, happened.lost)
	}
	if off := foretold.took - happened.took; happened.took > 0 && off.Abs() > happened.took/5 {
		differ("time", foretold.took.Round(time.Second), happened.took.Round(time.Second))
	}
	return differs
}

func row(name string, foretold, happened end, differs []string) string {
	ended := happened.result
	if len(happened.blocked) > 0 {
		ended += " at " + strings.Join(happened.blocked, ", ")
	}
	verdict := "as foretold"
	if len(differs) > 0 {
		verdict = "**" + strings.Join(differs, "; ") + "**"
	}
	return fmt.Sprintf("| %s | %s | %d of %d | %s | %d of %d, %d of %d | %s, %s | %s |", name, strings.Join(happened.order, ", "),
		happened.done,
		cmp.Or(happened.steps, foretold.steps), ended, foretold.lost, foretold.requests, happened.lost, happened.requests,
		foretold.took.Round(time.Second),
		happened.took.Round(time.Second), verdict)
}
