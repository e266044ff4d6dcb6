package forge

import (
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

func TestLeaveAlone(t *testing.T) {
	head := lifecycle.MergeRequest{State: "opened", Head: "3f2a"}
	for name, tt := range map[string]struct {
		now     lifecycle.MergeRequest
		planned []string
		want    string // "" where the note is this pipeline's to write
	}{
		"as it was":         {head, []string{"3f2a"}, ""},
		"of merged results": {head, []string{"3f2a", "1111"}, ""},
		"rewritten": {lifecycle.MergeRequest{State: "opened", Head: "99aabbccddee"}, []string{"3f2a1c9d5e6f"},
			"it is at 99aabbccdd, and the plans are of 3f2a1c9d5e."},
		"nobody knows what is planned": {head, nil, ""},
		"nobody knows its head":        {lifecycle.MergeRequest{State: "opened"}, []string{"3f2a"}, ""},
		"while it is merged":           {lifecycle.MergeRequest{State: "locked", Head: "3f2a"}, []string{"3f2a"}, ""},
		"merged":                       {lifecycle.MergeRequest{State: "merged", Head: "3f2a"}, []string{"3f2a"}, "is merged"},
		"closed":                       {lifecycle.MergeRequest{State: "closed", Head: "3f2a"}, []string{"3f2a"}, "is closed"},
	} {
		if got := LeaveAlone(7, tt.now, tt.planned); (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}
