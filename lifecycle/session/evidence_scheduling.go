package session

import (
	"context"

	"kiban.dev/kiban/lifecycle"
)

// scheduling asks the API for what decides where pods can run.
func (w *world) scheduling(ctx context.Context) *lifecycle.Answer[lifecycle.Scheduling] {
	s, err := w.api.Scheduling(ctx)
	if err != nil {
		return &lifecycle.Answer[lifecycle.Scheduling]{Unknown: err.Error()}
	}
	return &lifecycle.Answer[lifecycle.Scheduling]{Value: s}
}
