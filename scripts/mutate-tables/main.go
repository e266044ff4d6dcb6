// Command mutate-tables proves that the tables of actions and gates are guarded by tests: it takes out each row and changes each property,
// one at a time, and says which changes no test notices. Run it in the root of the repository; it changes nothing there.
//
// The tests are compiled once, with every change in them, and run once for each change, which the variable KIBAN_MUTANT names.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// tables are the functions that hold them, by file.
func tables() map[string]string {
	return map[string]string{"action_table.go": "actionRows", "gate_table.go": "gateRows"}
}

// packages are those whose tests ask the tables, the quick ones first. Package k0s asks too, but what it asks others notice sooner.
func packages() []string {
	return []string{"lifecycle", "lifecycle/check", "lifecycle/journal", "lifecycle/review", "lifecycle/apply", "lifecycle/timeline",
		"lifecycle/forge",
		"lifecycle/render", "lifecycle/plan"}
}

// Tests that are left out. The pin compares the tables with a copy of them, so it notices any change; what it alone notices is told
// apart. The others take too long to be run for each change: they play the planner against a model, and fit notes of any size.
const (
	pin  = "TestTablesAsText"
	slow = "^TestResume$|^TestAnyState$|^TestNoteFits$"
)

func main() {
	only := flag.String("only", "", "try only the changes whose name begins so, such as actions/upgrade")
	flag.Parse()
	if err := run(context.Background(), *only); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, only string) error {
	dir, err := os.MkdirTemp("", "mutate-tables-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	mutants, overlay, err := instrument("lifecycle", dir)
	if err != nil {
		return err
	}
	suites, err := compile(ctx, dir, overlay)
	if err != nil {
		return err
	}
	if by, err := suites.caughtBy(ctx, ""); err != nil || by != "" {
		return fmt.Errorf("the tests fail as they are (%s): %w", by, err)
	}
	tried, pinned := 0, 0
	var missed []string
	for _, m := range mutants {
		if !strings.HasPrefix(m, only) {
			continue
		}
		by, err := suites.caughtBy(ctx, m)
		if err != nil {
			return err
		}
		switch tried++; by {
		case "":
			missed = append(missed, m)
			by = "nothing"
		case pin:
			pinned++
		}
		fmt.Printf("%-44s %s\n", m, by)
	}
	fmt.Printf("\n%d changes tried, %d caught, %d of them only by %s, the copy of the tables\n", tried, tried-len(missed), pinned, pin)
	if len(missed) > 0 {
		return fmt.Errorf("no test notices: %s", strings.Join(missed, ", "))
	}
	return nil
}

// instrument writes a copy of the tables in dir that holds every change, and the overlay that puts it in the place of the files in src.
func instrument(src, dir string) (mutants []string, overlay string, err error) {
	replace := map[string]string{}
	put := func(name, text string) error {
		at, err := filepath.Abs(filepath.Join(src, name))
		if err != nil {
			return err
		}
		replace[at] = filepath.Join(dir, name)
		return os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600)
	}
	pkg, err := parse(src)
	if err != nil {
		return nil, "", err
	}
	var changes strings.Builder
	for _, file := range []string{"action_table.go", "gate_table.go"} {
		t, err := pkg.table(file, tables()[file])
		if err != nil {
			return nil, "", err
		}
		if err := put(file, t.renamed); err != nil {
			return nil, "", err
		}
		text, names := t.switcher()
		changes.WriteString(text)
		mutants = append(mutants, names...)
	}
	if err := put("zz_mutants.go",
		"package lifecycle\n\nimport (\n\t\"os\"\n\t\"slices\"\n\t\"time\"\n)\n\nvar _ time.Duration\n"+changes.String()); err != nil {
		return nil, "", err
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return nil, "", err
	}
	overlay = filepath.Join(dir, "overlay.json")
	return mutants, overlay, os.WriteFile(overlay, list, 0o600)
}
