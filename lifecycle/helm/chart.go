package helm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"

	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"

	"kiban.dev/kiban/lifecycle"
)

// load reads an archive, and makes sure that it is the chart that was asked for.
func load(a Archive, c lifecycle.Chart) (*chart.Chart, error) {
	ch, err := loader.LoadArchive(bytes.NewReader(a.Bytes))
	if err != nil {
		return nil, unreadable(c, err)
	}
	if ch.Name() != c.Name || strings.TrimPrefix(ch.Metadata.Version, "v") != strings.TrimPrefix(c.Version, "v") {
		return nil, lifecycle.Errorf(c.Repo, "the archive holds another chart than was asked for").
			Because(fmt.Sprintf("%s %s was asked for, the archive holds %s %s", c.Name, c.Version, ch.Name(), ch.Metadata.Version)).
			Try("Tell whoever runs the repository; nothing was installed")
	}
	if ch.Metadata.Type == "library" {
		return nil, lifecycle.Errorf(c.Repo, "chart %s is a library, which cannot be installed", c.Name).Try("Name the chart that uses it")
	}
	return ch, nil
}

func unreadable(c lifecycle.Chart, err error) error {
	return lifecycle.Errorf(c.Repo, "chart %s %s cannot be read", c.Name, c.Version).
		Try("Chart.yaml or the archive is damaged: helm lint says more").
		From(err)
}

// enable settles which of a chart's dependencies the values enable, and makes sure that the archive holds them.
func enable(ch *chart.Chart, values map[string]any, c lifecycle.Chart) error {
	if err := chartutil.ProcessDependencies(ch, values); err != nil {
		return unreadable(c, err)
	}
	if missing := unvendored(ch); len(missing) > 0 {
		return lifecycle.Errorf(c.Repo, "the chart lacks charts that it depends on").
			Because(fmt.Sprintf("%s %s names %s, and its charts folder does not hold them", c.Name, c.Version, strings.Join(missing, ", "))).
			Try("Use the packaged chart, run helm dependency build in its folder, or disable them in the values")
	}
	return nil
}

// unvendored names the enabled dependencies that are not in the archive.
func unvendored(ch *chart.Chart) []string {
	there := map[string]bool{}
	var missing []string
	for _, d := range ch.Dependencies() {
		there[d.Name()] = true
		missing = append(missing, unvendored(d)...)
	}
	for _, r := range ch.Metadata.Dependencies {
		if !there[r.Name] {
			missing = append(missing, r.Name+" "+r.Version)
		}
	}
	return missing
}

// valuesOf are a chart's values as Helm takes them. They are read afresh each time, for Helm writes into them.
func valuesOf(c lifecycle.Chart) (map[string]any, error) {
	values := map[string]any{}
	if len(c.Values) == 0 {
		return values, nil
	}
	if err := json.Unmarshal(c.Values, &values); err != nil {
		return nil, fmt.Errorf("values of chart %s: %w", c.Name, err)
	}
	return values, nil
}

// capabilities are what the templates may ask of the cluster. The same go into a rendering and into an installation, so that what was shown
// is what is installed.
func capabilities(site lifecycle.Site, caps lifecycle.Capabilities) (*common.Capabilities, error) {
	out := common.DefaultCapabilities.Copy()
	version := caps.Kubernetes
	if version == "" && !site.Cluster.Version.IsZero() {
		version = site.Cluster.Version.Kubernetes()
	}
	if version != "" {
		parsed, err := common.ParseKubeVersion(version)
		if err != nil {
			return nil, fmt.Errorf("Kubernetes version %q: %w", version, err)
		}
		out.KubeVersion = *parsed
	}
	if len(caps.APIs) > 0 {
		out.APIVersions = common.VersionSet(caps.APIs)
	}
	return out, nil
}

// said bounds what a chart says of itself, for it is shown.
func said(text string) string { return lifecycle.Shorten(text, 200) }

// fits makes sure that the chart is made for the cluster's version.
func fits(ch *chart.Chart, caps *common.Capabilities, c lifecycle.Chart) error {
	want := ch.Metadata.KubeVersion
	if want == "" || chartutil.IsCompatibleRange(want, caps.KubeVersion.String()) {
		return nil
	}
	return lifecycle.Errorf(c.Repo, "chart %s %s is not made for Kubernetes %s", c.Name, c.Version, caps.KubeVersion.String()).
		Because("it wants " + want).
		Try("Use a version of the chart that fits, or upgrade the cluster first").
		About("spec.chart.version")
}
