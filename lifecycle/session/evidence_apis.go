package session

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/helm"
	"kiban.dev/kiban/lifecycle/readiness"
)

// apis asks which versions of Kubernetes' API the site uses. Where there is no cluster yet, only what is declared tells.
func (w *world) apis(ctx context.Context, seen lifecycle.State, target lifecycle.Version) *lifecycle.APIEvidence {
	e := &lifecycle.APIEvidence{Declared: w.declaredAPIs(ctx, seen, target)}
	if seen.API.NotYet {
		return e
	}
	var all sync.WaitGroup
	all.Go(func() { e.Requests = w.api.APIRequests(ctx) })
	all.Go(func() { e.Kept = answer(w.api.KeptRequests(ctx)) })
	all.Go(func() {
		if w.machines.audit != nil {
			e.Calls = w.machines.audit(ctx)
		}
	})
	all.Go(func() { e.Writes = answer(w.api.APIWrites(ctx, readiness.Ending(readiness.ServedNow(seen), target))) })
	all.Go(func() { e.Releases = answer(w.releaseAPIs(ctx)) })
	all.Wait()
	return e
}

// unanswered is what is declared, and why nothing else is known of an API that does not answer. Audit logs are read where all controllers
// answered: those of one that hangs would be waited for in vain.
func (w *world) unanswered(ctx context.Context, seen lifecycle.State, target lifecycle.Version) *lifecycle.APIEvidence {
	why := seen.API.Unknown
	requests := lifecycle.Answer[[]lifecycle.APIRequest]{Unknown: why}
	e := &lifecycle.APIEvidence{Declared: w.declaredAPIs(ctx, seen, target),
		Requests: []lifecycle.From[[]lifecycle.APIRequest]{{Name: "the API", Answer: requests}}, Kept: requests,
		Writes: lifecycle.Answer[lifecycle.APIWrites]{Unknown: why}, Releases: lifecycle.Answer[lifecycle.ReleaseAPIs]{Unknown: why}}
	if w.machines.audit == nil {
		return e
	}
	for _, h := range w.site.Cluster.Hosts {
		if c, _ := seen.Host(h.Name); h.Role.IsController() && w.site.AuditLog(h) != "" && !c.Reached() {
			e.Calls = append(e.Calls, lifecycle.From[[]lifecycle.APICall]{Name: h.Name, Answer: lifecycle.Answer[[]lifecycle.APICall]{
				Unknown: "it did not answer"}})
		}
	}
	if len(e.Calls) == 0 {
		e.Calls = w.machines.audit(ctx)
	}
	return e
}

func answer[T any](value T, err error) lifecycle.Answer[T] {
	if err != nil {
		return lifecycle.Answer[T]{Unknown: lifecycle.InWords(err)}
	}
	return lifecycle.Answer[T]{Value: value}
}

// releaseAPIs reads Helm's records of all releases.
func (w *world) releaseAPIs(ctx context.Context) (lifecycle.ReleaseAPIs, error) {
	var versions []string
	for _, a := range readiness.APIs() {
		versions = append(versions, a.GroupVersion())
	}
	slices.Sort(versions)
	versions = slices.Compact(versions)
	var (
		out lifecycle.ReleaseAPIs
		mu  sync.Mutex
	)
	err := w.api.ReleaseRecords(ctx, func(namespace, name string, revision int, payload []byte) {
		rel, err := helm.RecordAPIs(payload, versions)
		mu.Lock()
		defer mu.Unlock()
		out.Looked++
		switch {
		case err != nil:
			out.Unread = append(out.Unread, lifecycle.Unseen{What: "what Helm release " + namespace + "/" + name + " is made of",
				Why: "its record can't be read: " + err.Error(), Remedy: "helm get manifest " + name + " --namespace " + namespace})
		case len(rel.Objects) > 0:
			rel.Namespace, rel.Name, rel.Revision = namespace, name, revision
			out.Releases = append(out.Releases, rel)
		}
	})
	slices.SortFunc(out.Releases, func(a, b lifecycle.ReleaseAPI) int {
		return slices.Compare([]string{a.Namespace, a.Name}, []string{b.Namespace, b.Name})
	})
	slices.SortFunc(out.Unread, func(a, b lifecycle.Unseen) int { return strings.Compare(a.What, b.What) })
	return out, err
}

// declaredAPIs are the declared objects whose APIs end some day: as the present version would have them rendered, for a plan applies units
// before it changes the version, and as the target would.
func (w *world) declaredAPIs(
	ctx context.Context, seen lifecycle.State, target lifecycle.Version,
) []lifecycle.From[[]lifecycle.DeclaredAPI] {
	now := seen.API.Capabilities
	if now.Kubernetes == "" {
		now = w.site.Capabilities()
	}
	then := lifecycle.Capabilities{Kubernetes: target.Kubernetes()}
	for _, api := range now.APIs {
		if version, kind, ok := cutKind(api); !ok || readiness.Serves(target, version, kind) {
			then.APIs = append(then.APIs, api)
		}
	}
	var out []lifecycle.From[[]lifecycle.DeclaredAPI]
	for turn, caps := range []lifecycle.Capabilities{now, then} {
		for _, unit := range w.units.Declared(ctx, caps) {
			i := slices.IndexFunc(out, func(o lifecycle.From[[]lifecycle.DeclaredAPI]) bool { return o.Name == unit.Name })
			if i < 0 {
				i, out = len(out), append(out, lifecycle.From[[]lifecycle.DeclaredAPI]{Name: unit.Name})
			}
			if unit.Unknown != "" {
				out[i].Unknown = unit.Unknown
				continue
			}
			for _, o := range ofTheseAPIs(unit.Value) {
				if !slices.Contains(out[i].Value, o) {
					o.Later = turn > 0
					out[i].Value = append(out[i].Value, o)
				}
			}
		}
	}
	return append(out, w.tenantFiles()...)
}

// cutKind parts "apps/v1/Deployment", and leaves "apps/v1" and "v1".
func cutKind(api string) (version, kind string, ok bool) {
	i := strings.LastIndexByte(api, '/')
	if i < 0 || i+1 == len(api) || api[i+1] < 'A' || api[i+1] > 'Z' {
		return "", "", false
	}
	return api[:i], api[i+1:], true
}

func ofTheseAPIs(objects []lifecycle.Object) []lifecycle.DeclaredAPI {
	var all []lifecycle.DeclaredAPI
	for _, o := range objects {
		all = append(all, lifecycle.DeclaredAPI{ObjectRef: o.ObjectRef, Source: o.Source})
	}
	all = readiness.OfTheseAPIs(all)
	for i := range all {
		at := slices.IndexFunc(objects, func(o lifecycle.Object) bool { return o.ObjectRef == all[i].ObjectRef && o.Source == all[i].Source })
		var meta struct {
			Metadata struct{ Labels map[string]string }
		}
		if json.Unmarshal(objects[at].JSON, &meta) == nil {
			all[i].Team = meta.Metadata.Labels["team"]
		}
	}
	return all
}

// mostFiles bounds how many files of a tenant's folders are read.
const mostFiles = 2000

// tenantFiles are the objects in the folders that tenants' applications are deployed from, where this repository has such folders. Files
// that are no manifests, such as templates, say nothing.
func (w *world) tenantFiles() []lifecycle.From[[]lifecycle.DeclaredAPI] {
	if w.fleet == "" {
		return nil
	}
	root, err := os.OpenRoot(w.fleet)
	if err != nil {
		return nil
	}
	defer func() { _ = root.Close() }()
	var out []lifecycle.From[[]lifecycle.DeclaredAPI]
	for _, t := range w.site.Tenants {
		one := lifecycle.From[[]lifecycle.DeclaredAPI]{Name: t.Unit()}
		for _, app := range t.Applications {
			found, err := scanFolders(root.FS(), app)
			if err != nil {
				one.Unknown = lifecycle.InWords(err)
			}
			one.Value = append(one.Value, found...)
		}
		if len(one.Value) > 0 || one.Unknown != "" {
			out = append(out, one)
		}
	}
	return out
}

// errManyFiles is the error of folders with more files than are read.
var errManyFiles = errors.New("its folders have more files than are read")

func scanFolders(root fs.FS, app lifecycle.TenantApplications) ([]lifecycle.DeclaredAPI, error) {
	folders, err := fs.Glob(root, strings.Trim(app.Path, "/"))
	if err != nil {
		return nil, nil // no pattern of folders
	}
	var out []lifecycle.DeclaredAPI
	files := 0
	for _, folder := range folders {
		err := fs.WalkDir(root, folder, func(path string, d fs.DirEntry, err error) error {
			ending := filepath.Ext(path)
			if err != nil || !d.Type().IsRegular() || (ending != ".yaml" && ending != ".yml") {
				return nil
			}
			if files++; files > mostFiles {
				return errManyFiles
			}
			content, err := fs.ReadFile(root, path)
			if err != nil {
				return nil
			}
			objects, err := readiness.Scan(path, content)
			if err != nil {
				return nil
			}
			for _, o := range readiness.OfTheseAPIs(objects) {
				if o.Namespace == "" {
					o.Namespace = app.Namespace
				}
				out = append(out, o)
			}
			return nil
		})
		if err != nil {
			return out, err
		}
	}
	return out, nil
}

// keepLimit bounds what is done before a restart so that requests are not forgotten: it is worth no more.
const keepLimit = 15 * time.Second

// keepRequests has the cluster keep which deprecated APIs a host's API server was asked for, before a restart forgets it.
func (w *world) keepRequests(ctx context.Context, host string) error {
	ctx, cancel := lifecycle.Within(ctx, keepLimit, "no answer")
	defer cancel()
	now, err := w.api.RequestsOf(ctx, host)
	if err != nil || len(now) == 0 {
		return err
	}
	return w.api.KeepRequests(ctx, func(kept []lifecycle.APIRequest) []lifecycle.APIRequest {
		return lifecycle.MergeRequests(kept, now, time.Now())
	})
}

// keepAllRequests is keepRequests of every API server, whenever the cluster keeps a look at it anyway: from two readings it can be told
// whether something was asked for in between. What can't be read or kept is told by the next look that asks.
func (w *world) keepAllRequests(ctx context.Context) {
	for _, h := range w.site.Cluster.Hosts {
		if h.Role.IsController() {
			if err := w.keepRequests(ctx, h.Name); err != nil {
				w.log.Debug("what its API server was asked for could not be kept", "host", h.Name, "error", err)
			}
		}
	}
}

// restarts reports whether a step stops the API server of a controller that runs, or may: what people do on a machine is not known.
func restarts(site lifecycle.Site, step lifecycle.Step) bool {
	h, declared := site.Cluster.Host(step.Target)
	if !declared || !h.Role.IsController() || step.Action.Enrols() {
		return false
	}
	return step.Action.StartsK0s() || slices.Contains([]lifecycle.Action{lifecycle.ActionReboot, lifecycle.ActionFiles, lifecycle.ActionRun,
		lifecycle.ActionAwait, lifecycle.ActionLeaveEtcd, lifecycle.ActionReset}, step.Action)
}
