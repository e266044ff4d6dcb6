package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// What the trial's project is called, and who may speak for it. Tokens and addresses of this kind must never be seen in a job's log.
const (
	projectID   = "1217"
	projectPath = "platform/fleet"
	apiToken    = "glpat-trial-0123456789"
	reviewToken = "glpat-trial-review-0123456789" // may read, and nothing else
	hookSecret  = "T0/B0/trial-hook-secret"
)

// project is what GitLab keeps of one project: what pipelines write, and what the trial says that people and runners have done.
type project struct {
	mu        sync.Mutex
	url       string // of the server
	merges    []*mergeRequest
	pipelines []*pipelineRecord
	issues    []*issue
	deploys   []deployment
	told      []string // what the webhook was sent
	requests  []request
	faults    []fault
	lastID    int
}

type mergeRequest struct {
	ID           int        `json:"id"`
	IID          int        `json:"iid"`
	ProjectID    int        `json:"project_id"`
	Title        string     `json:"title"`
	State        string     `json:"state"`
	SourceBranch string     `json:"source_branch"`
	TargetBranch string     `json:"target_branch"`
	SHA          string     `json:"sha"`
	MergeCommit  *string    `json:"merge_commit_sha"`
	SquashCommit *string    `json:"squash_commit_sha"`
	WebURL       string     `json:"web_url"`
	Labels       []string   `json:"labels"`
	MergedAt     *time.Time `json:"merged_at"`
	MergeUser    *user      `json:"merge_user"`
	notes        []*note
	commits      []string // those that it brought
}

type user struct {
	ID       int    `json:"id"`
	Username string `json:"username"`
}

// Who does what in the trial's project: kiban's token is a user of its own.
func bot() user { return user{4, "project_1217_bot_kiban"} }
func ann() user { return user{2, "ann"} }
func bob() user { return user{3, "bob"} }

type note struct {
	ID        int       `json:"id"`
	Body      string    `json:"body"`
	Author    user      `json:"author"`
	System    bool      `json:"system"`
	CreatedAt time.Time `json:"created_at"`
	edits     int
}

type issue struct {
	ID          int      `json:"id"`
	IID         int      `json:"iid"`
	ProjectID   int      `json:"project_id"`
	Title       string   `json:"title"`
	Description string   `json:"description"`
	State       string   `json:"state"`
	Labels      []string `json:"labels"`
	WebURL      string   `json:"web_url"`
	notes       []*note
}

// pipelineRecord is a pipeline as the API shows it. A child has a parent, and the trigger job's name.
type pipelineRecord struct {
	ID        int       `json:"id"`
	IID       int       `json:"iid"`
	ProjectID int       `json:"project_id"`
	SHA       string    `json:"sha"`
	Ref       string    `json:"ref"`
	Status    string    `json:"status"`
	Source    string    `json:"source"`
	WebURL    string    `json:"web_url"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	merge     int       // of a merge request's pipeline, its number
	parent    int
	trigger   string
	jobs      []*jobRecord
}

type jobRecord struct {
	ID            int            `json:"id"`
	Name          string         `json:"name"`
	Stage         string         `json:"stage"`
	Status        string         `json:"status"`
	AllowFailure  bool           `json:"allow_failure"`
	WebURL        string         `json:"web_url"`
	CreatedAt     time.Time      `json:"created_at"`
	FinishedAt    *time.Time     `json:"finished_at"`
	ExpireAt      *time.Time     `json:"artifacts_expire_at"`
	ArtifactsFile *artifactsFile `json:"artifacts_file,omitempty"`
	artifacts     string         // the folder
	retried       bool           // a later try is listed in its place
}

type artifactsFile struct {
	Filename string `json:"filename"`
	Size     int    `json:"size"`
}

type deployment struct {
	ID          int    `json:"id"`
	IID         int    `json:"iid"`
	Ref         string `json:"ref"`
	SHA         string `json:"sha"`
	Status      string `json:"status"`
	Environment struct {
		Name string `json:"name"`
	} `json:"environment"`
	// Deployable is the job.
	Deployable struct {
		Name     string `json:"name"`
		Pipeline struct {
			ID  int    `json:"id"`
			SHA string `json:"sha"`
		} `json:"pipeline"`
	} `json:"deployable"`
}

// request is one that the server was sent. Refused ones were answered with a fault.
type request struct {
	Method, Path string
	Status       int
	Fault        bool
}

// fault is a failure on command: the next request like it is answered so.
type fault struct {
	method, part string
	status       int
	carriedOut   bool // the request is carried out all the same, as a server does that breaks off while it answers
}

func (p *project) id() int {
	p.lastID++
	return p.lastID
}

// fail has the next request of that method whose path holds part answered with a status.
func (p *project) fail(method, part string, status int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = append(p.faults, fault{method: method, part: part, status: status})
}

// pending are the faults that nothing has met yet.
func (p *project) pending() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.faults)
}

// open opens a merge request.
func (p *project) open(title, branch, sha string, commits []string) *mergeRequest {
	p.mu.Lock()
	defer p.mu.Unlock()
	iid := len(p.merges) + 1
	m := &mergeRequest{ID: p.id(), IID: iid, ProjectID: 1217, Title: title, State: "opened", SourceBranch: branch, TargetBranch: "main",
		SHA: sha, commits: commits,
		WebURL: fmt.Sprintf("%s/%s/-/merge_requests/%d", p.url, projectPath, iid), Labels: []string{}}
	p.merges = append(p.merges, m)
	return m
}

// merged says that a merge request was merged, by which commit.
func (p *project) merged(m *mergeRequest, commit string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now, who := time.Now(), ann()
	m.State, m.MergeCommit, m.MergedAt, m.MergeUser = "merged", &commit, &now, &who
	m.commits = append(m.commits, commit)
}

// begin records a pipeline that starts.
func (p *project) begin(r pipelineRecord) *pipelineRecord {
	p.mu.Lock()
	defer p.mu.Unlock()
	r.ID, r.ProjectID, r.Status = 5000+p.id(), 1217, "running"
	r.IID, r.WebURL = r.ID-5000, fmt.Sprintf("%s/%s/-/pipelines/%d", p.url, projectPath, r.ID)
	r.CreatedAt = time.Now()
	r.UpdatedAt = r.CreatedAt
	p.pipelines = append(p.pipelines, &r)
	return &r
}

// record keeps how a job ended, beside earlier tries, and what it left: GitLab's own copy of it.
func (p *project) record(r *pipelineRecord, j jobRecord, artifacts, keep string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	j.ID = p.id()
	j.WebURL = fmt.Sprintf("%s/%s/-/jobs/%d", p.url, projectPath, j.ID)
	now := time.Now()
	j.CreatedAt, j.FinishedAt = now, &now
	if files, err := os.ReadDir(artifacts); err == nil && len(files) > 0 {
		j.artifacts = filepath.Join(keep, fmt.Sprint(j.ID))
		if err := os.CopyFS(j.artifacts, os.DirFS(artifacts)); err != nil {
			return err
		}
		expire := now.Add(30 * 24 * time.Hour)
		j.ArtifactsFile, j.ExpireAt = &artifactsFile{"artifacts.zip", 1}, &expire
	}
	for _, old := range r.jobs {
		old.retried = old.retried || old.Name == j.Name
	}
	r.jobs = append(r.jobs, &j)
	return nil
}

func (p *project) end(r *pipelineRecord, status string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r.Status, r.UpdatedAt = status, time.Now()
}

// notesOf are copies of a merge request's notes.
func (p *project) notesOf(m *mergeRequest) []note {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []note
	for _, n := range m.notes {
		out = append(out, *n)
	}
	return out
}

// messages are what the webhook was sent since the first n.
func (p *project) messages(n int) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.told[n:])
}

// everything is every text that the project was sent.
func (p *project) everything() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := slices.Clone(p.told)
	var notes []*note
	for _, m := range p.merges {
		notes = append(notes, m.notes...)
	}
	for _, i := range p.issues {
		out, notes = append(out, i.Title, i.Description), append(notes, i.notes...)
	}
	for _, n := range notes {
		out = append(out, n.Body)
	}
	return out
}

// deployed keeps what a job with an environment has deployed.
func (p *project) deployed(r *pipelineRecord, job, environment, status string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d := deployment{ID: p.id(), IID: len(p.deploys) + 1, Ref: r.Ref, SHA: r.SHA, Status: status}
	d.Environment.Name, d.Deployable.Name = environment, job
	d.Deployable.Pipeline.ID, d.Deployable.Pipeline.SHA = r.ID, r.SHA
	p.deploys = append(p.deploys, d)
}

func (p *project) deployments() []deployment {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.deploys)
}
