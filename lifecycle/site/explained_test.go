package site

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestDefaultsAreExplained: what `kiban explain` and docs/site.md say of a default is what a document without the field means.
func TestDefaultsAreExplained(t *testing.T) {
	text, err := os.ReadFile("../explain/fields.txt")
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if cells := strings.SplitN(line, "|", 4); len(cells) == 4 {
			said[strings.TrimSpace(cells[0])] = strings.TrimSpace(cells[1])
		}
	}
	checked := 0
	var walk func(v reflect.Value, path string)
	walk = func(v reflect.Value, path string) {
		for i := range v.NumField() {
			at := path + "." + v.Type().Field(i).Tag.Get("yaml")
			switch f := v.Field(i); {
			case f.Kind() == reflect.Struct:
				walk(f, at)
			case !f.IsZero():
				checked++
				if got, want := said[at], written(f.Interface()); got != want {
					t.Errorf("fields.txt says that the default of %s is %q; it is %q", at, got, want)
				}
			}
		}
	}
	walk(reflect.ValueOf(defaults()), "Site")
	walk(reflect.ValueOf(addonDefaults()), "Addon")
	walk(reflect.ValueOf(tenantDefaults()), "Tenant")
	if checked < 15 {
		t.Errorf("only %d defaults were compared", checked)
	}
}

// written is a value as a document has it.
func written(v any) string {
	d, ok := v.(duration)
	if !ok {
		return fmt.Sprint(v)
	}
	if time.Duration(d)%time.Hour == 0 {
		return fmt.Sprintf("%dh", time.Duration(d)/time.Hour)
	}
	if time.Duration(d)%time.Minute == 0 {
		return fmt.Sprintf("%dm", time.Duration(d)/time.Minute)
	}
	return time.Duration(d).String()
}
