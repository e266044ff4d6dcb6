package helm

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/bounded"
)

// TestA9_ARenderingThatHasNoEndIsGivenUp: a template may go round for ever, call itself, or write gigabytes, and so may a value that the
// chart hands to tpl. The rendering ends with a finding, not with the machine's memory.
func TestA9_ARenderingThatHasNoEndIsGivenUp(t *testing.T) {
	const round = "{{ range until 700 }}{{ range until 700 }}"
	writes := round + strings.Repeat("x", 256) + "{{ end }}{{ end }}" // 120 MB
	for _, tt := range []struct{ name, template, values string }{
		{"goes round", round + "{{ range until 10 }}{{ end }}{{ end }}{{ end }}", ""},
		{"writes", writes, ""},
		{"repeats", `{{ $x := repeat 1000000 "x" }}{{ range until 120 }}{{ $x }}{{ end }}`, ""},
		{"a value", "{{ tpl .Values.loop . }}", `{"loop":"` + writes + `"}`},
	} {
		dir, a := gateAddon(t, tt.values, func(files map[string]string) {
			delete(files, "values.schema.json")
			files["templates/endless.yaml"] = tt.template
		})
		s := testStore(StoreOptions{})
		s.limits = bounded.Limits{Room: 16 << 20, Time: 500 * time.Millisecond}
		begun := time.Now()
		_, err := s.Render(t.Context(), site(dir), a, lifecycle.Capabilities{})
		took := time.Since(begun)
		if err == nil {
			t.Errorf("%s: it was rendered", tt.name)
			continue
		}
		d := lifecycle.AsDiagnostics(err, "")[0]
		if !strings.Contains(d.Summary, "the rendering of addon door was given up") || d.Subject != a.Source || d.Field != "spec.chart" {
			t.Errorf("%s: found %+v", tt.name, d)
		}
		if took > time.Minute {
			t.Errorf("%s: it took %s", tt.name, took)
		}
		// It ends by itself here. Until then no other is begun; one that ends soon may have ended by then.
		good, b := gateAddon(t, "", nil)
		refused := false
		for {
			_, err := testStore(StoreOptions{}).Render(context.Background(), site(good), b, lifecycle.Capabilities{})
			if err == nil {
				break
			}
			wants(t, lifecycle.AsDiagnostics(err, "")[0].Detail, "Memory and time go to the rendering of addon door, which was given up")
			refused = true
			time.Sleep(20 * time.Millisecond)
		}
		if !refused && tt.name == "goes round" {
			t.Errorf("%s: another is begun beside it", tt.name)
		}
	}
}

// TestA9_AChartOfLinksIsGivenUp: a few dozen links to folders of links are a billion files.
func TestA9_AChartOfLinksIsGivenUp(t *testing.T) {
	dir, a := gateAddon(t, "", nil)
	for level := range 6 {
		here := filepath.Join(dir, "gate", "files", strconv.Itoa(level))
		if err := os.MkdirAll(here, 0o755); err != nil {
			t.Fatal(err)
		}
		for i := range 10 {
			if level == 5 {
				write(t, filepath.Join(here, strconv.Itoa(i)), "x")
			} else if err := os.Symlink("../"+strconv.Itoa(level+1), filepath.Join(here, strconv.Itoa(i))); err != nil {
				t.Fatal(err)
			}
		}
	}
	s := testStore(StoreOptions{})
	s.limits = bounded.Limits{Room: 8 << 20, Time: 300 * time.Millisecond}
	_, err := s.Render(t.Context(), site(dir), a, lifecycle.Capabilities{})
	if err == nil || !strings.Contains(lifecycle.AsDiagnostics(err, "")[0].Summary, "the reading of chart gate was given up") {
		t.Errorf("it is %v", err)
	}
	good, b := gateAddon(t, "", nil)
	for { // it ends by itself here
		if _, err := testStore(StoreOptions{}).Render(t.Context(), site(good), b, lifecycle.Capabilities{}); err == nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// TestA9_ARenderingCanBeLeft: whoever interrupts kiban does not wait for a template.
func TestA9_ARenderingCanBeLeft(t *testing.T) {
	dir, a := gateAddon(t, "", func(files map[string]string) {
		files["templates/endless.yaml"] = "{{ range until 700 }}{{ range until 700 }}{{ range until 10 }}{{ end }}{{ end }}{{ end }}"
	})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	begun := time.Now()
	_, err := testStore(StoreOptions{}).Render(ctx, site(dir), a, lifecycle.Capabilities{})
	if took := time.Since(begun); ctx.Err() == nil || err == nil || took > time.Minute {
		t.Errorf("after %s: %v", took, err)
	}
}

// TestA9_NoFunctionMakesGigabytesInOneGo: what is allocated at once can't be left. What charts do with these functions goes on.
func TestA9_NoFunctionMakesGigabytesInOneGo(t *testing.T) {
	const much = "100000000000"
	for name, call := range map[string]string{
		"repeat": `repeat ` + much + ` "x"`, "indent": `indent ` + much + ` "x"`, "nindent": `nindent ` + much + ` "x"`,
		"replace": `replace "x" (repeat 1000000 "y") (repeat 1000000 "x")`, "join": `join (repeat 1000000 "y") (until 1000000)`,
		"randBytes": `randBytes ` + much, "randAlphaNum": `randAlphaNum ` + much, "randAlpha": `randAlpha ` + much,
		"randAscii": `randAscii ` + much, "randNumeric": `randNumeric ` + much,
	} {
		dir, a := gateAddon(t, "", func(files map[string]string) { files["templates/much.yaml"] = "# {{ " + call + " | trunc 1 }}" })
		_, err := testStore(StoreOptions{}).Render(t.Context(), site(dir), a, lifecycle.Capabilities{})
		if err == nil || !strings.Contains(lifecycle.AsDiagnostics(err, "")[0].Detail, "more than 16 MiB is not made in one go") {
			t.Errorf("%s: %v", name, err)
		}
	}
	dir, a := gateAddon(t, "", func(files map[string]string) {
		files["templates/usual.yaml"] = `apiVersion: v1
kind: ConfigMap
metadata: {name: usual}
data:
  a: '{{ repeat 3 "x" }}{{ replace "x" "yy" "axb" }}{{ join "," (list 1 "b") }}{{ join "," "c" }}{{ indent 2 "x" }}'
  c: '{{ nindent 1 "x" | trim }}'
  b: '{{ len (randAlphaNum 7) }}{{ len (randAlpha 7) }}{{ len (randAscii 7) }}{{ len (randNumeric 7) }}{{ len (b64dec (randBytes 7)) }}'
`
	})
	r, err := testStore(StoreOptions{}).Render(t.Context(), site(dir), a, lifecycle.Capabilities{})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range r.Objects {
		if o.Name == "usual" {
			wants(t, string(o.JSON), `"data":{"a":"xxxayyb1,bc  x","b":"77777","c":"x"}`)
		}
	}
}
