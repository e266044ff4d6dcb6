package addons

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// secrets adds the Secrets that the addon needs and the repository does not hold. One that lacks a value here is left as the cluster has
// it; settleSecrets finds whether it does.
func (e *Engine) secrets(u *unit) {
	for _, s := range u.addon.Secrets {
		ref := lifecycle.ObjectRef{APIVersion: "v1", Kind: "Secret", Namespace: u.addon.Namespace, Name: s.Name}
		if len(s.Keys) == 0 {
			u.required = append(u.required, ref)
			continue
		}
		data, missing := map[string][]byte{}, false
		for _, key := range slices.Sorted(maps.Keys(s.Keys)) {
			value, here, err := e.Secret(s.Keys[key])
			switch {
			case err != nil:
				u.found = append(u.found, lifecycle.AsDiagnostics(err, fmt.Sprintf("the value of %s in Secret %s can't be read", key, s.Name))...)
			case !here:
				missing = true
			default:
				data[key] = value
			}
		}
		if missing {
			u.kept = append(u.kept, ref)
			continue
		}
		metadata := map[string]any{"name": s.Name, "namespace": u.addon.Namespace}
		if len(s.Labels) > 0 {
			metadata["labels"] = s.Labels
		}
		b, err := json.Marshal(map[string]any{"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": metadata, "data": data})
		if err != nil {
			u.found = append(u.found, lifecycle.AsDiagnostics(err, "Secret "+s.Name+" can't be made")...)
			continue
		}
		u.early = append(u.early, lifecycle.Object{ObjectRef: ref, JSON: b, Source: u.addon.Source})
	}
}

// settleSecrets looks for the Secrets that the cluster is to have already. notYet: there is no cluster that could.
func (e *Engine) settleSecrets(ctx context.Context, u *unit, notYet bool) error {
	wanted := slices.Concat(u.kept, u.required)
	if len(wanted) == 0 {
		return nil
	}
	var there []lifecycle.ObjectRef
	if !notYet {
		var err error
		if there, err = e.Cluster.Existing(ctx, wanted); err != nil {
			return err
		}
	}
	has := func(r lifecycle.ObjectRef) bool { return slices.ContainsFunc(there, r.Same) }
	for _, s := range u.addon.Secrets {
		ref := lifecycle.ObjectRef{APIVersion: "v1", Kind: "Secret", Namespace: u.addon.Namespace, Name: s.Name}
		at := subject(u.addon.Where("spec.secrets[name="+s.Name+"]"), u.name)
		switch {
		case !slices.ContainsFunc(wanted, ref.Same):
		case has(ref) && len(s.Keys) > 0:
			u.ignored = append(u.ignored, fmt.Sprintf("%s: stays as the cluster has it: %s", ref, strings.Join(u.absent(e, s), ", ")))
		case has(ref):
		case len(s.Keys) > 0:
			u.found = append(u.found, lifecycle.Errorf(at, "addon %s needs a secret that is not here", u.addon.Name).
				Because(fmt.Sprintf("%s: %s. The cluster does not have it either.", ref, strings.Join(u.absent(e, s), ", "))).
				Try("Let it be there where kiban runs (in GitLab: a masked variable of the project), then run the same command again."))
		case notYet:
			u.found = append(u.found, lifecycle.Warnf(at, "addon %s needs %s, which kiban does not make", u.addon.Name, ref).
				Because("There is no cluster yet that could have it.").
				Try("Make it as soon as the cluster is up, or give the Secret's keys a source (spec.secrets[].keys)."))
		default:
			u.found = append(u.found, lifecycle.Errorf(at, "addon %s needs %s, which the cluster does not have", u.addon.Name, ref).
				Because("It names no keys, so somebody else is to make it.").
				Try("Make it, or give its keys a source (spec.secrets[].keys)."))
		}
	}
	return nil
}

// absent are the sources of a Secret's values that are not here, each with its key.
func (u *unit) absent(e *Engine, s lifecycle.Secret) []string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(s.Keys)) {
		if _, here, err := e.Secret(s.Keys[key]); err == nil && !here {
			lack := "set"
			if s.Keys[key].File != "" {
				lack = "there"
			}
			out = append(out, fmt.Sprintf("%s comes from %s, which is not %s", key, s.Keys[key], lack))
		}
	}
	return out
}
