package main

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func (p *project) merge(r *http.Request) *mergeRequest {
	for _, m := range p.merges {
		if m.IID == number(r, "iid") {
			return m
		}
	}
	return nil
}

func (p *project) getMerge(w http.ResponseWriter, r *http.Request) {
	if m := p.merge(r); m != nil {
		answer(w, http.StatusOK, m)
		return
	}
	refuse(w, http.StatusNotFound, "404 Not found")
}

// approvals are who approved a merge request: bob, of every one.
func (p *project) approvals(w http.ResponseWriter, r *http.Request) {
	if p.merge(r) == nil {
		refuse(w, http.StatusNotFound, "404 Not found")
		return
	}
	answer(w, http.StatusOK, map[string]any{"approved_by": []map[string]any{{"user": bob()}}})
}

// mergesOfCommit are the merge requests that brought a commit, or that a commit merged.
func (p *project) mergesOfCommit(w http.ResponseWriter, r *http.Request) {
	var found []*mergeRequest
	for _, m := range p.merges {
		if slices.Contains(m.commits, r.PathValue("sha")) {
			found = append(found, m)
		}
	}
	page(w, r, found)
}

// pipelinesOfMerge are newest first, children not among them.
func (p *project) pipelinesOfMerge(w http.ResponseWriter, r *http.Request) {
	m := p.merge(r)
	if m == nil {
		refuse(w, http.StatusNotFound, "404 Not found")
		return
	}
	var found []*pipelineRecord
	for _, l := range slices.Backward(p.pipelines) {
		if l.merge == m.IID && l.parent == 0 {
			found = append(found, l)
		}
	}
	page(w, r, found)
}

// bridges are the trigger jobs of a pipeline, each with the child that it started.
func (p *project) bridges(w http.ResponseWriter, r *http.Request) {
	found := []map[string]any{}
	for _, child := range p.pipelines {
		if child.parent == number(r, "id") {
			found = append(found, map[string]any{"id": child.ID + 1000, "name": child.trigger, "status": child.Status, "stage": "sites",
				"downstream_pipeline": child})
		}
	}
	page(w, r, found)
}

func (p *project) jobs(w http.ResponseWriter, r *http.Request) {
	for _, l := range p.pipelines {
		if l.ID == number(r, "id") {
			page(w, r, slices.DeleteFunc(slices.Clone(l.jobs), func(j *jobRecord) bool {
				return j.retried && r.URL.Query().Get("include_retried") != "true"
			}))
			return
		}
	}
	refuse(w, http.StatusNotFound, "404 Not found")
}

// artifact is one file of what a job left.
func (p *project) artifact(w http.ResponseWriter, r *http.Request) {
	for _, l := range p.pipelines {
		for _, j := range l.jobs {
			if j.ID != number(r, "id") || j.artifacts == "" {
				continue
			}
			name := filepath.FromSlash(r.PathValue("path"))
			if b, err := os.ReadFile(filepath.Join(j.artifacts, name)); err == nil && filepath.IsLocal(name) {
				w.Header().Set("Content-Type", "application/octet-stream")
				_, _ = w.Write(b)
				return
			}
		}
	}
	refuse(w, http.StatusNotFound, "404 Not Found")
}

// withNotes finds the notes that a request is about: a merge request's or an issue's.
func (p *project) withNotes(next func(http.ResponseWriter, *http.Request, *[]*note)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if m := p.merge(r); m != nil {
			next(w, r, &m.notes)
		} else if i := p.issue(r); i != nil {
			next(w, r, &i.notes)
		} else {
			refuse(w, http.StatusNotFound, "404 Not found")
		}
	}
}

// listNotes gives the newest first, as GitLab does unless it is asked for another order.
func listNotes(w http.ResponseWriter, r *http.Request, notes *[]*note) {
	all := slices.Clone(*notes)
	if r.URL.Query().Get("sort") != "asc" {
		slices.Reverse(all)
	}
	page(w, r, all)
}

func (p *project) addNote(w http.ResponseWriter, r *http.Request, notes *[]*note) {
	body := fields(r)["body"]
	if body == "" {
		refuse(w, http.StatusBadRequest, "body is missing")
		return
	}
	n := newNote(p, body)
	*notes = append(*notes, n)
	answer(w, http.StatusCreated, n)
}

func editNote(w http.ResponseWriter, r *http.Request, notes *[]*note) {
	for _, n := range *notes {
		if n.ID == number(r, "note") {
			n.Body = fields(r)["body"]
			n.edits++
			answer(w, http.StatusOK, n)
			return
		}
	}
	refuse(w, http.StatusNotFound, "404 Not found")
}

func (p *project) issue(r *http.Request) *issue {
	for _, i := range p.issues {
		if i.IID == number(r, "issue") {
			return i
		}
	}
	return nil
}

func (p *project) listIssues(w http.ResponseWriter, r *http.Request) {
	var found []*issue
	q := r.URL.Query()
	for _, i := range slices.Backward(p.issues) {
		if state := q.Get("state"); state != "" && state != "all" && state != i.State {
			continue
		}
		if label := q.Get("labels"); label != "" && !slices.Contains(i.Labels, label) {
			continue
		}
		found = append(found, i)
	}
	page(w, r, found)
}

func (p *project) addIssue(w http.ResponseWriter, r *http.Request) {
	said := fields(r)
	i := &issue{ID: p.id(), IID: len(p.issues) + 1, ProjectID: 1217, Title: said["title"], Description: said["description"], State: "opened",
		Labels: strings.Split(said["labels"], ",")}
	p.issues = append(p.issues, i)
	answer(w, http.StatusCreated, i)
}

func (p *project) getIssue(w http.ResponseWriter, r *http.Request) {
	if i := p.issue(r); i != nil {
		answer(w, http.StatusOK, i)
		return
	}
	refuse(w, http.StatusNotFound, "404 Not found")
}

func (p *project) editIssue(w http.ResponseWriter, r *http.Request) {
	i := p.issue(r)
	if i == nil {
		refuse(w, http.StatusNotFound, "404 Not found")
		return
	}
	said := fields(r)
	switch said["state_event"] {
	case "close":
		i.State = "closed"
	case "reopen":
		i.State = "opened"
	}
	if d, ok := said["description"]; ok {
		i.Description = d
	}
	answer(w, http.StatusOK, i)
}
