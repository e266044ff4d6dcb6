package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"

	"github.com/rogpeppe/go-internal/testscript"
)

// hook is a script's receiver of messages.
type hook struct{ status atomic.Int32 }

type hookKey struct{}

// listenHook takes messages at $HOOK, whose path is a secret, and puts each into the script's file told.
func listenHook(env *testscript.Env) {
	h := &hook{}
	h.status.Store(http.StatusOK)
	file := filepath.Join(env.WorkDir, "told")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Text string }
		if code := int(h.status.Load()); code != http.StatusOK || json.NewDecoder(r.Body).Decode(&in) != nil {
			w.Header().Set("Retry-After", "3600")
			http.Error(w, "not at "+r.URL.Path, code)
			return
		}
		f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err == nil {
			_, err = f.WriteString(in.Text + "\n====\n")
			_ = f.Close()
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInsufficientStorage)
		}
	}))
	env.Defer(server.Close)
	env.Setenv("HOOK", server.URL+"/services/T0AAAA/B0BBBB/x8Zq")
	env.Values[hookKey{}] = h
}

// hookAnswers sets what the receiver answers from now on.
func hookAnswers(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: hook STATUS")
	}
	code, err := strconv.Atoi(args[0])
	ts.Check(err)
	ts.Value(hookKey{}).(*hook).status.Store(int32(code))
}
