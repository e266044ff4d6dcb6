package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kiban.dev/kiban/lifecycle"
)

// The ConfigMap in kube-system in which a cluster keeps how long it has run its versions, healthy.
const (
	soakName = "kiban-soak"
	soakKey  = "soak"
)

// Soak gives what the cluster keeps of how long it has run its versions; the zero Soak when it keeps nothing, or something of another major
// format.
func (c *Client) Soak(ctx context.Context) (lifecycle.Soak, error) {
	if err := c.connect(ctx); err != nil {
		return lifecycle.Soak{}, err
	}
	data, err := c.configMapData(ctx, soakName)
	if err != nil {
		return lifecycle.Soak{}, err
	}
	soak, _ := readSoak(data)
	return soak, nil
}

// KeepSoak has the cluster keep what next makes of what it keeps, and gives that. next may be called again, on top of what another writer
// has put there meanwhile. What has another major format is not written over.
func (c *Client) KeepSoak(ctx context.Context, next func(prev lifecycle.Soak) lifecycle.Soak) (lifecycle.Soak, error) {
	if err := c.connect(ctx); err != nil {
		return lifecycle.Soak{}, err
	}
	var soak lifecycle.Soak
	err := c.keep(ctx, soakName, func(data map[string]string) (map[string]string, error) {
		prev, foreign := readSoak(data)
		if foreign != "" {
			return nil, lifecycle.Errorf(metav1.NamespaceSystem+"/"+soakName, "another kiban keeps how long this cluster has run its versions").
				Because(fmt.Sprintf("ConfigMap %s/%s has the format %q; this kiban writes %s.",
					metav1.NamespaceSystem, soakName, foreign, lifecycle.SoakFormat)).
				Try("Use the newer kiban. To begin anew with this one: kubectl -n kube-system delete configmap " + soakName)
		}
		soak = next(prev)
		b, err := json.Marshal(soak)
		if err != nil {
			return nil, fmt.Errorf("keep soak: %w", err)
		}
		out := maps.Clone(data)
		if out == nil {
			out = map[string]string{}
		}
		out[soakKey] = string(b)
		return out, nil
	})
	return soak, err
}

// readSoak reads what is kept. foreign is its format when that is of another major; what is no record at all is begun anew.
func readSoak(data map[string]string) (soak lifecycle.Soak, foreign string) {
	var s lifecycle.Soak
	if err := json.Unmarshal([]byte(data[soakKey]), &s); err != nil {
		var form struct{ Format string }
		if json.Unmarshal([]byte(data[soakKey]), &form) != nil || lifecycle.SameMajor(form.Format, lifecycle.SoakFormat) {
			return lifecycle.Soak{}, ""
		}
		return lifecycle.Soak{}, form.Format
	}
	if s.Format != "" && !lifecycle.SameMajor(s.Format, lifecycle.SoakFormat) {
		return lifecycle.Soak{}, s.Format
	}
	return s, ""
}
