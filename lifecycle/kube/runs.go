package kube

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
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

// keptRun is a record with its place in the order in which the cluster got them: an id begins with the time of a machine whose clock may
// be slow, so that it says nothing of what came last. Records of older versions have no place; they came before.
type keptRun struct {
	lifecycle.RunRecord
	Order int64 `json:"order,omitempty"`
}

// byOrder compares runs by when the cluster first heard of them.
func byOrder(a, b keptRun) int {
	return cmp.Or(cmp.Compare(a.Order, b.Order), cmp.Compare(a.ID, b.ID))
}

// withRun is the data with one more run and no more than runsKept: the last that the cluster heard of. What is no record counts, and goes
// first.
func withRun(data map[string]string, r lifecycle.RunRecord) (map[string]string, error) {
	if data == nil {
		data = map[string]string{}
	}
	var all []keptRun
	last := int64(0)
	for id, text := range data {
		var k keptRun
		if json.Unmarshal([]byte(text), &k) != nil || k.ID != id {
			k = keptRun{RunRecord: lifecycle.RunRecord{ID: id}}
		}
		all, last = append(all, k), max(last, k.Order)
	}
	own := slices.IndexFunc(all, func(k keptRun) bool { return k.ID == r.ID })
	if own < 0 {
		own, all = len(all), append(all, keptRun{Order: last + 1})
	}
	all[own].RunRecord = r
	b, err := json.Marshal(all[own])
	if err != nil {
		return nil, fmt.Errorf("record run %s: %w", r.ID, err)
	}
	data[r.ID] = string(b)
	slices.SortFunc(all, byOrder)
	for _, k := range all[:max(0, len(all)-runsKept)] {
		delete(data, k.ID)
	}
	return data, nil
}

// Runs gives the runs that the cluster keeps, the last that it heard of first. Records of another major format, and what is no record, are
// passed over.
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
	var kept []keptRun
	for id, text := range data {
		var k keptRun
		if err := json.Unmarshal([]byte(text), &k); err != nil || k.ID != id || !lifecycle.SameMajor(k.Format, lifecycle.RunFormat) {
			continue
		}
		kept = append(kept, k)
	}
	slices.SortFunc(kept, func(a, b keptRun) int { return byOrder(b, a) })
	var out []lifecycle.RunRecord
	for _, k := range kept {
		out = append(out, k.RunRecord)
	}
	return out
}
