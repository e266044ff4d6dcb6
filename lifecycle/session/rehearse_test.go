package session

import (
	"slices"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// TestAssumed: what no run of the site tells is one sentence, and none where its runs tell everything.
func TestAssumed(t *testing.T) {
	for _, c := range []struct {
		unknown []lifecycle.Action
		want    []string
	}{
		{nil, nil},
		{[]lifecycle.Action{lifecycle.ActionDrain}, []string{"No run of the site tells how long drain takes; it is as in the lab."}},
		{[]lifecycle.Action{lifecycle.ActionUpload, lifecycle.ActionUpgrade, lifecycle.ActionDrain},
			[]string{"No run of the site tells how long stage, upgrade and drain take; they are as in the lab."}},
	} {
		if got := assumed(c.unknown); !slices.Equal(got, c.want) {
			t.Errorf("%v: got %q, want %q", c.unknown, got, c.want)
		}
	}
}
