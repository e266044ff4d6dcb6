package lifecycle

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

// constants are the string constants of a type, taken from the package's source, in the order in which they stand there.
func constants(t *testing.T, typ string) []string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			v, ok := n.(*ast.ValueSpec)
			if !ok || len(v.Values) != 1 {
				return true
			}
			id, ok := v.Type.(*ast.Ident)
			if lit, isLit := v.Values[0].(*ast.BasicLit); ok && isLit && id.Name == typ {
				value, err := strconv.Unquote(lit.Value)
				if err != nil {
					t.Fatal(err)
				}
				out = append(out, value)
			}
			return true
		})
	}
	if len(out) < 2 {
		t.Fatalf("%d constants of type %s in the source", len(out), typ)
	}
	return out
}

// Who adds an action and forgets what another part of kiban asks about it learns so here.
func TestEveryActionHasOneCompleteRow(t *testing.T) {
	rows := map[Action]int{}
	for _, r := range actionRows() {
		rows[r.action]++
		complete(t, string(r.action), r, "within", "disrupts", "installs", "removes", "service", "enrols", "starts", "touches", "controllers",
			"alike", "etcd")
		if r.verb > VerbOther {
			t.Errorf("%s: no words for verb %d", r.action, int(r.verb))
		}
		if (r.bound == BoundFixed) != (r.within > 0) {
			t.Errorf("%s: the bound is %s, and within is %s", r.action, r.bound, r.within)
		}
		if r.installs && r.removes || r.enrols && !(r.installs && r.service && r.starts) || r.starts && !r.touches {
			t.Errorf("%s: its row contradicts itself", r.action)
		}
	}
	all := constants(t, "Action")
	for _, a := range all {
		if rows[Action(a)] != 1 {
			t.Errorf("%s has %d rows in the table of actions", a, rows[Action(a)])
		}
	}
	if len(all) != len(rows) {
		t.Errorf("%d actions, %d of them in the table", len(all), len(rows))
	}
	if a := Action("fly"); a.Doer() != "" || a.Verb() != VerbOther || a.Tone() != ToneOther || a.Timeout(Policy{}) != 0 || a.Disrupts() ||
		a.Touches() || a.Alike() {
		t.Error("an action that is not known has properties")
	}
}

func TestEveryGateKindHasOneCompleteRow(t *testing.T) {
	rows := map[GateKind]int{}
	for _, r := range gateRows() {
		rows[r.kind]++
		complete(t, string(r.kind), r, "of", "alone")
		if r.of == "" && r.alone == "" {
			t.Errorf("%s has no words", r.kind)
		}
		for _, g := range []Gate{{Kind: r.kind}, {Kind: r.kind, Target: "worker-3"}} {
			if s := g.String(); s == string(r.kind) || strings.ContainsAny(s, "{}") {
				t.Errorf("%s has no words but %q", r.kind, s)
			}
		}
	}
	all := constants(t, "GateKind")
	for _, k := range all {
		if rows[GateKind(k)] != 1 {
			t.Errorf("%s has %d rows in the table of gates", k, rows[GateKind(k)])
		}
	}
	if len(all) != len(rows) {
		t.Errorf("%d kinds, %d of them in the table", len(all), len(rows))
	}
	if g := (Gate{Kind: "moon"}); g.String() != "moon" || g.Kind.Watches() != "" || g.Kind.OfControlPlane() {
		t.Error("a kind that is not known has properties")
	}
}

// complete complains of what a row leaves blank, but for what need not be said.
func complete(t *testing.T, name string, row any, optional ...string) {
	t.Helper()
	v := reflect.ValueOf(row)
	for i := range v.NumField() {
		if field := v.Type().Field(i).Name; v.Field(i).IsZero() && !slices.Contains(optional, field) {
			t.Errorf("the row of %s does not say its %s", name, field)
		}
	}
}

// TestTablesAsText pins what no other test sees: a property that changes is seen in a review of this file.
func TestTablesAsText(t *testing.T) {
	policy := Policy{Drain: Drain{Timeout: 7 * time.Second}, Settle: Settle{NodeTimeout: 11 * time.Second, Timeout: 13 * time.Second}}
	var b strings.Builder
	for _, name := range constants(t, "Action") {
		a := Action(name)
		fmt.Fprintf(&b, "%s: by %s, to %s, told as %q, within %s, lasts %s, resumed: %s", a, a.Doer(), a.Verb(), a.Tone(), a.Timeout(policy),
			a.Lasts(), a.Resume())
		for _, p := range []struct {
			holds bool
			text  string
		}{
			{a.Disrupts(), "disrupts"}, {a.Installs(), "installs"}, {a.Removes(), "removes"}, {a.InstallsService(), "installs the service"},
			{a.Enrols(), "enrols"},
			{a.StartsK0s(), "starts k0s"}, {a.Touches(), "touches"}, {a.OnlyControllers(), "controllers only"}, {a.Alike(),
				"fails alike elsewhere"},
			{a.EtcdGrowth() != 0, fmt.Sprintf("etcd %+d", a.EtcdGrowth())},
		} {
			if p.holds {
				b.WriteString(", " + p.text)
			}
		}
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	for _, name := range constants(t, "GateKind") {
		k := GateKind(name)
		of := Gate{Kind: k, Target: "w", Version: Version{1, 36, 3, "", 2}}
		fmt.Fprintf(&b, "%s: watches %s, waits: %s, %s, %q, %q\n", k, k.Watches(), k.row().wait, k.Timeout(policy), of,
			Gate{Kind: k, Version: of.Version})
	}
	golden := filepath.Join("testdata", "tables.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("the tables are not what %s says (-update writes it anew):\n%s", golden, b.String())
	}
}
