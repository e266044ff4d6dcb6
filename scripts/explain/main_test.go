package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestFileIsCurrent(t *testing.T) {
	root := filepath.Join("..", "..")
	want, err := generate(root)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(root, target))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the comments say; run: go run ./scripts/explain", target)
	}
}
