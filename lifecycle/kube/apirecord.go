package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kiban.dev/kiban/lifecycle"
)

// The ConfigMap in kube-system in which a cluster keeps which deprecated APIs its API servers were asked for before they restarted.
const (
	requestsName   = "kiban-api-requests"
	requestsKey    = "requests"
	requestsFormat = "1.0"
)

// keptRequests is the form in which requests are kept.
type keptRequests struct {
	Format   string                 `json:"format"`
	Requests []lifecycle.APIRequest `json:"requests"`
}

// KeptRequests gives what the cluster keeps of requests for deprecated APIs; none when it keeps nothing. An error where another kiban keeps
// it in a form of its own.
func (c *Client) KeptRequests(ctx context.Context) ([]lifecycle.APIRequest, error) {
	if err := c.connect(ctx); err != nil {
		return nil, err
	}
	data, err := c.configMapData(ctx, requestsName)
	if err != nil {
		return nil, err
	}
	return readKept(data)
}

// KeepRequests has the cluster keep what next makes of what it keeps. next may be called again, on top of what another writer has put there
// meanwhile.
func (c *Client) KeepRequests(ctx context.Context, next func(kept []lifecycle.APIRequest) []lifecycle.APIRequest) error {
	if err := c.connect(ctx); err != nil {
		return err
	}
	return c.keep(ctx, requestsName, func(data map[string]string) (map[string]string, error) {
		kept, err := readKept(data)
		if err != nil {
			return nil, err
		}
		made := next(kept)
		if len(made) == 0 && len(kept) == 0 {
			return data, nil
		}
		b, err := json.Marshal(keptRequests{Format: requestsFormat, Requests: made})
		if err != nil {
			return nil, fmt.Errorf("keep requests: %w", err)
		}
		out := maps.Clone(data)
		if out == nil {
			out = map[string]string{}
		}
		out[requestsKey] = string(b)
		return out, nil
	})
}

// readKept reads what is kept. What is no record at all is begun anew.
func readKept(data map[string]string) ([]lifecycle.APIRequest, error) {
	var kept keptRequests
	var form struct{ Format string }
	_ = json.Unmarshal([]byte(data[requestsKey]), &form)
	if form.Format != "" && !lifecycle.SameMajor(form.Format, requestsFormat) {
		return nil, lifecycle.Errorf(metav1.NamespaceSystem+"/"+requestsName, "another kiban keeps which APIs were asked for").
			Because(fmt.Sprintf("ConfigMap %s/%s has the format %q; this kiban knows %s.", metav1.NamespaceSystem, requestsName, form.Format,
				requestsFormat)).
			Try("Use the newer kiban. To begin anew with this one: kubectl -n kube-system delete configmap " + requestsName)
	}
	if err := json.Unmarshal([]byte(data[requestsKey]), &kept); err != nil {
		return nil, nil
	}
	return kept.Requests, nil
}
