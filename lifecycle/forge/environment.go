package forge

import (
	"cmp"
	"slices"
	"strconv"

	"kiban.dev/kiban/lifecycle"
)

// Project is a project on a forge, and as whom the forge is spoken to.
type Project struct {
	lifecycle.ForgeServer
	// Name is a number or a path.
	Name string
}

// ProjectOf is the project that the pipeline runs in, as the environment tells; what it does not tell is empty.
func ProjectOf(getenv func(string) string) Project {
	return Project{
		ForgeServer: lifecycle.ForgeServer{
			URL:    getenv("CI_API_V4_URL"),
			CAFile: getenv("CI_SERVER_TLS_CA_FILE"),
			Token:  cmp.Or(getenv("KIBAN_GITLAB_TOKEN"), getenv("GITLAB_TOKEN")),
		},
		Name: getenv("CI_PROJECT_ID"),
	}
}

// MergeRequestAt is where a note goes, and as whom.
type MergeRequestAt struct {
	Project
	Number int64
	// Planned are the commits that the pipeline may be of; none: not known.
	Planned []string
}

// MergeRequestOf finds out from the environment where the note goes.
func MergeRequestOf(getenv func(string) string) (MergeRequestAt, error) {
	mr := MergeRequestAt{Project: ProjectOf(getenv)}
	mr.Name = cmp.Or(getenv("CI_MERGE_REQUEST_PROJECT_ID"), mr.Name) // a fork's pipeline runs elsewhere than its merge request is
	needs := []string{"CI_API_V4_URL", "CI_PROJECT_ID", "CI_MERGE_REQUEST_IID"}
	if mr.Name != "" {
		needs = slices.Delete(needs, 1, 2)
	}
	if name := unset(getenv, needs...); name != "" {
		return mr, lifecycle.Errorf("", "there is no merge request to write to").
			Because(name + " is not set: this is not a pipeline of a merge request.").
			Try("Restrict the job to them: rules: [{if: $CI_PIPELINE_SOURCE == \"merge_request_event\"}]. Elsewhere, --print shows the note.")
	}
	number := getenv("CI_MERGE_REQUEST_IID")
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n <= 0 {
		return mr, lifecycle.Errorf("CI_MERGE_REQUEST_IID", "the merge request's number is none").Because(strconv.Quote(number)).
			Try("GitLab sets it; take it out of the variables of the project.").From(err)
	}
	mr.Number = n
	// A pipeline of merged results runs on a commit of its own, made of the branch's head and the target.
	for _, name := range [...]string{"CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", "CI_COMMIT_SHA"} {
		if commit := getenv(name); commit != "" {
			mr.Planned = append(mr.Planned, commit)
		}
	}
	return mr, nil
}

// MergedCommitOf finds out from the environment which commit this is about, and where it is. brought is the commit that is carried out
// where that is an earlier one than the pipeline's; "" is the pipeline's.
func MergedCommitOf(brought string, getenv func(string) string) (Project, lifecycle.MergedCommit, error) {
	c := lifecycle.MergedCommit{Commit: getenv("CI_COMMIT_SHA"), Branch: getenv("CI_COMMIT_BRANCH")}
	if n, err := strconv.ParseInt(getenv("CI_PIPELINE_ID"), 10, 64); err == nil {
		c.Environment, c.Pipeline = getenv("CI_ENVIRONMENT_NAME"), n
	}
	if name := unset(getenv, "CI_API_V4_URL", "CI_PROJECT_ID", "CI_COMMIT_SHA", "CI_COMMIT_BRANCH"); name != "" {
		return Project{}, c, lifecycle.Errorf("", "there is no merged commit to ask about").
			Because(name + " is not set: this is not a pipeline of a branch.").
			Try("At a terminal, kiban apply shows its plan and asks; a plan that was saved runs with apply --plan.")
	}
	if brought != "" {
		c.Commit, c.Applies = brought, c.Commit
	}
	return ProjectOf(getenv), c, nil
}

// unset is the first variable of those that a verb needs which the environment does not set; "" when it sets all.
func unset(getenv func(string) string, names ...string) string {
	for _, name := range names {
		if getenv(name) == "" {
			return name
		}
	}
	return ""
}
