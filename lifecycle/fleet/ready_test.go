package fleet

import (
	"encoding/json"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// TestReadinessIsJudged: each site has its verdict in a word, and what it comes to. Of a site where nobody answered nothing is
// known, whatever its files tell.
func TestReadinessIsJudged(t *testing.T) {
	blocks := lifecycle.ReadinessFinding{Rule: "setting", Rank: lifecycle.RankBlocks, Subject: "lab", Summary: "it goes"}
	away := lifecycle.Unseen{What: "what all machines are like", Why: "sudo is refused"}
	for name, c := range map[string]struct {
		is      SiteReadiness
		verdict Verdict
		err     string
		blocked bool
	}{
		"ready": {Judged(lifecycle.Readiness{Site: "lab"}), VerdictReady, "", false},
		"in the way": {Judged(lifecycle.Readiness{Site: "lab", Findings: []lifecycle.ReadinessFinding{blocks}}), VerdictNotReady,
			"1 finding in the way", true},
		"not seen": {Judged(lifecycle.Readiness{Site: "lab", Unseen: []lifecycle.Unseen{away}}), VerdictUnknown,
			"could not be looked at", true},
		"nobody answered": {Judged(lifecycle.Readiness{Site: "lab", Blind: true, Unseen: []lifecycle.Unseen{away}}), VerdictFailed,
			"nothing is known", false},
		"nobody answered, and files tell": {Judged(lifecycle.Readiness{Site: "lab", Blind: true, Unseen: []lifecycle.Unseen{away},
			Findings: []lifecycle.ReadinessFinding{blocks}}), VerdictFailed, "nothing is known", false},
		"can't be read": {Unjudged("lab", lifecycle.Diagnostics{lifecycle.Warnf("", "odd"), lifecycle.Errorf("lab", "no kubeconfig")}),
			VerdictFailed, "", false},
	} {
		err := Readiness{c.is}.Err()
		ds := lifecycle.AsDiagnostics(err, "")
		if c.is.Verdict != c.verdict || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) ||
			ds.Has(lifecycle.SeverityBlocked) != c.blocked {
			t.Errorf("%s: %q, %v", name, c.is.Verdict, err)
		}
	}
	b, err := json.Marshal(Unjudged("lab", lifecycle.Errorf("lab", "no kubeconfig")))
	if err != nil || !strings.Contains(string(b), `"error":"lab: no kubeconfig"`) || !strings.Contains(string(b), `"format":"1.0"`) {
		t.Errorf("%s, %v", b, err)
	}
}
