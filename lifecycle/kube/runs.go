package kube

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kiban.dev/kiban/lifecycle"
)

// runsName is the ConfigMap in kube-system in which a cluster keeps its last runs, one key a run.
const runsName = "kiban-runs"

// runsKept is how many runs a cluster keeps. A record has a few hundred bytes, an object a mebibyte.
const runsKept = 20

// RecordRun puts a run's record into the cluster and lets go of the oldest beyond the twentieth. Writing the same record again changes
// nothing. Another writer's record is never lost: a write on top of something unread is refused by the API, and made again.
func (c *Client) RecordRun(ctx context.Context, r lifecycle.RunRecord) error {
	var err error
	for range writeTries {
		if err = c.recordOnce(ctx, r); err == nil || !worthRepeating(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("record run %s: %w", r.ID, ctx.Err())
		case <-time.After(c.pause):
		}
	}
	return err
}

func (c *Client) recordOnce(ctx context.Context, r lifecycle.RunRecord) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	objects := c.api.CoreV1().ConfigMaps(metav1.NamespaceSystem)
	cm, err := objects.Get(ctx, runsName, metav1.GetOptions{})
	missing := apierrors.IsNotFound(err)
	if err != nil && !missing {
		return fmt.Errorf("get %s/%s: %w", metav1.NamespaceSystem, runsName, err)
	}
	if missing {
		cm = &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: runsName, Namespace: metav1.NamespaceSystem, Labels: map[string]string{"app.kubernetes.io/managed-by": "kiban"}}}
	}
	data, err := withRun(cm.Data, r)
	if err != nil {
		return err
	}
	cm.Data = data
	if missing {
		_, err = objects.Create(ctx, cm, metav1.CreateOptions{FieldManager: "kiban"})
	} else {
		_, err = objects.Update(ctx, cm, metav1.UpdateOptions{FieldManager: "kiban"})
	}
	if err != nil {
		return fmt.Errorf("write %s/%s: %w", metav1.NamespaceSystem, runsName, err)
	}
	return nil
}

// withRun is the data with one more run and no more than runsKept. Ids begin with the time, so the smallest are the oldest.
func withRun(data map[string]string, r lifecycle.RunRecord) (map[string]string, error) {
	b, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("record run %s: %w", r.ID, err)
	}
	out := maps.Clone(data)
	if out == nil {
		out = map[string]string{}
	}
	out[r.ID] = string(b)
	ids := slices.Sorted(maps.Keys(out))
	for _, id := range ids[:max(0, len(ids)-runsKept)] {
		delete(out, id)
	}
	return out, nil
}

// Runs gives the runs that the cluster keeps, newest first. Records of another major format, and what is no record, are passed over.
func (c *Client) Runs(ctx context.Context) ([]lifecycle.RunRecord, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	cm, err := c.api.CoreV1().ConfigMaps(metav1.NamespaceSystem).Get(ctx, runsName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("get %s/%s: %w", metav1.NamespaceSystem, runsName, err)
	}
	return readRuns(cm.Data), nil
}

func readRuns(data map[string]string) []lifecycle.RunRecord {
	var out []lifecycle.RunRecord
	for id, text := range data {
		var r lifecycle.RunRecord
		if err := json.Unmarshal([]byte(text), &r); err != nil || r.ID != id || formatMajor(r.Format) != formatMajor(lifecycle.RunFormat) {
			continue
		}
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b lifecycle.RunRecord) int { return cmp.Compare(b.ID, a.ID) })
	return out
}

func formatMajor(format string) string {
	major, _, _ := strings.Cut(format, ".")
	return major
}
