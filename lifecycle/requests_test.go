package lifecycle

import (
	"testing"
	"time"
)

func TestMergeRequests(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, n) }
	reading := func(server string, start, at int, count int64) APIRequest {
		return APIRequest{Group: "g", Version: "v1beta1", Resource: "things", Server: server, Count: count, Start: day(start), Since: day(start),
			Until: day(at), Read: day(at)}
	}
	merged := func(at int, kept, now []APIRequest) APIRequest {
		t.Helper()
		out := MergeRequests(kept, now, day(at))
		if len(out) != 1 {
			t.Fatalf("%+v", out)
		}
		return out[0]
	}
	first := reading("c1", 0, 10, 5)
	// It has grown: the last request came after the first reading.
	if got := merged(12, []APIRequest{first}, []APIRequest{reading("c1", 0, 12, 6)}); got.Since != day(10) || got.Until != day(12) {
		t.Errorf("grown: %+v", got)
	}
	// It has not: the last request came before it.
	if got := merged(12, []APIRequest{first}, []APIRequest{reading("c1", 0, 12, 5)}); got.Since != day(0) || got.Until != day(10) ||
		got.Read != day(12) {
		t.Errorf("not grown: %+v", got)
	}
	// Another process began to count anew.
	if got := merged(12, []APIRequest{first}, []APIRequest{reading("c1", 11, 12, 2)}); got.Since != day(11) || got.Count != 2 {
		t.Errorf("restarted: %+v", got)
	}
	// Another process was not asked: what the former one counted stays.
	if got := merged(12, []APIRequest{first}, nil); got != first {
		t.Errorf("kept: %+v", got)
	}
	// A server that does not tell its counts: the time of the reading is all there is.
	silent := reading("c1", 0, 12, 0)
	if got := merged(12, []APIRequest{reading("c1", 0, 10, 0)}, []APIRequest{silent}); got != silent {
		t.Errorf("without counts: %+v", got)
	}
	// kiban asked itself until the first reading: what came before it, or since, may be its own; what came after the next one is not.
	own := first
	own.Own = day(10)
	same, grown := merged(12, []APIRequest{own}, []APIRequest{reading("c1", 0, 12, 5)}), merged(12, []APIRequest{own},
		[]APIRequest{reading("c1", 0, 12, 6)})
	again := merged(14, []APIRequest{grown}, []APIRequest{reading("c1", 0, 14, 7)})
	if !same.MayBeOwn() || !grown.MayBeOwn() || again.MayBeOwn() || first.MayBeOwn() {
		t.Errorf("own: %+v\n%+v\n%+v", same, grown, again)
	}
	if out := MergeRequests([]APIRequest{first}, nil, day(101)); len(out) != 0 {
		t.Errorf("aged: %+v", out)
	}
	var many []APIRequest
	for i := range 1000 {
		r := reading("c1", 0, i%50, 1)
		r.Resource = string(rune('a'+i%26)) + string(rune('a'+i/26))
		many = append(many, r)
	}
	out := MergeRequests(nil, many, day(60))
	if len(out) != mostRequests {
		t.Errorf("%d are kept", len(out))
	}
	for _, r := range out {
		if r.Until.Before(day(30)) {
			t.Errorf("an old one stays and a newer one goes: %+v", r)
			break
		}
	}
}
