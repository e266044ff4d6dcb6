package main

import "context"

// schedule: nothing has drifted.
func (r *rehearsal) schedule(ctx context.Context) error {
	return r.step("its pipeline is green: "+site+" is as declared", func() (string, error) {
		sha, err := r.fleet.head(ctx)
		if err != nil {
			return "", err
		}
		l, err := r.start(ctx, event{source: "schedule", sha: sha})
		if err != nil {
			return "", err
		}
		return "", l.want("success")
	})
}
