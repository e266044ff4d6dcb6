package page

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// Versions sort by all their numbers, the oldest first, however many a site runs.
func TestVersionKey(t *testing.T) {
	want := []string{"v1.34.9", "v1.35.7,v1.36.3 of v1.36.3", "v1.36.3", "v1.36.3 of v1.36.4", "v1.36.3+k0s.2", "v1.36.4 of v1.36.3",
		"v1.36.10", "(v1.37.0)", "v1.100.0", "-"}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, func(a, b string) int { return strings.Compare(versionKey(a), versionKey(b)) })
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// A search of several words finds rows in which they stand together; label=value, and what has commas between, each for itself.
func TestSearch(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("it takes node")
	}
	_, decisions, _ := strings.Cut(string(script), "  const wanted = ")
	decisions, _, ok := strings.Cut(decisions, "\n\n")
	if !ok {
		t.Fatal("page.js has no such part")
	}
	const row = "tokyo-prod-0012\nwell\nv1.36.3 of v1.36.4\nwaits for osaka-stag-0002\nwave 3, frontier=a, region=tokyo, team=team-12"
	var js strings.Builder
	fmt.Fprintf(&js, "const wanted = %s\n", decisions)
	var queries, wants []string
	for query, want := range map[string]bool{
		"": true, "wave 3": true, "WAVE  3": true, "wave 2": false, "wave=3": true, "wave=2": false, "3 wave": false, "0012": true,
		"team=team-12": true, "team=team-1": false, "tier=a": false, "region=tokyo wave 3": true, "wave 3 region=tokyo": true,
		"wave 3, region=tokyo": true, "wave 3, region=osaka": false, "region=tokyo,team=team-12": true, "well, waits": true,
		"well waits": false, "of v1.36.4": true, "v1.36.": true, "v1x36": false, "(": false, "wait": true, "waits for osaka": true,
		"0012 well": false,
	} {
		fmt.Fprintf(&js, "console.log(found(wanted(%q), %q))\n", query, row)
		queries, wants = append(queries, query), append(wants, fmt.Sprint(want))
	}
	out, err := exec.CommandContext(t.Context(), node, "-e", js.String()).CombinedOutput()
	got := strings.Fields(string(out))
	if err != nil || len(got) != len(wants) {
		t.Fatalf("%v: %s", err, out)
	}
	for i, query := range queries {
		if got[i] != wants[i] {
			t.Errorf("%q: %s", query, got[i])
		}
	}
}
