package session

import (
	"context"

	"kiban.dev/kiban/lifecycle"
)

// places asks the API for what decides where pods can run, and whether they are let in again.
func (w *world) places(
	ctx context.Context, target lifecycle.Version,
) (*lifecycle.Answer[lifecycle.Scheduling], *lifecycle.Answer[lifecycle.Admission]) {
	var s lifecycle.Answer[lifecycle.Scheduling]
	var a lifecycle.Answer[lifecycle.Admission]
	var err error
	if s.Value, err = w.api.Scheduling(ctx, w.site.PodAdmission(target)); err != nil {
		s.Unknown = err.Error()
		a.Unknown = s.Unknown
		return &s, &a
	}
	if a.Value, err = w.api.Admission(ctx, s.Value.Kinds); err != nil {
		a.Unknown = err.Error()
	}
	return &s, &a
}
