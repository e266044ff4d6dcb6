package k0s

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/k0sproject/k0sctl/configurer"
	"github.com/k0sproject/k0sctl/pkg/apis/k0sctl.k0sproject.io/v1beta1/cluster"
)

// Much of what is dangerous about k0sctl lies in its phases, which decide and act in one, and in the manager that runs them. This package
// uses what k0sctl knows of documents, flags and paths, and runs none of its procedures. These tests hold that construction.

// stockPackages are the packages of k0sctl and its kin that may be imported, and what for. All others are refused.
func stockPackages() map[string]string {
	return map[string]string{
		"github.com/k0sproject/dig":                                                  "a map of configuration",
		"github.com/k0sproject/k0sctl/configurer/linux":                              "paths and commands of the systems that k0sctl knows",
		"github.com/k0sproject/k0sctl/configurer/linux/enterpriselinux":              "as above",
		"github.com/k0sproject/k0sctl/pkg/apis/k0sctl.k0sproject.io/v1beta1":         "the document",
		"github.com/k0sproject/k0sctl/pkg/apis/k0sctl.k0sproject.io/v1beta1/cluster": "its hosts",
		"github.com/k0sproject/k0sctl/pkg/retry":                                     "to set how long it pauses",
		"github.com/k0sproject/rig/v2":                                               "connections, of which no shell of this machine is a part",
	}
}

// stockProcedure is something of k0sctl's that is not called, with the hazards that it brings.
type stockProcedure struct {
	name    string
	hazards []string
	why     string
}

// stockPhases is what comes with the packages that are not in the list.
func stockPhases() stockProcedure {
	return stockProcedure{"phase, action, cmd", []string{"H2", "H3", "H12", "H13", "H15", "H17", "H23", "H24", "H30", "H32"},
		"phases restart controllers side by side (H2), go on after a failed drain (H3), write during a rehearsal (H12), lock nothing (H13), " +
			"restart workers that were not drained (H15), " +
			"lose manifests (H17), uncordon what an administrator has closed (H23), forget what they have closed themselves (H24), " +
			"and their manager lets names that it does not know pass (H30) and knows no limits (H32)"}
}

// stockMethods are methods of k0sctl's hosts and configurers.
func stockMethods() []stockProcedure {
	return []stockProcedure{
		{"CordonNode", []string{"H23", "H24"}, "it leaves no note of who has cordoned"},
		{"DrainNode", []string{"H3", "H35"}, "nobody learns what holds it"},
		{"UncordonNode", []string{"H23"}, "it does not ask who has cordoned"},
		{"DeleteNode", []string{"H6"}, "a controller is more than its node"},
		{"FileChanged", []string{"H11"}, "it compares times"},
		{"FlagsChanged", []string{"H15", "H38"}, "it takes two ways to write a flag for two flags"},
		{"K0sBackupCommand", []string{"H18"}, "it writes the backup to the machine's disk first"},
		{"K0sBinaryProvider", []string{"H10", "H14", "H19"}, "its providers check nothing"},
		{"SetK0sBinaryProvider", []string{"H14"}, "its providers check nothing"},
		{"LocalK0sBinaryPath", []string{"H11", "H31"}, "what it names has no checksum"},
		{"DownloadURL", []string{"H11", "H14"}, "what comes from there has no checksum"},
		{"UpdateEnvironment", []string{"H28"}, "it puts values on command lines"},
	}
}

// stockUse is what this package uses of k0sctl, by its source: imports, and the names of methods that are called.
func stockUse(t *testing.T) (imports map[string]string, selected map[string]gotoken.Position) {
	t.Helper()
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	imports, selected = map[string]string{}, map[string]gotoken.Position{}
	set := gotoken.NewFileSet()
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(set, f.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range parsed.Imports {
			if path := strings.Trim(i.Path.Value, `"`); strings.HasPrefix(path, "github.com/k0sproject/") {
				imports[path] = f.Name()
			}
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				selected[s.Sel.Name] = set.Position(s.Pos())
			}
			return true
		})
	}
	if imports["github.com/k0sproject/k0sctl/pkg/apis/k0sctl.k0sproject.io/v1beta1/cluster"] == "" || selected["K0sInstallCommand"].Line == 0 {
		t.Fatal("not even what is used of k0sctl was found; the rules would hold of nothing")
	}
	return imports, selected
}

// refuseStock fails the test when the package uses what brings the hazard.
func refuseStock(t *testing.T, hazard string) {
	t.Helper()
	imports, selected := stockUse(t)
	rules := 0
	if p := stockPhases(); slices.Contains(p.hazards, hazard) {
		rules++
		allowed := stockPackages()
		for path, file := range imports {
			root := path
			if strings.HasPrefix(path, "github.com/k0sproject/rig/v2/") {
				root = "github.com/k0sproject/rig/v2"
			}
			if allowed[root] == "" {
				t.Errorf("%s imports %s, which brings %s: %s", file, path, hazard, p.why)
			}
		}
	}
	for _, m := range stockMethods() {
		if !slices.Contains(m.hazards, hazard) {
			continue
		}
		rules++
		if at, used := selected[m.name]; used {
			t.Errorf("%s uses %s, which brings %s: %s", at, m.name, hazard, m.why)
		}
	}
	if rules == 0 {
		t.Fatalf("no rule is about %s", hazard)
	}
}

// H30: phases that are to be replaced by name stay as they are when the name has changed. None is run, so none is replaced.
func TestHazard_H30_NoPhaseIsRun(t *testing.T) { refuseStock(t, "H30") }

// The same construction keeps these away, whose own guards are tested where they are.
func TestHazard_H2_NoPhaseRestartsControllers(t *testing.T)   { refuseStock(t, "H2") }
func TestHazard_H3_NoPhaseDrains(t *testing.T)                { refuseStock(t, "H3") }
func TestHazard_H11_NoTimesAreCompared(t *testing.T)          { refuseStock(t, "H11") }
func TestHazard_H12_NoRehearsalAgainstMachines(t *testing.T)  { refuseStock(t, "H12") }
func TestHazard_H14_NoProviderThatChecksNothing(t *testing.T) { refuseStock(t, "H14") }
func TestHazard_H15_NoPhaseReinstalls(t *testing.T)           { refuseStock(t, "H15") }
func TestHazard_H17_NoPhaseAppliesManifests(t *testing.T)     { refuseStock(t, "H17") }
func TestHazard_H18_NoBackupOnTheMachinesDisk(t *testing.T)   { refuseStock(t, "H18") }
func TestHazard_H23_NoUncordonWithoutAsking(t *testing.T)     { refuseStock(t, "H23") }
func TestHazard_H24_NoCordonWithoutANote(t *testing.T)        { refuseStock(t, "H24") }
func TestHazard_H28_NoValuesOnCommandLines(t *testing.T)      { refuseStock(t, "H28") }
func TestHazard_H32_NoManagerWithoutLimits(t *testing.T)      { refuseStock(t, "H32") }

// A rule about a method that k0sctl has no longer would hold of nothing.
func TestStockMethodsExist(t *testing.T) {
	host := reflect.TypeFor[*cluster.Host]()
	config := reflect.TypeFor[configurer.Configurer]()
	for _, m := range stockMethods() {
		_, onHost := host.MethodByName(m.name)
		_, onConfigurer := config.MethodByName(m.name)
		if !onHost && !onConfigurer {
			t.Errorf("k0sctl has no %s any more: find out what has taken its place", m.name)
		}
	}
}
