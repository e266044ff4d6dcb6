package lifecycle

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// severalShown is how many subjects, or details that differ, a finding about several names; the rest is counted.
const severalShown = 8

// Together makes one finding of those that say the same of several machines: one cause that hits fifteen machines is read once, with their
// names. Findings are the same when severity, summary and hint are. Details that differ stand below each other, with whose they are.
// namesOf gives what a machine is called, by the subject of a finding: its name and addresses, by which alone hints and details may differ;
// none: it is no machine. They are then told as the first machine has them, in words that can be typed.
//
// Subject then reads "15 machines: a, b, c and 12 more", and Subjects has all of them. The order is that of the first of each.
func (ds Diagnostics) Together(namesOf func(subject string) []string) Diagnostics {
	type key struct {
		severity      Severity
		summary, hint string
	}
	var out Diagnostics
	at := map[key]int{}
	members := map[int]Diagnostics{}
	for _, d := range ds {
		names := namesOf(d.Subject)
		if len(d.Subjects) > 0 || len(names) == 0 {
			out = append(out, d)
			continue
		}
		k := key{d.Severity, d.Summary, withoutNames(d.Hint, names)}
		i, ok := at[k]
		if !ok {
			i = len(out)
			at[k] = i
			out = append(out, d)
		}
		members[i] = append(members[i], d)
	}
	for i, same := range members {
		if subjects := subjectsOf(same); len(subjects) > 1 {
			out[i] = together(same, subjects, namesOf)
		} else if len(same) > 1 {
			out[i] = ofOne(same)
		}
	}
	return out
}

func subjectsOf(ds Diagnostics) []string {
	var subjects []string
	for _, d := range ds {
		if !slices.Contains(subjects, d.Subject) {
			subjects = append(subjects, d.Subject)
		}
	}
	return subjects
}

func together(same Diagnostics, subjects []string, namesOf func(string) []string) Diagnostic {
	d := same[0]
	if d.Hint != withoutNames(d.Hint, namesOf(d.Subject)) {
		d.Hint = strings.TrimSuffix(d.Hint, ".") + " (and so for the others)"
	}
	d.Detail = detailsTogether(same, namesOf)
	d.Subject = fmt.Sprintf("%d machines: %s", len(subjects), someOf(subjects))
	d.Subjects = subjects
	d.Cause = same // so that errors.Is and errors.As find the cause of each
	return d
}

// ofOne is what is found several times of one machine, with all that is said of it.
func ofOne(same Diagnostics) Diagnostic {
	d := same[0]
	var details []string
	for _, one := range same {
		if one.Detail != "" && !slices.Contains(details, one.Detail) {
			details = append(details, one.Detail)
		}
	}
	d.Detail = strings.Join(details, "\n")
	d.Cause = same
	return d
}

// detailsTogether is the detail once where all have the same, else each with its subject.
func detailsTogether(same Diagnostics, namesOf func(string) []string) string {
	var lines []string
	general := func(d Diagnostic) string { return withoutNames(d.Detail, namesOf(d.Subject)) }
	first := general(same[0])
	if !slices.ContainsFunc(same, func(d Diagnostic) bool { return general(d) != first }) {
		if first == same[0].Detail {
			return first
		}
		return same[0].Subject + ": " + strings.TrimSuffix(same[0].Detail, ".") + "; likewise the others"
	}
	for i, d := range same {
		if i == severalShown && len(same) > severalShown+1 {
			lines = append(lines, fmt.Sprintf("And %d more.", len(same)-severalShown))
			break
		}
		if d.Detail != "" {
			lines = append(lines, d.Subject+": "+strings.ReplaceAll(strings.TrimSpace(d.Detail), "\n", "; "))
		}
	}
	return strings.Join(lines, "\n")
}

// someOf names the first few, and counts the rest.
func someOf(names []string) string {
	if len(names) <= severalShown+1 {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:severalShown], ", "), len(names)-severalShown)
}

// withoutNames puts NAME where a text has one of the names as a word of its own: "worker-1" is none of "worker-10", nor of "k0s-worker-1".
func withoutNames(text string, names []string) string {
	for _, name := range names {
		if !strings.Contains(text, name) || !utf8.ValidString(name) { // of what is no text no pattern can be made
			continue
		}
		word := regexp.MustCompile(`(^|[^\w.-])` + regexp.QuoteMeta(name) + `($|[^\w-])`)
		for range 2 { // of two with one blank between them, the second is found the second time
			text = word.ReplaceAllString(text, "${1}NAME${2}")
		}
	}
	return text
}
