package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"
)

// release is what a registry says of one version.
type release struct {
	version string
	age     time.Duration
}

const day = 24 * time.Hour

// world is what there is to take: releases by datasource and package, "helm metallb".
type world map[string][]release

// serve answers as GitHub, chart repositories and container registries do, on this machine only. What the world holds may be added before
// the first question.
func (w world) serve(now time.Time) *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/graphql", func(out http.ResponseWriter, in *http.Request) {
		var q struct{ Variables struct{ Owner, Name string } }
		if err := json.NewDecoder(in.Body).Decode(&q); err != nil {
			http.Error(out, err.Error(), http.StatusBadRequest)
			return
		}
		w.github(out, q.Variables.Owner+"/"+q.Variables.Name, now)
	})
	mux.HandleFunc("GET /helm/{chart}/index.yaml", func(out http.ResponseWriter, in *http.Request) {
		chart := in.PathValue("chart")
		fmt.Fprintf(out, "apiVersion: v1\nentries:\n  %s:\n", chart)
		for _, r := range w["helm "+chart] {
			fmt.Fprintf(out, "  - {name: %s, version: %q, created: %q, urls: [x.tgz]}\n", chart, r.version, now.Add(-r.age).Format(time.RFC3339))
		}
	})
	mux.HandleFunc("GET /api/v4/projects/{project}/repository/tags", func(out http.ResponseWriter, in *http.Request) {
		tags := []map[string]any{}
		for _, r := range w["gitlab-tags "+in.PathValue("project")] {
			tags = append(tags, map[string]any{"name": r.version,
				"commit": map[string]any{"id": r.version, "created_at": now.Add(-r.age).Format(time.RFC3339)}})
		}
		answer(out, tags)
	})
	mux.HandleFunc("GET /v2/{path...}", func(out http.ResponseWriter, in *http.Request) {
		name, tags := strings.CutSuffix(in.PathValue("path"), "/tags/list")
		list := []string{}
		for _, r := range w["docker "+name] {
			list = append(list, r.version)
		}
		switch {
		case in.PathValue("path") == "":
		case tags && len(list) > 0:
			answer(out, map[string]any{"name": name, "tags": list})
		default:
			http.NotFound(out, in)
		}
	})
	return httptest.NewServer(mux)
}

func (w world) github(out http.ResponseWriter, repo string, now time.Time) {
	nodes := []map[string]any{}
	for i, r := range w["github-releases "+repo] {
		nodes = append(nodes, map[string]any{"version": r.version, "releaseTimestamp": now.Add(-r.age).Format(time.RFC3339), "isDraft": false,
			"isPrerelease": strings.Contains(r.version, "-rc"), "url": "https://github.com/" + repo, "id": i, "name": r.version, "description": ""})
	}
	answer(out, map[string]any{"data": map[string]any{"repository": map[string]any{"isPrivate": false,
		"payload": map[string]any{"pageInfo": map[string]any{"hasNextPage": false, "endCursor": ""}, "nodes": nodes}}}})
}

func answer(out http.ResponseWriter, v any) {
	out.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(out).Encode(v) // whoever went away needs no answer
}

// job is the configuration that Renovate's job would have, pointing every registry to the mock.
func (w world) job(url string) string {
	rules := []map[string]any{{"matchDatasources": []string{"github-releases"}, "registryUrls": []string{url + "/"}},
		{"matchDatasources": []string{"docker"}, "registryUrls": []string{url}},
		{"matchDatasources": []string{"gitlab-tags"}, "registryUrls": []string{url}}}
	for name := range w {
		if chart, ok := strings.CutPrefix(name, "helm "); ok {
			rules = append(rules, map[string]any{"matchDatasources": []string{"helm"}, "matchDepNames": []string{chart},
				"registryUrls": []string{url + "/helm/" + chart + "/"}})
		}
	}
	b, _ := json.Marshal(map[string]any{"packageRules": rules, "hostRules": []map[string]any{
		{"matchHost": url + "/", "hostType": "github-releases", "token": "none"},
		{"matchHost": url + "/", "hostType": "docker", "insecureRegistry": true}}})
	return string(b)
}
