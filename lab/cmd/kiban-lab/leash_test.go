package main

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

// TestLeash: a verb goes on for as long as somebody holds the other end of its standard input, and ends with it.
func TestLeash(t *testing.T) {
	r, w := io.Pipe()
	c := &cobra.Command{}
	c.SetContext(t.Context())
	c.SetIn(r)
	leashed(c)
	if _, err := w.Write([]byte("what is written ends nothing")); err != nil || c.Context().Err() != nil {
		t.Errorf("it ended while its input was open: %v", err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-c.Context().Done():
	case <-time.After(time.Minute):
		t.Fatal("it goes on")
	}
	if err := context.Cause(c.Context()); !errors.Is(err, errLeash) {
		t.Errorf("ended for %v", err)
	}
}
