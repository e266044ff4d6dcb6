package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"kiban.dev/kiban/scripts/pages"
)

// TestCommandsOfPagesAreThere: every command of kiban on every page has verbs and flags that the command tree has, so that what is copied
// from a page runs.
func TestCommandsOfPagesAreThere(t *testing.T) {
	seen := 0
	all, err := pages.Markdown(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range all {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			for _, command := range commandsIn(line) {
				seen++
				if err := tryCommand(command); err != nil {
					t.Errorf("%s:%d: %s: %v", page, i+1, command, err)
				}
			}
		}
	}
	if seen < 200 {
		t.Errorf("only %d commands were found", seen)
	}
}

func TestCommandsInALine(t *testing.T) {
	for line, want := range map[string][]string{
		"    kiban plan tokyo-prod    # what would be done":           {"kiban plan tokyo-prod"},
		"    $ kiban kubeconfig a > ~/.kube/a":                        {"kiban kubeconfig a"},
		"Run `kiban node list SITE` or `kiban runs`, not `k0s kiban`": {"kiban node list SITE", "kiban runs"},
		"    A=b kiban plan x && kiban apply x --yes":                 {"kiban plan x", "kiban apply x --yes"},
		"kiban plan is a verb":                                        nil,
		"    kiban node maintain a b --yes -- sh -c 'x | y'":          {"kiban node maintain a b --yes -- sh -c 'x"},
		"`kiban plan` writes `kiban.lock`":                            {"kiban plan"},
	} {
		if got := commandsIn(line); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", line, got, want)
		}
	}
}

func TestCommandThatIsNotThere(t *testing.T) {
	for _, bad := range []string{"kiban plant x", "kiban plan x --dry", "kiban node lists x", "kiban ci gates x"} {
		if tryCommand(bad) == nil {
			t.Errorf("%q passes", bad)
		}
	}
	for _, good := range []string{"kiban backup x", "kiban apply --reviewed", "kiban plan <site> --out x", "kiban plan ...", "kiban node",
		"kiban validate -o junit", "kiban [plan|apply]"} {
		if err := tryCommand(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
}

var (
	inlineCommand = regexp.MustCompile("`(kiban [^`]+)`")
	blockCommand  = regexp.MustCompile(`^(?: {4,}|\t)(?:- )?(?:\$ )?(?:[A-Z_]+=\S* )*(kiban .+)$`)
	// shellGoesOn is where a shell goes on with something else.
	shellGoesOn = regexp.MustCompile(` +(?:#|>|\||&&|;|\{).*| {3,}.*|;.*|\) *$`)
)

// commandsIn are the commands of kiban in a line of Markdown: in code within it, and at its beginning where it is a line of a block.
func commandsIn(line string) []string {
	var out []string
	if m := blockCommand.FindStringSubmatch(line); m != nil {
		for _, part := range strings.Split(m[1], "&& ") {
			if strings.HasPrefix(part, "kiban ") {
				out = append(out, strings.TrimSpace(shellGoesOn.ReplaceAllString(part, "")))
			}
		}
		return out
	}
	for _, m := range inlineCommand.FindAllStringSubmatch(line, -1) {
		out = append(out, strings.TrimSpace(shellGoesOn.ReplaceAllString(m[1], "")))
	}
	return out
}

// placeholder is a word that stands for something else: SITE, <your-site>, [TOPIC], plan|apply, ... .
var placeholder = regexp.MustCompile(`^(?:[A-Z][A-Z/.…]*|<.*|\[.*|\.\.\.|…|.*\|.*)$`)

// tryCommand finds the command in a tree of its own and has it read its flags.
func tryCommand(line string) error {
	words := strings.Fields(line)[1:]
	if i := slices.Index(words, "--"); i >= 0 {
		words = words[:i]
	}
	for i, w := range words {
		words[i] = strings.Trim(w, "[]'\"")
	}
	root := newRoot(&app{})
	cmd, rest, err := root.Find(words)
	if err != nil {
		return err
	}
	if cmd.HasSubCommands() && !strings.HasSuffix(cmd.Use, " SITE") { // but `kiban backup SITE`
		for _, w := range rest {
			if w != "" && !strings.HasPrefix(w, "-") && !placeholder.MatchString(w) {
				return fmt.Errorf("%s has no verb %q", cmd.CommandPath(), w)
			}
		}
	}
	cmd.InitDefaultHelpFlag()
	err = cmd.ParseFlags(rest)
	if err != nil && strings.HasPrefix(err.Error(), "flag needs an argument") && strings.HasPrefix(rest[len(rest)-1], "--") {
		return nil // a text that only names a flag: `kiban restore --from`
	}
	return err
}
