package main

import (
	"context"
	"fmt"
	"slices"
)

// control starts the next release as itself, and then the former one: the mistake that kiban refuses. It gives how many views are
// missing or changed by it.
func (j *journey) control(ctx context.Context, former, committed form) (found int, err error) {
	j.pause.Lock()
	defer j.pause.Unlock()
	was, err := resources(j.cfg)
	if err != nil {
		return 0, err
	}
	if err := j.turn(committed, false); err != nil {
		return 0, err
	}
	is, err := resources(j.cfg)
	if err != nil {
		return 0, err
	}
	for _, r := range is {
		if !slices.Contains(was, r) {
			fmt.Fprintf(j.say, "control: only the next release serves %s\n", r.GroupVersionResource)
		}
	}
	before, err := j.settled(ctx)
	if err != nil {
		return 0, err
	}
	if err := j.turn(former, false); err != nil {
		return 0, err
	}
	after, err := j.settled(ctx)
	if err != nil {
		return 0, err
	}
	missing, changed, err := differences(before, after)
	if err != nil {
		return 0, err
	}
	j.differ(missing, changed)
	return len(missing) + len(changed), nil
}
