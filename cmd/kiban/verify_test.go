package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

func TestVerify(t *testing.T) {
	met := []lifecycle.Promise{
		{Name: "dns", State: lifecycle.GateMet, Reason: "kubernetes.default answered in 12ms"},
		{Name: "storage", State: lifecycle.GateSkipped, Reason: "no class is promised"},
	}
	broken := append(slices.Clone(met),
		lifecycle.Promise{Name: "load balancer", State: lifecycle.GateFailed, Reason: "Service probe has no address after 2m"},
		lifecycle.Promise{Name: "node label type=storage", State: lifecycle.GateWaiting, Reason: "0 of 3 nodes have it"})
	for _, tt := range []struct {
		name     string
		promises []lifecycle.Promise
		code     int
		says     string
	}{
		{"all kept", met, exitDone, ""},
		{"two broken", broken, exitFailed,
			"Error: it does not keep what it promises: load balancer, node label type=storage\n  on lab\n" +
				"  load balancer: Service probe has no address after 2m\n"},
		{"none", nil, exitDone, ""},
	} {
		for _, form := range []string{"text", "json", "yaml"} {
			f := &fakeSite{promises: tt.promises}
			r := f.kiban(t, t.TempDir(), nil, "verify", "lab", "-o", form)
			if r.code != tt.code || !strings.Contains(r.err, tt.says) || !strings.Contains(r.err, "probing as ") {
				t.Errorf("%s, %s: exit %d, want %d\n%s%s", tt.name, form, r.code, tt.code, r.out, r.err)
			}
			if f.claims != nil || f.lockCalls != nil {
				t.Errorf("%s: verify asked for the lock", tt.name)
			}
			var report verifyReport
			if form == "json" && (json.Unmarshal([]byte(r.out), &report) != nil || report.Kept != (tt.code == exitDone) ||
				len(report.Promises) != len(tt.promises)) {
				t.Errorf("%s: stdout %s", tt.name, r.out)
			}
		}
	}
	for timeout, want := range map[string]time.Duration{"": 2 * time.Minute, "7s": 7 * time.Second} {
		f := &fakeSite{promises: met}
		args := []string{"verify", "lab"}
		if timeout != "" {
			args = append(args, "--timeout", timeout)
		}
		if r := f.kiban(t, t.TempDir(), nil, args...); r.code != exitDone || f.verifyWithin > want || f.verifyWithin < want-2*time.Second {
			t.Errorf("--timeout %q: exit %d, the probes have %s, want %s\n%s", timeout, r.code, f.verifyWithin, want, r.err)
		}
	}
	for _, none := range []string{"0s", "-1m"} {
		f := &fakeSite{promises: met}
		if r := f.kiban(t, t.TempDir(), nil, "verify", "lab", "--timeout", none); r.code != exitFailed ||
			!strings.Contains(r.err, "is no time to prove anything in") || strings.Contains(r.err, "probing") {
			t.Errorf("--timeout %s: exit %d\n%s", none, r.code, r.err)
		}
	}
	r := (&fakeSite{promises: broken}).kiban(t, t.TempDir(), nil, "verify", "lab")
	for _, want := range []string{"holds    dns ", "BROKEN   load balancer ", "skipped  storage "} {
		if !strings.Contains(r.out, want) {
			t.Errorf("no %q in\n%s", want, r.out)
		}
	}
}
