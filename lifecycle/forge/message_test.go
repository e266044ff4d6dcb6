package forge

import (
	"slices"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

func version(t *testing.T, s string) lifecycle.Version {
	t.Helper()
	v, err := lifecycle.ParseVersion(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// upgradeOf is a plan of one worker and one addon.
func upgradeOf(t *testing.T) lifecycle.Plan {
	target := version(t, "v1.36.3+k0s.2")
	return lifecycle.Plan{Format: lifecycle.PlanFormat, Site: "lab", Revision: "0123456789abcdef", Target: target,
		Hops: []lifecycle.Version{target}, Estimate: &lifecycle.Estimate{Duration: 12 * time.Minute, Runs: 3},
		Steps: []lifecycle.Step{
			{ID: "worker-1/upgrade", Action: lifecycle.ActionUpgrade, Target: "worker-1", Version: target, From: version(t, "v1.36.2+k0s.0")},
			{ID: "worker-2/upgrade", Action: lifecycle.ActionUpgrade, Target: "worker-2", Version: target, From: version(t, "v1.35.7+k0s.0")},
			{ID: "addon/metallb/apply", Action: lifecycle.ActionApply, Target: "addon/metallb", Chart: "0.16.1 -> 0.16.2"},
			{ID: "addon/datadog/prune", Action: lifecycle.ActionPrune, Target: "addon/datadog", Chart: "3.1.0"},
		}}
}

func TestStart(t *testing.T) {
	m, something := StartMessage(upgradeOf(t), "fedcba")
	if !something || m.Kind != MessageStarted || m.Site != "lab" || m.Revision != "fedcba" || m.From.String() != "v1.35.7+k0s.0" ||
		m.Target.String() != "v1.36.3+k0s.2" || m.Estimate != 12*time.Minute ||
		!slices.Equal(m.Addons, []string{"metallb 0.16.1 -> 0.16.2", "datadog is removed"}) {
		t.Errorf("%v, %+v", something, m)
	}
	if _, something := StartMessage(lifecycle.Plan{Site: "lab"}, ""); something {
		t.Error("a plan of nothing begins something")
	}
}

func TestEnd(t *testing.T) {
	began := time.Date(2026, 11, 22, 5, 0, 0, 0, time.UTC)
	for kind, want := range map[lifecycle.OutcomeKind]MessageKind{
		lifecycle.OutcomeDone: MessageDone, lifecycle.OutcomeUnchanged: MessageSettled, lifecycle.OutcomeFailed: MessageFailed,
		lifecycle.OutcomeBlocked: MessageBlocked, lifecycle.OutcomeStale: MessageStale,
		lifecycle.OutcomeInterrupted: MessageInterrupted, "of a later version": MessageFailed,
	} {
		m := EndMessage(lifecycle.Outcome{Site: "lab", Kind: kind, Message: "3 of 6 steps done", Began: began, Ended: began.Add(4 * time.Minute),
			Review: &lifecycle.Review{Where: "https://gitlab.example.com/-/1"},
			Diagnostics: lifecycle.Diagnostics{{Severity: lifecycle.SeverityWarning, Summary: "by the way"},
				{Severity: lifecycle.SeverityBlocked, Summary: "not now"}, {Severity: lifecycle.SeverityError, Summary: "broken"}}})
		if m.Kind != want || m.Took != 4*time.Minute || m.Result != "3 of 6 steps done" || m.Review == "" {
			t.Errorf("%s: %+v", kind, m)
		}
		if (m.Finding != nil) != want.Amiss() || m.Finding != nil && m.Finding.Summary != "broken" {
			t.Errorf("%s: found %+v, want the error where something is amiss", kind, m.Finding)
		}
	}
}

// What makes two messages the same one, and what does not.
func TestSameness(t *testing.T) {
	failed := lifecycle.Outcome{Site: "lab", Revision: "a", Kind: lifecycle.OutcomeFailed, Plan: "sha256:1", Run: "run-1",
		Message: "3 of 6 steps done",
		Diagnostics: lifecycle.Diagnostics{{Severity: lifecycle.SeverityError, Subject: "worker-1", Summary: "worker-1/drain: not met",
			Detail: "web has 2 of 3"}}}
	again, elsewhere, later := failed, failed, failed
	again.Plan, again.Run, again.Message = "sha256:2", "run-2", "0 of 3 steps done"
	again.Diagnostics = lifecycle.Diagnostics{{Severity: lifecycle.SeverityError, Subject: "worker-1", Summary: "worker-1/drain: not met",
		Detail: "web has 1 of 3"}}
	elsewhere.Diagnostics = lifecycle.Diagnostics{{Severity: lifecycle.SeverityError, Subject: "worker-2", Summary: "worker-2/drain: not met"}}
	later.Revision = "b"
	waiting := func(reason string) lifecycle.Outcome {
		return lifecycle.Outcome{Site: "lab", Revision: "a", Kind: lifecycle.OutcomeBlocked, Message: reason,
			Diagnostics: lifecycle.Diagnostics{{Severity: lifecycle.SeverityBlocked, Subject: "lab", Summary: reason}}}
	}
	stale := lifecycle.Outcome{Site: "lab", Revision: "a", Kind: lifecycle.OutcomeStale, Plan: "sha256:1",
		Diagnostics: lifecycle.Diagnostics{{Severity: lifecycle.SeverityError, Summary: "not what was reviewed"}}}
	staleOtherwise := stale
	staleOtherwise.Plan = "sha256:2"
	done := lifecycle.Outcome{Site: "lab", Revision: "a", Kind: lifecycle.OutcomeDone, Plan: "sha256:1", Run: "run-1"}
	doneAgain, ofOther := done, done
	doneAgain.Run = "run-9"
	ofOther.Site = "osaka"
	drifted, other, reworded := upgradeOf(t), upgradeOf(t), upgradeOf(t)
	other.Steps = other.Steps[1:]
	reworded.Steps[0].Reason, reworded.Revision = "in other words", "another"
	key := func(m Message) string { return keyOf(m, "webhook") }
	for _, tt := range []struct {
		name string
		a, b Message
		same bool
	}{
		{"the same failure in a retry that had less to do", EndMessage(failed), EndMessage(again), true},
		{"another failure", EndMessage(failed), EndMessage(elsewhere), false},
		{"the same failure of a later commit", EndMessage(failed), EndMessage(later), false},
		{"a wait that goes on", EndMessage(waiting("lab has run k0s v1.36.3+k0s.2 for 1m7s of 1h")),
			EndMessage(waiting("lab has run k0s v1.36.3+k0s.2 for 20m of 1h")), true},
		{"a wait for something else", EndMessage(waiting("lab has run k0s v1.36.3+k0s.2 for 1m7s of 1h")),
			EndMessage(waiting("lab has run k0s v1.36.4+k0s.0 for 1m7s of 1h")), false},
		{"the same that nobody reviewed", EndMessage(stale), EndMessage(stale), true},
		{"something else that nobody reviewed", EndMessage(stale), EndMessage(staleOtherwise), false},
		{"the same run", EndMessage(done), EndMessage(done), true},
		{"another run", EndMessage(done), EndMessage(doneAgain), false},
		{"another site", EndMessage(done), EndMessage(ofOther), false},
		{"a drift in other words", LookMessage(drifted), LookMessage(reworded), true},
		{"another drift", LookMessage(drifted), LookMessage(other), false},
		{"a job that was killed again", LostMessage("lab", "a", "failed"), LostMessage("lab", "a", "failed"), true},
		{"a job that was killed and one that was cancelled", LostMessage("lab", "a", "failed"), LostMessage("lab", "a", "canceled"), false},
	} {
		if same := key(tt.a) == key(tt.b); same != tt.same {
			t.Errorf("%s: %s and %s", tt.name, key(tt.a), key(tt.b))
		}
	}
}

func TestLook(t *testing.T) {
	unreached := lifecycle.Diagnostics{{Severity: lifecycle.SeverityError, Subject: "worker-1", Summary: "worker-1 was not reached"}}
	blocked := lifecycle.Diagnostics{{Severity: lifecycle.SeverityBlocked, Summary: "the window is closed"}}
	with := func(p lifecycle.Plan, ds lifecycle.Diagnostics) lifecycle.Plan {
		p.Diagnostics = ds
		return p
	}
	for _, tt := range []struct {
		name string
		plan lifecycle.Plan
		want MessageKind
	}{
		{"nothing to do", lifecycle.Plan{Site: "lab"}, MessageSettled},
		{"a warning", with(lifecycle.Plan{Site: "lab"}, lifecycle.Diagnostics{{Severity: lifecycle.SeverityWarning, Summary: "by the way"}}),
			MessageSettled},
		{"a difference", upgradeOf(t), MessageDrift},
		{"a difference that waits for a window", with(upgradeOf(t), blocked), MessageDrift},
		{"a machine that was not reached", with(lifecycle.Plan{Site: "lab"}, unreached), MessageUnseen},
		{"a difference beside a machine that was not reached", with(upgradeOf(t), unreached), MessageUnseen},
		{"nothing to do and something in the way", with(lifecycle.Plan{Site: "lab"}, blocked), MessageUnseen},
		{"not seen to the end", lifecycle.Plan{Site: "lab", Unfinished: "the API does not answer"}, MessageUnseen},
	} {
		m := LookMessage(tt.plan)
		if m.Kind != tt.want || m.Site != "lab" {
			t.Errorf("%s: %s, want %s", tt.name, m.Kind, tt.want)
		}
		if m.Kind == MessageUnseen && m.Finding == nil && m.Result == "" {
			t.Errorf("%s: does not say why", tt.name)
		}
	}
}

func TestShippedWording(t *testing.T) {
	m := EndMessage(lifecycle.Outcome{Site: "tokyo-prod", Revision: "0123456789abcdef-dirty", Kind: lifecycle.OutcomeFailed,
		Message: "3 of 6 steps done in 4m12s", Verdict: "1 worker to upgrade.",
		From: version(t, "v1.35.7+k0s.0"), Target: version(t, "v1.36.3+k0s.2"),
		Diagnostics: lifecycle.Diagnostics{{Severity: lifecycle.SeverityError, Subject: "worker-1",
			Summary: "worker-1/drain: not met: node worker-1 Ready", Detail: "kubelet is silent\nits log: …", Hint: "kiban status tokyo-prod"}}})
	m.Who, m.Job, m.Pipeline, m.Review = "ann", "https://gitlab.example.com/-/jobs/1?a=b&c", "https://gitlab.example.com/-/pipelines/2",
		"https://gitlab.example.com/-/merge_requests/3"
	chat, err := ShippedTemplate().ForChat(m)
	if err != nil {
		t.Fatal(err)
	}
	if want := "❌ *tokyo-prod*: apply failed\n1 worker to upgrade.\nk0s `v1.35.7+k0s.0` → `v1.36.3+k0s.2`\n3 of 6 steps done in 4m12s\n" +
		"worker-1/drain: not met: node worker-1 Ready\nkubelet is silent\n" +
		"Try: kiban status tokyo-prod\n`0123456789-dirty` by ann <https://gitlab.example.com/-/jobs/1?a=b&amp;c|job> " +
		"<https://gitlab.example.com/-/pipelines/2|pipeline> <https://gitlab.example.com/-/merge_requests/3|merge request>"; chat != want {
		t.Errorf("got\n%s\nwant\n%s", chat, want)
	}
	gitlab, err := ShippedTemplate().ForGitLab(m)
	if err != nil {
		t.Fatal(err)
	}
	if want := "❌ **tokyo-prod**: apply failed  \n1 worker to upgrade.  \nk0s `v1.35.7+k0s.0` → `v1.36.3+k0s.2`  \n" +
		"3 of 6 steps done in 4m12s  \n"; !strings.HasPrefix(gitlab, want) ||
		!strings.Contains(gitlab, "[job](https://gitlab.example.com/-/jobs/1?a=b&c)") {
		t.Errorf("got\n%s", gitlab)
	}
	m.Kind, m.Finding.Detail = MessageStale, "- worker-1/drain\n+ worker-2/drain\n"
	if chat, err := ShippedTemplate().ForChat(m); err != nil || !strings.Contains(chat, "\n- worker-1/drain; + worker-2/drain\n") {
		t.Errorf("what differs from what was reviewed is not told: %s, %v", chat, err)
	}
	if chat, err := ShippedTemplate().ForChat(Message{Kind: MessageStarted, Site: "lab",
		Estimate: 12*time.Minute + 20*time.Second}); err != nil || !strings.Contains(chat, "It may take 12m, as former runs did.") {
		t.Errorf("got %s, %v", chat, err)
	}
	accepted := EndMessage(lifecycle.Outcome{Site: "lab", Kind: lifecycle.OutcomeDone,
		Review: &lifecycle.Review{Accepted: []string{"+ worker-1/a", "+ 2", "+ 3", "+ 4", "+ 5", "+ 6", "+ 7", "+ 8"}}})
	if chat, err := ShippedTemplate().ForChat(accepted); err != nil ||
		!strings.Contains(chat, "\nAccepted, although it is not what was reviewed: + worker-1/a; + 2; + 3; + 4; + 5; + 6; and 2 more") {
		t.Errorf("got %s, %v", chat, err)
	}
	twice := EndMessage(lifecycle.Outcome{Site: "lab", Kind: lifecycle.OutcomeBlocked, Message: "no room",
		Diagnostics: lifecycle.Diagnostics{{Severity: lifecycle.SeverityBlocked, Summary: "no room"}}})
	if chat, err := ShippedTemplate().ForChat(twice); err != nil || strings.Count(chat, "no room") != 1 {
		t.Errorf("got %s, %v", chat, err)
	}
	for _, kind := range []MessageKind{MessageStarted, MessageDone, MessageSettled, MessageFailed, MessageBlocked, MessageStale,
		MessageInterrupted, MessageLost, MessageDrift, MessageUnseen, MessageSupport} {
		if text, err := ShippedTemplate().ForChat(Message{Kind: kind, Site: "lab"}); err != nil || !strings.Contains(text, "*lab*: ") ||
			strings.Contains(text, "\n") || strings.HasSuffix(text, ": "+string(kind)) {
			t.Errorf("%s: %q, %v", kind, text, err)
		}
	}
}

func TestHostileTexts(t *testing.T) {
	for text, want := range map[string][2]string{
		"<!here> <@U123> @channel": {"&lt;!here&gt; &lt;\u200b@\u200bU123&gt; \u200b@\u200bchannel",
			`&lt;\!here&gt; &lt;\@U123&gt; \@channel`},
		"*bold* _it_ ~no~ `code`":        {"∗bold∗ \u200b_\u200bit\u200b_\u200b ∼no∼ 'code'", `\*bold\* \_it\_ \~no\~ 'code'`},
		"[x](https://evil.example.com)":  {"[x]\u200b(https://evil.example.com)", `\[x\](https://evil.example.com)`},
		`\[x](https://evil.example.com)`: {"\\[x]\u200b(https://evil.example.com)", `\\\[x\](https://evil.example.com)`},
		"/close\n/label ~bug":            {"/close /label ∼bug", `\/close /label \~bug`},
		"#1 !2 %3 $4 &5":                 {"#1 !2 %3 $4 &amp;5", `\#1 \!2 \%3 \$4 \&5`},
		"etcd_member of ann@example.com": {"etcd_member of ann@example.com", `etcd\_member of ann\@example.com`},
		"\x1b[31mred\u202eder\x00":       {"[31mredder", `\[31mredder`},
		"a\xff":                          {"a\ufffd", "a\ufffd"},
	} {
		m := Message{Kind: MessageFailed, Site: "lab", Result: text}
		chat, err := Template{"{{.Result}}", "t"}.ForChat(m)
		if err != nil || chat != want[0] {
			t.Errorf("%q: got %q, %v; want %q", text, chat, err, want[0])
		}
		gitlab, err := Template{"{{.Result}}", "t"}.ForGitLab(m)
		if err != nil || gitlab != want[1] {
			t.Errorf("%q: got %q, %v; want %q", text, gitlab, err, want[1])
		}
	}
	if got := clean(strings.Repeat("long ", 100), longestText); len([]rune(got)) > longestText || !strings.HasSuffix(got, "…") {
		t.Errorf("got %q", got)
	}
	// However it is written: by a function, in a link, through printf.
	m := Message{Kind: MessageFailed, Site: "lab", Result: "<!here> `*", Job: "javascript:alert(1)", Pipeline: "https://example.com/|>x(y)"}
	for text, want := range map[string]string{
		`{{bold .Result}}`:             "*&lt;!here&gt; '∗*",
		`{{code .Result}}`:             "`&lt;!here&gt; '*`",
		`{{printf "%s" .Result}}`:      "&lt;!here&gt; '∗",
		`{{link .Pipeline .Result}}`:   "<https://example.com/%7C%3Ex%28y%29|&lt;!here&gt; '∗>",
		`{{link .Job "job"}}`:          "job",
		`{{link "https://x.y" .Kind}}`: "<https://x.y|failed>",
		`{{bold (code .Result)}}`:      "*`&lt;!here&gt; '*`*",
		`{{bold .Tier}}{{with .Tier}}no{{end}}{{if eq .Site "lab"}}{{.Site}}{{end}}`: "lab",
	} {
		if got, err := (Template{text, "t"}).ForChat(m); err != nil || got != want {
			t.Errorf("%s: got %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestBadTemplates(t *testing.T) {
	for text, want := range map[string]string{
		"{{.Sight}}":                            "can't evaluate field Sight",
		"{{":                                    "unclosed action",
		"{{shell .Site}}":                       `function "shell" not defined`,
		`{{if eq .Kind "drift"}}{{.No}}{{end}}`: "can't evaluate field No",
		strings.Repeat("long ", 2000):           "more than 8000 bytes",
	} {
		_, err := ParseTemplate("mine.tmpl", text)
		d, ok := err.(lifecycle.Diagnostic)
		if !ok || d.Subject != "mine.tmpl" || !strings.Contains(d.Detail, want) || strings.Contains(d.Detail, "message.fields") || d.Hint == "" {
			t.Errorf("%.40s: got %#v, want %q", text, err, want)
		}
	}
	mine, err := ParseTemplate("mine.tmpl", `{{if ne .Kind "started"}}{{.Site}} {{.Headline}}{{end}}`)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := mine.ForChat(Message{Kind: MessageStarted, Site: "lab"}); err != nil || text != "" {
		t.Errorf("got %q, %v; want nothing", text, err)
	}
	if text, err := mine.ForGitLab(Message{Kind: MessageDone, Site: "lab"}); err != nil || text != "lab applied" {
		t.Errorf("got %q, %v", text, err)
	}
}
