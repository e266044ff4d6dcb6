package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func table3(t *testing.T, text string) (*table, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "words.txt"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return readTable(dir, "words.txt", 3, 2)
}

// What the code has and nobody explains fails, and so does what is explained and the code does not have.
func TestEverythingHasItsLine(t *testing.T) {
	code := &source{consts: []constant{{"ActionDrain", "Action", "drain", ""}, {"ActionFly", "Action", "fly", ""}}}
	words, err := table3(t, "# comment\n\naction | drain | Move pods | away.\n")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := code.constantWords(words, "Action", "action"); err == nil || !strings.Contains(err.Error(), "no line for the action fly") {
		t.Errorf("an action without a line: %v", err)
	}
	if words, err = table3(t, "action | drain | a\naction | fly | b\naction | swim | c\n"); err != nil {
		t.Fatal(err)
	}
	got, err := code.constantWords(words, "Action", "action")
	if err != nil || len(got) != 2 || got[0].Name != "drain" || got[1].Text != "b" {
		t.Errorf("got %+v, %v", got, err)
	}
	if err := words.leftOver(); err == nil || !strings.Contains(err.Error(), "action swim") {
		t.Errorf("a line about nothing: %v", err)
	}
	if _, err := words.take("action drain"); err == nil {
		t.Error("a line is used twice")
	}
}

func TestTableLines(t *testing.T) {
	for _, bad := range []string{"action | drain\n", "action | drain | \n", "action | drain | a\naction | drain | b\n"} {
		if _, err := table3(t, bad); err == nil || !strings.Contains(err.Error(), "words.txt:") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
