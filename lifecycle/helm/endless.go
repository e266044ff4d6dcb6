package helm

import (
	"errors"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/bounded"
)

// maxRendering is what both renderings of a chart may take. Large charts take a tenth of the room, and a second. Go ends a process whose
// stack passes 512 MiB, so the room is less.
func maxRendering() bounded.Limits { return bounded.Limits{Room: 384 << 20, Time: 2 * time.Minute} }

// endless says of a chart that its rendering was given up, or not begun beside one that was: a template may go round for ever, or write
// gigabytes, in one line.
func endless(err error, a lifecycle.Addon) error {
	return givenUp(err, a.Source, "addon "+a.Name, "the rendering of addon "+a.Name+" was given up",
		"a template goes round and round, or writes without end.",
		"Look at the values that say how many or how large, and at what changed in the chart's templates", "spec.chart")
}

// withoutEnd says the same of a chart's folder: a few links to folders of links are millions of files.
func withoutEnd(err error, c lifecycle.Chart) error {
	return givenUp(err, c.Repo, "chart "+c.Name, "the reading of chart "+c.Name+" was given up",
		"links of its folder lead to more files than a chart has.",
		"Put the files themselves in place of links to folders", "spec.chart.repo")
}

func givenUp(err error, subject, what, summary, cause, try, field string) error {
	if beside, ok := errors.AsType[bounded.NotBegun](err); ok {
		return lifecycle.Errorf(subject, "%s is not looked at", what).
			Because("Memory and time go to " + beside.GivenUp + ", which was given up, until kiban ends.").
			Try("Mend that first")
	}
	given, ok := errors.AsType[bounded.GivenUp](err)
	if !ok {
		return err
	}
	why := "It takes " + given.Took + ", and is not done: " + cause
	if len(given.Beside) > 0 {
		why += " What was made at the same time may also be the cause: " + strings.Join(given.Beside, ", ") + "."
	}
	return lifecycle.Errorf(subject, "%s", summary).Because(why).Try(try).About(field)
}
