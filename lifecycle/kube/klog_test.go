package kube

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"

	"k8s.io/klog/v2"
)

// TestLibrariesLogToOurLog: what Kubernetes' libraries log is a line of kiban's own log at debug level, and nothing of stderr.
func TestLibrariesLogToOurLog(t *testing.T) {
	stderr := os.Stderr
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	os.Stderr = w
	defer func() { os.Stderr = stderr }()
	var debug bytes.Buffer
	New(nil, nil, Options{Log: slog.New(slog.NewTextHandler(&debug, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	klog.ErrorS(errors.New("connection refused"), "Unhandled Error")
	klog.Background().WithName("reflector").WithValues("type", "*v1.Pod").Info("watch ended")
	if got := debug.String(); strings.Count(got, "level=DEBUG") != 2 || !strings.Contains(got, "connection refused") ||
		!strings.Contains(got, `type=*v1.Pod`) {
		t.Errorf("the log has %q", got)
	}
	var quiet bytes.Buffer
	New(nil, nil, Options{Log: slog.New(slog.NewTextHandler(&quiet, nil))})
	klog.ErrorS(errors.New("connection refused"), "Unhandled Error")
	klog.Flush()
	os.Stderr = stderr
	_ = w.Close()
	var said bytes.Buffer
	if _, err := said.ReadFrom(r); err != nil || quiet.Len()+said.Len() > 0 {
		t.Errorf("without debug: %q, stderr %q, %v", quiet.String(), said.String(), err)
	}
}
