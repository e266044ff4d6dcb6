package readiness

import (
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// TestOwnRequestsAreNotHeldAgainstTheSite: kiban tries what is declared, by the API that is declared, and API servers count that. It is
// told with the declaration, and not as something that somebody asks for.
func TestOwnRequestsAreNotHeldAgainstTheSite(t *testing.T) {
	class := lifecycle.ObjectRef{APIVersion: "storage.k8s.io/v1beta1", Kind: "VolumeAttributesClass", Name: "fast"}
	call := func(agent string) []lifecycle.From[[]lifecycle.APICall] {
		one := lifecycle.APICall{Group: "storage.k8s.io", Version: "v1beta1", Resource: "volumeattributesclasses", Verb: "patch",
			User: "admin", Agent: agent, Removed: "1.37", Last: now}
		return []lifecycle.From[[]lifecycle.APICall]{{Name: "c1",
			Answer: lifecycle.Answer[[]lifecycle.APICall]{Value: []lifecycle.APICall{one}}}}
	}
	hour, is := time.Hour, "blocks: it is declared as storage.k8s.io/v1beta1"
	for name, c := range map[string]struct {
		declared bool
		own      time.Time
		agent    string
		want     []string // rank and a part of the summary of each
		seen     string
	}{
		"declared, and by kiban": {true, now, "kiban", []string{is},
			"API servers count 12 requests for it, kiban's own among them"},
		"declared, without a log": {true, now, "", []string{is}, "kiban's own among them"},
		"declared, and by another": {true, now, "velero/1.9", []string{is,
			"blocks: v1.37 no longer serves storage.k8s.io/v1beta1 VolumeAttributesClass, and it is asked for"}, ""},
		"no longer declared": {false, now.Add(-2 * hour), "", []string{"good to know: v1.37 no longer serves"}, "12 requests"},
		"asked for since":    {false, now.Add(-4 * hour), "", []string{"blocks: v1.37 no longer serves"}, ""},
		"never declared":     {false, time.Time{}, "", []string{"blocks: v1.37 no longer serves"}, ""},
		"of another":         {false, now.Add(-2 * hour), "kubectl/v1.36", []string{"blocks: v1.37 no longer serves"}, "kubectl"},
	} {
		in := shop(t)
		in.Evidence.APIs = answered()
		in.Evidence.APIs.Requests = attributesClass(now.Add(-3 * hour))
		in.Evidence.APIs.Requests[0].Value[0].Own = c.own
		if c.agent != "" {
			in.Evidence.APIs.Calls = call(c.agent)
		}
		if c.declared {
			in.Evidence.APIs.Declared = declares(lifecycle.UnitObjects, class, "overlays/tokyo/class.yaml:1")
			in.Evidence.APIs.Writes.Value.Writes = []lifecycle.APIWrite{{Object: class, API: class.APIVersion, Manager: "kiban", At: now}}
		}
		r := Check(in)
		if len(r.Findings) != len(c.want) {
			t.Errorf("%s: want %d findings: %+v", name, len(c.want), r.Findings)
			continue
		}
		var got []string
		for _, f := range r.Findings {
			got = append(got, string(f.Rank)+": "+f.Summary+" "+strings.Join(f.Seen, " "))
		}
		for _, want := range append(c.want, c.seen) {
			if !strings.Contains(strings.Join(got, "\n"), want) {
				t.Errorf("%s: no %q in\n%s", name, want, strings.Join(got, "\n"))
			}
		}
	}
}
