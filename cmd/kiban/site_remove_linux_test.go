package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// TestSiteRemoveThatFails: an overlay that can't be deleted whole is told as that, with what leads back, and never as gone.
func TestSiteRemoveThatFails(t *testing.T) {
	fleet := t.TempDir()
	lab := filepath.Join(fleet, "overlays", "lab")
	kept := filepath.Join(lab, "charts")
	if err := os.MkdirAll(kept, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(kept, "values.yaml"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for dir := lab; dir != filepath.Dir(os.TempDir()) && dir != "/"; dir = filepath.Dir(dir) {
		_ = os.Chmod(dir, 0o777) // the user below gets that far
	}
	if err := os.Chmod(kept, 0o555); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(kept, 0o755) })
	var out, errs strings.Builder
	streams := Streams{In: strings.NewReader("lab\n"), InTTY: true, Out: &out, Err: &errs, Getenv: func(string) string { return "" },
		Size: func() (int, int) { return 80, 24 }}
	code := asNobody(t, func() int {
		return run(t.Context(), streams, []string{"--fleet", fleet, "site", "remove", "lab"}, (&fakeSite{}).services())
	})
	for _, says := range []string{"Type the site's name", "the overlay could not be deleted whole on overlays/lab", "permission denied",
		"checkout -- overlays/lab"} {
		if !strings.Contains(strings.Join(strings.Fields(errs.String()), " "), says) {
			t.Errorf("it does not say %q", says)
		}
	}
	if strings.Contains(errs.String(), "is deleted") {
		t.Error("it says that it is done")
	}
	if _, err := os.Stat(filepath.Join(kept, "values.yaml")); code != exitFailed || out.String() != "" || err != nil {
		t.Errorf("exit %d, %v: %s", code, err, out.String())
	}
	if t.Failed() {
		t.Log(errs.String())
	}
}

// asNobody does something with the rights of a user for whom read-only is read-only, also where tests run as root.
func asNobody(t *testing.T, do func() int) int {
	t.Helper()
	if os.Geteuid() != 0 {
		return do()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := syscall.Setfsuid(65534); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := syscall.Setfsuid(0); err != nil {
			t.Fatal(err)
		}
	}()
	return do()
}
