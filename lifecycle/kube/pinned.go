package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kiban.dev/kiban/lifecycle"
)

// The ConfigMap in kube-system in which a cluster keeps that its control plane acts as its former release.
const (
	pinnedName = "kiban-pinned"
	pinnedKey  = "pinned"
)

// Pinned gives what the cluster keeps of a control plane that is held back; the zero Pinned when it keeps nothing. What can't be read, or
// has another major format, is an error: it is not known to be nothing.
func (c *Client) Pinned(ctx context.Context) (lifecycle.Pinned, error) {
	if err := c.connect(ctx); err != nil {
		return lifecycle.Pinned{}, err
	}
	data, err := c.configMapData(ctx, pinnedName)
	if err != nil {
		return lifecycle.Pinned{}, err
	}
	return readPinned(data)
}

// KeepPinned has the cluster keep what next makes of what it keeps, and writes nothing where that is the same. next may be called again.
func (c *Client) KeepPinned(ctx context.Context, next func(prev lifecycle.Pinned) lifecycle.Pinned) error {
	if err := c.connect(ctx); err != nil {
		return err
	}
	return c.keep(ctx, pinnedName, func(data map[string]string) (map[string]string, error) {
		prev, err := readPinned(data)
		if err != nil {
			return nil, err
		}
		after := next(prev)
		if reflect.DeepEqual(after, prev) {
			return data, nil
		}
		b, err := json.Marshal(after)
		if err != nil {
			return nil, fmt.Errorf("keep the pin: %w", err)
		}
		out := maps.Clone(data)
		if out == nil {
			out = map[string]string{}
		}
		out[pinnedKey] = string(b)
		return out, nil
	})
}

func readPinned(data map[string]string) (lifecycle.Pinned, error) {
	text, there := data[pinnedKey]
	if !there {
		return lifecycle.Pinned{}, nil
	}
	var form struct{ Format string }
	if err := json.Unmarshal([]byte(text), &form); err != nil || !lifecycle.SameMajor(form.Format, lifecycle.PinnedFormat) {
		return lifecycle.Pinned{}, lifecycle.Errorf(metav1.NamespaceSystem+"/"+pinnedName, "what the cluster keeps of its pin can't be read").
			Because(fmt.Sprintf("ConfigMap %s/%s has the format %q; this kiban knows %s.", metav1.NamespaceSystem, pinnedName, form.Format,
				lifecycle.PinnedFormat)).
			Try("Use the kiban that wrote it.")
	}
	var p lifecycle.Pinned
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return lifecycle.Pinned{}, lifecycle.Errorf(metav1.NamespaceSystem+"/"+pinnedName, "what the cluster keeps of its pin can't be read").
			From(err).Try("See what has changed it: kubectl -n kube-system get configmap " + pinnedName + " -o yaml")
	}
	return p, nil
}

// builtIn selects the groups of the API that an API server itself has, and not those of definitions or of other servers.
const builtIn = "/apis/apiregistration.k8s.io/v1/apiservices?labelSelector=kube-aggregator.kubernetes.io%2Fautomanaged%3Donstart"

// Storage asks the API server of one host in which version it stores each of Kubernetes' own resources, as a hash, by
// its path: "apis/apps/v1/deployments". host "": the first that answers.
func (c *Client) Storage(ctx context.Context, host string) (map[string]string, error) {
	if err := c.connect(ctx); err != nil {
		return nil, err
	}
	err := fmt.Errorf("%s has no API server", host)
	for _, b := range c.servers {
		if host != "" && b.Host != host {
			continue
		}
		var hashes map[string]string
		if hashes, err = b.storage(ctx); err == nil {
			return hashes, nil
		}
	}
	return nil, err
}

func (b *backend) storage(ctx context.Context) (map[string]string, error) {
	ctx, cancel := lifecycle.Within(ctx, callTimeout, "no answer")
	defer cancel()
	var services struct {
		Items []struct {
			Spec struct{ Group, Version string }
		}
	}
	if err := b.ask(ctx, builtIn, &services); err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, s := range services.Items {
		path := "/apis/" + s.Spec.Group + "/" + s.Spec.Version
		if s.Spec.Group == "" {
			path = "/api/" + s.Spec.Version
		}
		var list metav1.APIResourceList
		if err := b.ask(ctx, path, &list); err != nil {
			return nil, err
		}
		for _, r := range list.APIResources {
			if r.StorageVersionHash != "" {
				out[strings.TrimPrefix(path, "/")+"/"+r.Name] = r.StorageVersionHash
			}
		}
	}
	if len(out) == 0 {
		return nil, errors.New("it does not say how it stores anything")
	}
	return out, nil
}

// ask reads one JSON answer.
func (b *backend) ask(ctx context.Context, path string, into any) error {
	code, body, err := b.get(ctx, path)
	switch {
	case err != nil:
		return lifecycle.InTime(ctx, err)
	case code != http.StatusOK:
		return fmt.Errorf("%s answers %d %s", path, code, http.StatusText(code))
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
