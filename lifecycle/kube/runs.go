package kube

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"kiban.dev/kiban/lifecycle"
)

// runsName is the ConfigMap in kube-system in which a cluster keeps its last runs, one key a run.
const runsName = "kiban-runs"

// runsKept is how many runs a cluster keeps. A record has a few hundred bytes, an object a mebibyte.
const runsKept = 20

// RecordRun puts a run's record into the cluster and lets go of the oldest beyond the twentieth. Writing the same record again changes
// nothing. Another writer's record is never lost: a write on top of something unread is refused by the API, and made again.
func (c *Client) RecordRun(ctx context.Context, r lifecycle.RunRecord) error {
	if err := c.connect(ctx); err != nil {
		return err
	}
	return c.keep(ctx, runsName, func(data map[string]string) (map[string]string, error) { return withRun(data, r) })
}

// withRun is the data with one more run and no more than runsKept. Ids begin with the time, so the smallest are the oldest.
func withRun(data map[string]string, r lifecycle.RunRecord) (map[string]string, error) {
	b, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("record run %s: %w", r.ID, err)
	}
	if data == nil {
		data = map[string]string{}
	}
	data[r.ID] = string(b)
	ids := slices.Sorted(maps.Keys(data))
	for _, id := range ids[:max(0, len(ids)-runsKept)] {
		delete(data, id)
	}
	return data, nil
}

// Runs gives the runs that the cluster keeps, newest first. Records of another major format, and what is no record, are passed over.
func (c *Client) Runs(ctx context.Context) ([]lifecycle.RunRecord, error) {
	if err := c.connect(ctx); err != nil {
		return nil, err
	}
	data, err := c.configMapData(ctx, runsName)
	if err != nil {
		return nil, err
	}
	return readRuns(data), nil
}

func readRuns(data map[string]string) []lifecycle.RunRecord {
	var out []lifecycle.RunRecord
	for id, text := range data {
		var r lifecycle.RunRecord
		if err := json.Unmarshal([]byte(text), &r); err != nil || r.ID != id || !lifecycle.SameMajor(r.Format, lifecycle.RunFormat) {
			continue
		}
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b lifecycle.RunRecord) int { return cmp.Compare(b.ID, a.ID) })
	return out
}
