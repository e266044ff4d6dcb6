package render

import (
	"bytes"
	"testing"
)

func TestPlansOfUnits(t *testing.T) {
	site, plans := unitPlans(t)
	for name, p := range plans {
		t.Run(name, func(t *testing.T) {
			var text, markdown, colored bytes.Buffer
			for _, err := range []error{PlanText(&text, site, p, Style{}), PlanMarkdown(&markdown, site, p), PlanText(&colored, site, p, Style{Color: true})} {
				if err != nil {
					t.Fatal(err)
				}
			}
			golden(t, name+".txt", text.String())
			golden(t, name+".md", markdown.String())
			if stripped := stripANSI(colored.String()); stripped != text.String() {
				t.Errorf("colour changes the text:\n%s", stripped)
			}
		})
	}
}
