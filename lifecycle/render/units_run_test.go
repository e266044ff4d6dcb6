package render

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render/rendertest"
)

func TestRunOfUnits(t *testing.T) {
	events := rendertest.UnitStory()
	var text bytes.Buffer
	if err := RunText(&text, events, Style{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "units_run.txt", text.String())
	m := newLiveModel(map[string]string{"addons": "addons", "tenants": "tenants"}, nil, Style{})
	var live strings.Builder
	for _, e := range events {
		m.apply(e)
		if e.Kind == lifecycle.EventPlanned {
			continue
		}
		fmt.Fprintf(&live, "-- %s %s %s\n", clock(e.Time.Sub(rendertest.At(0))), e.Kind, e.Step)
		for _, l := range m.take(100) {
			live.WriteString("| " + l + "\n")
		}
		for _, l := range m.lines(e.Time.Add(time.Second), 110, 24) {
			live.WriteString("> " + l + "\n")
		}
	}
	golden(t, "units_live.txt", live.String())
}
