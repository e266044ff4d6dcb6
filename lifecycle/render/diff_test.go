package render

import (
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// declaredDiff has something of every kind; n more hosts change alike.
func declaredDiff(n int) DeclaredDiff {
	d := DeclaredDiff{Site: "tokyo", From: strings.Repeat("a", 40), To: strings.Repeat("b", 40), Changes: []lifecycle.DeclaredChange{
		{Subject: "site", Path: "spec.wave", Kind: lifecycle.DeclaredChanged, From: "1", To: "2"},
		{Subject: "k0s", Path: "version", Kind: lifecycle.DeclaredChanged, From: `"v1.35.7+k0s.0"`, To: `"v1.36.3+k0s.2"`,
			Note: "the next minor release"},
		{Subject: "config", Path: "spec.auth.password", Kind: lifecycle.DeclaredChanged, From: `"(masked)"`, To: `"(masked)"`,
			Note: "the value is not shown"},
		{Subject: "host w-1", Path: "role", Kind: lifecycle.DeclaredChanged, From: `"worker"`, To: `"controller"`},
	}}
	for i := range n {
		d.Changes = append(d.Changes, lifecycle.DeclaredChange{Subject: "host z-" + string(rune('a'+i)), Path: "ssh.port",
			Kind: lifecycle.DeclaredChanged, From: "22", To: "2222"})
	}
	d.Changes = append(d.Changes,
		lifecycle.DeclaredChange{Subject: "host w-9", Kind: lifecycle.DeclaredAdded, To: "worker, 10.0.0.9"},
		lifecycle.DeclaredChange{Subject: "addon web", Path: "chart.values.paused", Kind: lifecycle.DeclaredRemoved, From: "true"},
		lifecycle.DeclaredChange{Subject: "tenant shop", Kind: lifecycle.DeclaredRemoved, From: "namespace shop", Note: "nothing is deleted"},
		lifecycle.DeclaredChange{Subject: "object ConfigMap a/b", Path: "data.text", Kind: lifecycle.DeclaredAdded,
			To: `"a\n` + "```" + `\n| <b>"`},
		lifecycle.DeclaredChange{Subject: "kiban.lock", Path: "manifests.u", Kind: lifecycle.DeclaredChanged,
			From: `"sha256:` + strings.Repeat("1", 64) + `"`, To: `"sha256:` + strings.Repeat("2", 64) + `"`})
	return d
}

func TestDiffText(t *testing.T) {
	var b strings.Builder
	if err := DiffText(&b, declaredDiff(3), Style{}); err != nil {
		t.Fatal(err)
	}
	want := `tokyo from aaaaaaaaaa to bbbbbbbbbb: 12 changes

site
  ~ spec.wave: 1 -> 2

k0s
  ~ version: v1.35.7+k0s.0 -> v1.36.3+k0s.2  (the next minor release)

config
  ~ spec.auth.password: the value is not shown

host w-1
  ~ role: worker -> controller

hosts z-a, z-b and z-c
  ~ ssh.port: 22 -> 2222

+ host w-9  worker, 10.0.0.9

addon web
  - chart.values.paused: true

- tenant shop  namespace shop  (nothing is deleted)

object ConfigMap a/b
  + data.text: "a\n` + "```" + `\n| <b>"

kiban.lock
  ~ manifests.u: sha256:111111111111 -> sha256:222222222222
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestDiffWithoutChanges(t *testing.T) {
	for _, tt := range []struct {
		diff DeclaredDiff
		want string
	}{
		{DeclaredDiff{Site: "tokyo", From: strings.Repeat("a", 40)}, "tokyo from aaaaaaaaaa to the work tree: no changes\n"},
		{DeclaredDiff{Site: "tokyo", From: strings.Repeat("a", 40), Form: true},
			"tokyo from aaaaaaaaaa to the work tree: nothing that it means changes; its documents are only written in another way\n"},
	} {
		var b strings.Builder
		if err := DiffText(&b, tt.diff, Style{}); err != nil || b.String() != tt.want {
			t.Errorf("got %q, %v; want %q", b.String(), err, tt.want)
		}
	}
}

// TestDiffMarkdown: what was declared becomes no markup, and a long list is folded.
func TestDiffMarkdown(t *testing.T) {
	for n, folded := range map[int]bool{1: false, 20: true} {
		var b strings.Builder
		if err := DiffMarkdown(&b, declaredDiff(n)); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(b.String(), "<details>") != folded || strings.Contains(b.String(), "</details>") != folded {
			t.Errorf("%d: folded %v is wrong\n%s", n, folded, b.String())
		}
		fences := 0
		for l := range strings.Lines(b.String()) {
			if strings.HasPrefix(l, "```") {
				fences++
			}
		}
		if fences != 2*len(declaredGroups(declaredDiff(n).Changes)) {
			t.Errorf("%d: %d fences\n%s", n, fences, b.String())
		}
		for _, want := range []string{"### kiban diff: `tokyo`\n", "**k0s**",
			"! version: v1.35.7+k0s.0 -> v1.36.3+k0s.2  (the next minor release)\n", "+ worker, 10.0.0.9\n", "- chart.values.paused: true\n"} {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%d: no %q in\n%s", n, want, b.String())
			}
		}
	}
}
