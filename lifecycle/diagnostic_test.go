package lifecycle

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
)

func TestDiagnosticConstructors(t *testing.T) {
	cause := errors.New("no route")
	tests := map[string]struct{ got, want Diagnostic }{
		"an error": {Errorf("worker-3", "%d pods stay", 2),
			Diagnostic{Severity: SeverityError, Subject: "worker-3", Summary: "2 pods stay"}},
		"blocked":   {Blockedf("", "not now"), Diagnostic{Severity: SeverityBlocked, Summary: "not now"}},
		"a warning": {Warnf("x", "odd"), Diagnostic{Severity: SeverityWarning, Subject: "x", Summary: "odd"}},
		"a chosen severity": {Findingf(SeverityBlocked, "x", "%s", "50% gone"),
			Diagnostic{Severity: SeverityBlocked, Subject: "x", Summary: "50% gone"}},
		"lines of a detail": {Errorf("", "s").Because("a", "b"), Diagnostic{Severity: SeverityError, Summary: "s", Detail: "a\nb"}},
		"no lines":          {Errorf("", "s").Because(), Diagnostic{Severity: SeverityError, Summary: "s"}},
		"a detail in parts": {Errorf("", "s").Because("a").Because("b"), Diagnostic{Severity: SeverityError, Summary: "s", Detail: "a\nb"}},
		"a hint and a field": {Errorf("", "s").Try("Do.").About("spec.x"),
			Diagnostic{Severity: SeverityError, Summary: "s", Hint: "Do.", Field: "spec.x"}},
		"a cause tells": {Errorf("", "s").From(cause), Diagnostic{Severity: SeverityError, Summary: "s", Detail: "no route", Cause: cause}},
		"and is added to": {Errorf("", "s").From(cause).Because("b"),
			Diagnostic{Severity: SeverityError, Summary: "s", Detail: "no route\nb", Cause: cause}},
		"but not twice": {Errorf("", "s").Because("a").From(cause),
			Diagnostic{Severity: SeverityError, Summary: "s", Detail: "a", Cause: cause}},
		"nor when it is none": {Errorf("", "s").From(nil), Diagnostic{Severity: SeverityError, Summary: "s"}},
		"nor when hidden":     {Errorf("", "s").Hiding(cause), Diagnostic{Severity: SeverityError, Summary: "s", Cause: cause}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if !reflect.DeepEqual(tt.got, tt.want) {
				t.Errorf("got %+v, want %+v", tt.got, tt.want)
			}
		})
	}
}

// TestDiagnosticsOfJoinedErrors: of errors that were joined each is told, so that a list in one does not hide what the other says.
func TestDiagnosticsOfJoinedErrors(t *testing.T) {
	list := Diagnostics{Blockedf("lab", "not now")}
	failed := Errorf("ext", "no kubeconfig")
	for name, err := range map[string]error{
		"side by side": errors.Join(failed, list),
		"within":       fmt.Errorf("ready: %w", errors.Join(errors.Join(failed, nil), fmt.Errorf("and %w", list))),
	} {
		if ds := AsDiagnostics(err, ""); len(ds) != 2 || !ds.Has(SeverityError) || !ds.Has(SeverityBlocked) {
			t.Errorf("%s: %+v", name, ds)
		}
	}
	if ds := AsDiagnostics(failed.Hiding(errors.Join(list, list)), ""); len(ds) != 1 && !ds.Has(SeverityBlocked) {
		t.Errorf("what a diagnostic hides: %+v", ds)
	}
}

func TestDiagnosticChainsShareNothing(t *testing.T) {
	base := Errorf("x", "s").Because("a")
	first, second := base.Because("b").Try("One."), base.Because("c")
	if base.Detail != "a" || base.Hint != "" || first.Detail != "a\nb" || second.Detail != "a\nc" || second.Hint != "" {
		t.Errorf("a chain changed what it began with: %+v, %+v, %+v", base, first, second)
	}
	if !errors.Is(base.From(errors.ErrUnsupported), errors.ErrUnsupported) {
		t.Error("the cause is not found by errors.Is")
	}
}
