package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestWhole(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "plan.json")
	holds := func(want string, mode fs.FileMode) {
		t.Helper()
		got, err := os.ReadFile(file)
		if err != nil || string(got) != want {
			t.Errorf("it holds %q, want %q (%v)", got, want, err)
		}
		if st, err := os.Stat(file); err != nil || st.Mode().Perm() != mode {
			t.Errorf("its mode is %v, want %v (%v)", st.Mode(), mode, err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
			t.Errorf("beside it lie %v (%v)", left, err)
		}
	}
	if err := Write(file, []byte("a long first content"), 0o644); err != nil {
		t.Fatal(err)
	}
	holds("a long first content", 0o644)
	if err := Write(file, []byte("second"), 0o600); err != nil {
		t.Fatal(err)
	}
	holds("second", 0o600)

	full := errors.New("no space left on device")
	err := Fill(file, 0o644, func(f *os.File) error {
		if _, err := f.WriteString("half"); err != nil {
			return err
		}
		return full
	})
	if err != full { //nolint:errorlint // it is returned as it is
		t.Errorf("got %v, want the error as it is", err)
	}
	holds("second", 0o600)

	if err := Add(file, []byte("third"), 0o644); !errors.Is(err, fs.ErrExist) {
		t.Errorf("got %v, want fs.ErrExist", err)
	}
	holds("second", 0o600)
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := Add(file, []byte("third"), 0o644); err != nil {
		t.Fatal(err)
	}
	holds("third", 0o644)
	if err := Write(filepath.Join(dir, "missing", "x"), nil, 0o600); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v: it made a folder", err)
	}
}

// What a killed process left goes; what may still be written, and what is none of it, stays.
func TestSweep(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	for name, age := range map[string]time.Duration{".new-1": 2 * time.Hour, ".new-2": time.Minute, "plan.json": 48 * time.Hour} {
		file := filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Chtimes(file, now, now.Add(-age))); err != nil {
			t.Fatal(err)
		}
	}
	if err := Sweep(dir, now); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 2 || left[0].Name() != ".new-2" {
		t.Errorf("left: %v (%v)", left, err)
	}
}

// TestTry: why a file can't be put there is known before there is anything to put, and nothing is left of the question.
func TestTry(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "kept")
	if err := os.WriteFile(file, []byte("as it was"), 0o600); err != nil {
		t.Fatal(err)
	}
	locked := filepath.Join(dir, "locked")
	if err := os.Mkdir(locked, 0o500); err != nil {
		t.Fatal(err)
	}
	for path, well := range map[string]bool{
		filepath.Join(dir, "new"): true, file: true, dir: false, filepath.Join(dir, "nowhere", "new"): false, filepath.Join(file, "new"): false,
		os.DevNull: false, filepath.Join(locked, "new"): os.Geteuid() == 0,
	} {
		if err := Try(path); (err == nil) != well {
			t.Errorf("%s: %v", path, err)
		}
	}
	left, err := os.ReadDir(dir)
	if b, readErr := os.ReadFile(file); err != nil || len(left) != 2 || readErr != nil || string(b) != "as it was" {
		t.Errorf("%v, %v; %q, %v", left, err, b, readErr)
	}
}
