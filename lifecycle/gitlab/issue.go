package gitlab

import (
	"context"
	"fmt"
	"strings"
	"time"

	"gitlab.com/gitlab-org/api/client-go"

	"kiban.dev/kiban/lifecycle"
)

// issueLabel is on every issue of kiban's.
const issueLabel = "kiban"

// notePages is how many pages of notes are looked through for one that was written before.
const notePages = 5

func siteMarker(site string) string { return "<!-- kiban:site:" + site + " -->" }
func toldMarker(key string) string  { return "<!-- kiban:told:" + key + " -->" }
func markedBody(t lifecycle.Telling) string {
	return lifecycle.Harmless(toldMarker(t.Key) + "\n" + t.Body)
}
func endMarker(body string) bool          { return strings.HasPrefix(body, "<!-- kiban:ends -->\n") }
func has(body string, marker string) bool { return strings.Contains(body, marker) }

// TellIssue tells a site's issue: there is one a site, found by a hidden marker among those with the label kiban. Did says what was done:
// "opened https://…/issues/7". It is "" when there was nothing to do: an issue is told what is amiss, and that it is over. Errors are
// Diagnostics.
func (c *Client) TellIssue(ctx context.Context, project string, t lifecycle.Telling) (did string, err error) {
	if !t.Amiss && !t.Ends {
		return "", nil
	}
	err = c.sure(ctx, func() (err error) {
		did, err = c.tellIssue(ctx, project, t)
		return err
	})
	if err != nil {
		return "", c.explainIssue(ctx, err, project)
	}
	return did, nil
}

// sure does something that looks first whether it is done, again while GitLab fails to say whether it was.
func (c *Client) sure(ctx context.Context, do func() error) error {
	for attempt := 0; ; attempt++ {
		err := do()
		if err == nil || attempt == retries || !unanswered(err) {
			return err
		}
		c.log.Debug("GitLab did not answer; looking again", "error", err)
		select {
		case <-ctx.Done():
			return lifecycle.WhyEnded(ctx)
		case <-time.After(pause(c.wait, longWait, attempt, nil)):
		}
	}
}

func (c *Client) tellIssue(ctx context.Context, project string, t lifecycle.Telling) (string, error) {
	issue, err := c.issueOf(ctx, project, t.Site)
	switch {
	case err != nil:
		return "", err
	case issue == nil && t.Ends:
		return "", nil
	case issue == nil:
		return c.openIssue(ctx, project, t)
	case issue.State == "closed" && t.Ends:
		return "", nil
	}
	written, err := c.onIssue(ctx, project, issue, t.Key)
	if err != nil {
		return "", err
	}
	if !written {
		body := markedBody(t)
		if t.Ends {
			body = "<!-- kiban:ends -->\n" + body
		}
		if _, _, err := c.api.Notes.CreateIssueNote(project, issue.IID, &gitlab.CreateIssueNoteOptions{Body: &body},
			gitlab.WithContext(ctx)); err != nil {
			return "", postError{err}
		}
	}
	did, event := "commented on", ""
	switch {
	case t.Ends:
		did, event = "closed", "close"
	case issue.State == "closed":
		did, event = "reopened", "reopen"
	case written:
		return "", nil
	}
	if event != "" {
		if _, _, err := c.api.Issues.UpdateIssue(project, issue.IID, &gitlab.UpdateIssueOptions{StateEvent: &event},
			gitlab.WithContext(ctx)); err != nil {
			return "", err
		}
	}
	return did + " " + issue.WebURL, nil
}

// issueOf is the site's issue, the oldest if there should be several; nil when there is none.
func (c *Client) issueOf(ctx context.Context, project, site string) (*gitlab.Issue, error) {
	opts := &gitlab.ListProjectIssuesOptions{ListOptions: gitlab.ListOptions{PerPage: notesPerPage}, Labels: &gitlab.LabelOptions{issueLabel},
		Scope:   gitlab.Ptr("all"),
		OrderBy: gitlab.Ptr("created_at"), Sort: gitlab.Ptr("asc")}
	for {
		page, resp, err := c.api.Issues.ListProjectIssues(project, opts, gitlab.WithContext(ctx))
		if err != nil {
			return nil, err
		}
		for _, i := range page {
			if strings.HasPrefix(i.Description, siteMarker(site)) {
				return i, nil
			}
		}
		if resp.NextPage == 0 {
			return nil, nil
		}
		opts.Page = resp.NextPage
	}
}

// openIssue makes a site's issue, with the message that gave rise to it.
func (c *Client) openIssue(ctx context.Context, project string, t lifecycle.Telling) (string, error) {
	title := "kiban: " + t.Site + " needs attention"
	body := siteMarker(t.Site) + "\n" + markedBody(t) +
		"\n\n<sub>kiban tells here what is amiss with this site, and closes the issue when it is over.</sub>"
	issue, _, err := c.api.Issues.CreateIssue(project,
		&gitlab.CreateIssueOptions{Title: &title, Description: &body, Labels: &gitlab.LabelOptions{issueLabel}}, gitlab.WithContext(ctx))
	if err != nil {
		return "", postError{err}
	}
	return "opened " + issue.WebURL, nil
}

// onIssue reports whether the message was written since what was amiss last came to its end.
func (c *Client) onIssue(ctx context.Context, project string, issue *gitlab.Issue, key string) (bool, error) {
	opts := &gitlab.ListIssueNotesOptions{ListOptions: gitlab.ListOptions{PerPage: notesPerPage}, Sort: gitlab.Ptr("desc"),
		OrderBy: gitlab.Ptr("created_at")}
	for range notePages {
		page, resp, err := c.api.Notes.ListIssueNotes(project, issue.IID, opts, gitlab.WithContext(ctx))
		if err != nil {
			return false, err
		}
		for _, n := range page {
			switch {
			case n.System:
			case has(n.Body, toldMarker(key)):
				return true, nil
			case endMarker(n.Body):
				return false, nil
			}
		}
		if resp.NextPage == 0 {
			return has(issue.Description, toldMarker(key)), nil
		}
		opts.Page = resp.NextPage
	}
	return false, nil
}

// TellNote tells the merge request that a commit came into a branch with. Where is its address; "" when the commit came with none. Errors
// are Diagnostics.
func (c *Client) TellNote(ctx context.Context, project, commit, branch string, t lifecycle.Telling) (where string, err error) {
	mr, err := c.mergedWith(ctx, project, commit, branch)
	if err != nil {
		return "", c.explainIssue(ctx, err, project)
	}
	if mr == nil {
		return "", nil
	}
	err = c.sure(ctx, func() error {
		there, err := c.marked(ctx, project, mr.IID, toldMarker(t.Key))
		if err != nil || len(there) > 0 {
			return err
		}
		body := markedBody(t)
		if _, _, err := c.api.Notes.CreateMergeRequestNote(project, mr.IID, &gitlab.CreateMergeRequestNoteOptions{Body: &body},
			gitlab.WithContext(ctx)); err != nil {
			return postError{err}
		}
		return nil
	})
	if err != nil {
		return "", c.explain(ctx, err, project, mr.IID)
	}
	return fmt.Sprintf("merge request !%d", mr.IID), nil
}
