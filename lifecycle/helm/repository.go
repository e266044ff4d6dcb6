package helm

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	"sigs.k8s.io/yaml"

	"kiban.dev/kiban/lifecycle"
)

// index is what is needed of a chart repository's index.yaml.
type index struct {
	Entries map[string][]entry `json:"entries"`
}

type entry struct {
	Version string   `json:"version"`
	URLs    []string `json:"urls"`
	Digest  string   `json:"digest"`
	Removed bool     `json:"removed"`
}

// repository fetches a chart from a chart repository.
func (s *Store) repository(ctx context.Context, c lifecycle.Chart, pinned string) ([]byte, error) {
	idx, err := s.index(ctx, c.Repo)
	if err != nil {
		return nil, err
	}
	e, err := idx.pick(c)
	if err != nil {
		return nil, err
	}
	want := lifecycle.DigestFromHex(lifecycle.DigestHex(e.Digest)) // indexes have both forms
	if want != "" {
		if err := changed(pinned, want, "chart "+c.Name+" "+c.Version, c.Repo, ", says the repository's index"); err != nil {
			return nil, err
		}
	}
	content, err := s.download(ctx, c, e)
	if err != nil {
		return nil, err
	}
	if got := digest(content); want != "" && got != want {
		return nil, lifecycle.Errorf(c.Repo, "the chart is not what its repository's index says").
			Because(fmt.Sprintf("%s %s: the index says %s, the archive is %s", c.Name, c.Version, want, got)).
			Try("Tell whoever runs the repository; nothing was installed")
	}
	return content, nil
}

// download fetches an entry's archive from the first of its addresses that answers.
func (s *Store) download(ctx context.Context, c lifecycle.Chart, e entry) ([]byte, error) {
	base, err := url.Parse(strings.TrimSuffix(c.Repo, "/") + "/")
	if err != nil {
		return nil, err
	}
	var last error
	for _, raw := range e.URLs {
		u, err := base.Parse(raw)
		if err != nil {
			last = err
			continue
		}
		if u.RawQuery == "" {
			u.RawQuery = base.RawQuery
		}
		var content []byte
		if u.Scheme == "oci" {
			ref, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), ":")
			content, err = s.registry(ctx, "oci://"+u.Host+"/"+ref, c.Version)
		} else {
			content, err = s.web.get(ctx, u.String())
		}
		if err == nil {
			return content, nil
		}
		last = err
	}
	return nil, lifecycle.Errorf(c.Repo, "the chart's archive cannot be fetched").
		Because(fmt.Sprintf("%s %s: %v", c.Name, c.Version, cmp.Or(last, errNoAddress))).
		Try("Try again, or use another version").
		About("spec.chart.version").
		From(last)
}

var errNoAddress = fmt.Errorf("the repository's index names no address for it")

// index fetches a repository's index, once for all charts that several goroutines want of it at the same time.
func (s *Store) index(ctx context.Context, repo string) (index, error) {
	got, err, _ := s.once.Do("index "+repo, func() (any, error) {
		u, err := url.Parse(repo)
		if err != nil {
			return nil, err
		}
		content, err := s.web.get(ctx, u.JoinPath("index.yaml").String())
		if err != nil {
			d := lifecycle.Errorf(repo, "the chart repository cannot be read").
				Try("Check the network and the proxy settings, or carry the charts over with kiban bundle").
				About("spec.chart.repo").
				From(err)
			if code := status(err); code == http.StatusNotFound {
				d.Hint = "There is no index.yaml below that URL: correct repo in the addon"
			} else if code == http.StatusUnauthorized || code == http.StatusForbidden {
				d.Hint = "Repositories that want credentials are not supported; use a mirror, an oci:// registry or a folder"
			}
			return nil, d
		}
		var idx index
		if err := yaml.Unmarshal(content, &idx); err != nil {
			return nil, lifecycle.Errorf(repo, "the chart repository's index cannot be read").
				Try("The URL may lead to a web page in place of a repository: correct repo in the addon").
				About("spec.chart.repo").
				From(err)
		}
		return idx, nil
	})
	if err != nil {
		return index{}, err
	}
	return got.(index), nil
}

// pick finds the exact version of a chart.
func (x index) pick(c lifecycle.Chart) (entry, error) {
	all, ok := x.Entries[c.Name]
	if !ok {
		return entry{}, lifecycle.Errorf(c.Repo, "there is no chart %s in the repository", c.Name).
			Because(few("it has %s", similar(c.Name, x.Entries))).
			Try("Correct name or repo in the addon's chart").
			About("spec.chart.name")
	}
	var versions []string
	withdrawn := false
	for _, e := range all {
		same := strings.TrimPrefix(e.Version, "v") == strings.TrimPrefix(c.Version, "v")
		switch {
		case same && !e.Removed:
			return e, nil
		case same:
			withdrawn = true
		case !e.Removed:
			versions = append(versions, e.Version)
		}
	}
	d := noVersion(c, versions)
	if withdrawn {
		d.Summary = fmt.Sprintf("version %s of chart %s was withdrawn from the repository", c.Version, c.Name)
	}
	return entry{}, d
}

// noVersion is the error of a version that a repository, a registry or a folder does not have.
func noVersion(c lifecycle.Chart, versions []string) lifecycle.Diagnostic {
	return lifecycle.Errorf(c.Repo, "there is no version %s of chart %s", c.Version, c.Name).
		Because(few("the nearest are %s", nearest(c.Version, versions))).
		Try("Correct version in the addon's chart").
		About("spec.chart.version")
}

// nearest gives up to two versions on either side of the one that was asked for, the newest first.
func nearest(wanted string, versions []string) []string {
	var parsed []*semver.Version
	for _, raw := range versions {
		if v, err := semver.NewVersion(raw); err == nil {
			parsed = append(parsed, v)
		}
	}
	slices.SortFunc(parsed, func(a, b *semver.Version) int { return b.Compare(a) })
	from := 0
	if w, err := semver.NewVersion(wanted); err == nil {
		from = len(parsed)
		if i := slices.IndexFunc(parsed, func(v *semver.Version) bool { return v.LessThan(w) }); i >= 0 {
			from = i
		}
		from = max(0, from-2)
	}
	var near []string
	for _, v := range parsed[from:min(from+4, len(parsed))] {
		near = append(near, v.Original())
	}
	return near
}

// similar gives a few of a repository's charts, those that share most of the name first.
func similar(name string, entries map[string][]entry) []string {
	var names []string
	for n := range entries {
		names = append(names, n)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(alike(name, b), alike(name, a)), cmp.Compare(a, b)) })
	return names[:min(5, len(names))]
}

// alike says how much of a name another contains: the longest run of its letters.
func alike(name, other string) int {
	for n := len(name); n > 0; n-- {
		for i := 0; i+n <= len(name); i++ {
			if strings.Contains(other, name[i:i+n]) {
				return n
			}
		}
	}
	return 0
}

func few(form string, items []string) string {
	if len(items) == 0 {
		return fmt.Sprintf(form, "none")
	}
	return fmt.Sprintf(form, strings.Join(items, ", "))
}
