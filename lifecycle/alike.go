package lifecycle

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// alikeShown is how many subjects of alike findings are named; the rest is counted.
const alikeShown = 3

// AboutAny is a text about a subject with NAME where that, a part of it, or another object of its namespace is named: what two findings
// say of two subjects is alike where this is the same. "kubectl --namespace shop edit poddisruptionbudget web" of shop/web is
// "kubectl --namespace NAME edit poddisruptionbudget NAME".
func AboutAny(text, subject string) string {
	words := strings.Fields(subject)
	if len(words) == 0 {
		return text
	}
	names := append([]string{subject}, words...)
	for _, word := range words {
		namespace, name, ok := strings.Cut(word, "/")
		if !ok || strings.Contains(name, "/") || namespace == "" || name == "" || !utf8.ValidString(namespace) {
			continue
		}
		names = append(names, namespace, name)
		sibling := regexp.MustCompile(`(^|[^\w./-])` + regexp.QuoteMeta(namespace) + `/[a-z0-9][a-z0-9.-]*[a-z0-9]`)
		text = sibling.ReplaceAllString(text, "${1}NAME")
	}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	return withoutNames(text, names)
}

// Alike names the first of many subjects and says how many there are: "25 alike: a, b, c and 22 more". A few are all named.
func Alike(subjects []string) string {
	if len(subjects) <= alikeShown+1 {
		return strings.Join(subjects, ", ")
	}
	return fmt.Sprintf("%d alike: %s and %d more", len(subjects), strings.Join(subjects[:alikeShown], ", "), len(subjects)-alikeShown)
}

// AndSo is a remedy as the first of several subjects has it, where those of the others differ in names alone.
func AndSo(remedy string) string { return strings.TrimSuffix(remedy, ".") + " (and so for the others)" }
