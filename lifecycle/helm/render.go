package helm

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/engine"
	releaseutil "helm.sh/helm/v4/pkg/release/v1/util"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/bounded"
)

// Render says what an addon is for a cluster: its chart, rendered twice, or its manifests. No cluster is asked, so what a chart looks up in
// one is not there, as with `helm template`.
func (s *Store) Render(ctx context.Context, site lifecycle.Site, a lifecycle.Addon, caps lifecycle.Capabilities) (lifecycle.Rendering,
	error) {
	if a.Chart == nil {
		return s.manifests(ctx, site, a)
	}
	archive, err := s.Chart(ctx, site.Dir, *a.Chart, site.Pins)
	if err != nil {
		return lifecycle.Rendering{}, err
	}
	known, err := capabilities(site, caps)
	if err != nil {
		return lifecycle.Rendering{}, err
	}
	r, err := bounded.Do(ctx, "the rendering of addon "+a.Name, s.limits, func(ctx context.Context) (lifecycle.Rendering, error) {
		return steadily(ctx, archive, a, known)
	})
	return r, endless(err, a)
}

// steadily renders a chart twice, and marks what differs.
func steadily(ctx context.Context, archive Archive, a lifecycle.Addon, known *common.Capabilities) (lifecycle.Rendering, error) {
	// The second time is an upgrade: what a chart makes of that, or of the clock or of chance, differs between the two.
	first, err := template(ctx, archive, a, known, false)
	if err != nil {
		return lifecycle.Rendering{KubeVersion: first.KubeVersion, AppVersion: first.AppVersion}, about(err, a)
	}
	if err := nextSecond(ctx, first.chart); err != nil {
		return lifecycle.Rendering{}, err
	}
	second, err := template(ctx, archive, a, known, true)
	if err != nil {
		return lifecycle.Rendering{}, about(err, a)
	}
	first.Volatile = differences(first.Objects, second.Objects)
	first.Hooks = steady(first.hooks, second.hooks)
	first.Digest = archive.Digest
	return first.Rendering, nil
}

// rendered is a rendering and the chart it was made from.
type rendered struct {
	lifecycle.Rendering
	chart *chart.Chart
	hooks []hook
}

// template renders a chart once.
func template(ctx context.Context, archive Archive, a lifecycle.Addon, caps *common.Capabilities, upgrade bool) (rendered, error) {
	c := *a.Chart
	ch, err := load(archive, c)
	if err != nil {
		return rendered{}, err
	}
	contain(ch)
	values, err := valuesOf(c)
	if err != nil {
		return rendered{}, err
	}
	if err := enable(ch, values, c); err != nil {
		return rendered{}, err
	}
	if err := fits(ch, caps, c); err != nil {
		says := lifecycle.Rendering{KubeVersion: said(ch.Metadata.KubeVersion), AppVersion: said(ch.AppVersion())}
		return rendered{Rendering: says}, err
	}
	opts := common.ReleaseOptions{Name: releaseName(a), Namespace: a.Namespace, Revision: 1, IsInstall: !upgrade, IsUpgrade: upgrade}
	if upgrade {
		opts.Revision = 2
	}
	top, err := util.ToRenderValues(ch, values, opts, caps)
	if err != nil {
		return rendered{}, violations(err, a)
	}
	e := engine.Engine{CustomTemplateFuncs: functions()}
	files, err := e.RenderWithContext(ctx, ch, top)
	if err != nil {
		return rendered{}, lifecycle.Errorf(a.Source, "chart %s %s cannot be rendered with these values", c.Name, c.Version).
			Because(reason(err)).
			Try("Correct the addon's values; helm template says the same").
			About(valuesField("")).
			Hiding(err)
	}
	if err := ctx.Err(); err != nil {
		return rendered{}, err // templates have no end of their own, and what they made may be gigabytes
	}
	for name := range files {
		if strings.HasSuffix(name, "NOTES.txt") {
			delete(files, name) // words to the person who installs it
		}
	}
	hooks, sorted, err := releaseutil.SortManifests(files, caps.APIVersions, releaseutil.InstallOrder)
	if err != nil {
		return rendered{}, lifecycle.Errorf(a.Source, "chart %s %s renders to what is no YAML", c.Name, c.Version).
			Try("A value that breaks the template's quoting is the usual cause").
			About(valuesField("")).
			From(err)
	}
	out := rendered{chart: ch}
	out.KubeVersion, out.AppVersion = said(ch.Metadata.KubeVersion), said(ch.AppVersion())
	source := "chart " + archive.File
	for _, m := range sorted {
		objects, err := decode([]byte(m.Content), source)
		if err != nil {
			return rendered{}, err
		}
		out.Objects = append(out.Objects, objects...)
	}
	if out.Objects, err = owned(out.Objects, releaseName(a), a.Namespace); err != nil {
		return rendered{}, err
	}
	if out.CRDs, err = definitions(ch, source); err != nil {
		return rendered{}, err
	}
	if out.hooks, err = hooksOf(hooks, a.Namespace, source); err != nil {
		return rendered{}, err
	}
	out.Images = images(append(hooked(out.hooks), out.Objects...))
	return out, nil
}

// definitions are the objects of the crds folders of a chart and the charts in it.
func definitions(ch *chart.Chart, source string) ([]lifecycle.Object, error) {
	var out []lifecycle.Object
	for _, f := range ch.CRDObjects() {
		for _, doc := range documents(f.File.Data) {
			objects, err := decode(doc, source)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", f.Filename, err)
			}
			out = append(out, objects...)
		}
	}
	return out, nil
}

// documents splits a file of YAML documents as Helm does.
func documents(content []byte) [][]byte {
	split := releaseutil.SplitManifests(string(bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))))
	keys := make([]string, 0, len(split))
	for k := range split {
		keys = append(keys, k)
	}
	// manifest-2 before manifest-10
	slices.SortFunc(keys, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
	out := make([][]byte, 0, len(keys))
	for _, k := range keys {
		out = append(out, []byte(split[k]))
	}
	return out
}

func releaseName(a lifecycle.Addon) string { return cmp.Or(a.Chart.Release, a.Name) }

// about adds the addon to an error that does not name it.
func about(err error, a lifecycle.Addon) error {
	return fmt.Errorf("addon %s: %w", a.Name, err)
}

// reason shortens what the template engine says: the innermost message is the one that helps, the outer ones repeat file names.
func reason(err error) string {
	text := err.Error()
	if i := strings.LastIndex(text, "error calling fail: "); i >= 0 {
		return text[i+len("error calling fail: "):]
	}
	return text
}
