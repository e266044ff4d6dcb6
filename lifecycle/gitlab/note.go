package gitlab

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"gitlab.com/gitlab-org/api/client-go"

	"kiban.dev/kiban/lifecycle"
)

// notesPerPage is the most that GitLab gives at once.
const notesPerPage = 100

// UpsertNote puts body on a merge request as the one note that begins with marker: it is updated in place when it is there, and written
// when it is not. A note of another author, such as one of a token that has been replaced, is left alone and another one written, which
// says that the other is not to be gone by: anybody may write one that begins with marker. Project is a number or a path, number the merge
// request's. Errors are Diagnostics.
func (c *Client) UpsertNote(ctx context.Context, project string, number int64, marker, body string) (lifecycle.NoteOutcome, error) {
	body = lifecycle.Harmless(body) // plans repeat what machines and clusters said
	for attempt := 0; ; attempt++ {
		outcome, err := c.upsert(ctx, project, number, marker, body)
		if err == nil {
			return outcome, nil
		}
		// A note that the server failed to answer for may have been written all the same: look again before it is written again.
		if attempt == retries || !unanswered(err) {
			return "", c.explain(ctx, err, project, number)
		}
		c.log.Debug("GitLab did not answer for a note; looking again", "error", err)
		select {
		case <-ctx.Done():
			return "", c.explain(ctx, lifecycle.WhyEnded(ctx), project, number)
		case <-time.After(pause(c.wait, longWait, attempt, nil)):
		}
	}
}

func (c *Client) upsert(ctx context.Context, project string, number int64, marker, body string) (lifecycle.NoteOutcome, error) {
	notes, err := c.marked(ctx, project, number, marker)
	if err != nil {
		return "", err
	}
	notes, others := c.ownNotes(ctx, notes)
	body = tellOfOthers(body, marker, others)
	for _, n := range notes {
		if same(n.Body, body) {
			return lifecycle.NoteSame, nil
		}
		_, _, err := c.api.Notes.UpdateMergeRequestNote(project, number, n.ID, &gitlab.UpdateMergeRequestNoteOptions{Body: &body},
			gitlab.WithContext(ctx))
		switch {
		case err == nil:
			return lifecycle.NoteUpdated, nil
		case status(err) == http.StatusForbidden, errors.Is(err, gitlab.ErrNotFound): // someone else's, or deleted meanwhile
		default:
			return "", err
		}
	}
	if _, _, err := c.api.Notes.CreateMergeRequestNote(project, number, &gitlab.CreateMergeRequestNoteOptions{Body: &body},
		gitlab.WithContext(ctx)); err != nil {
		return "", postError{err}
	}
	return lifecycle.NoteCreated, nil
}

// ownNotes are the notes that the token's user wrote, and who wrote the others. Where GitLab does not say who that is, all count as its
// own: those that may not be edited are left alone then.
func (c *Client) ownNotes(ctx context.Context, notes []*gitlab.Note) (own []*gitlab.Note, others []string) {
	if len(notes) == 0 {
		return nil, nil
	}
	me, _, err := c.api.Users.CurrentUser(gitlab.WithContext(ctx))
	if err != nil {
		c.log.Debug("GitLab does not say whose the token is", "error", err)
		return notes, nil
	}
	for _, n := range notes {
		if n.Author.ID == me.ID {
			own = append(own, n)
		} else if !slices.Contains(others, n.Author.Username) {
			others = append(others, n.Author.Username)
		}
	}
	slices.Sort(others)
	return own, others
}

// tellOfOthers adds to a note, behind its marker, that notes of others begin as it does.
func tellOfOthers(body, marker string, others []string) string {
	rest, marked := strings.CutPrefix(body, marker)
	if len(others) == 0 || !marked {
		return body
	}
	for i, name := range others {
		others[i] = lifecycle.Markdown(lifecycle.OneLine("@" + name))
	}
	return marker + "\n> ⚠️ **Go by this note alone.** Here is another that begins as kiban's do and is not this pipeline's: it is by " +
		lifecycle.Enumerate(others) + ". If that was no former token of kiban's, somebody forged it.\n" + rest
}

// marked are the notes that begin with marker, newest first.
func (c *Client) marked(ctx context.Context, project string, number int64, marker string) ([]*gitlab.Note, error) {
	opts := &gitlab.ListMergeRequestNotesOptions{ListOptions: gitlab.ListOptions{PerPage: notesPerPage}, Sort: gitlab.Ptr("desc"),
		OrderBy: gitlab.Ptr("created_at")}
	var out []*gitlab.Note
	for {
		page, resp, err := c.api.Notes.ListMergeRequestNotes(project, number, opts, gitlab.WithContext(ctx))
		if err != nil {
			return nil, err
		}
		for _, n := range page {
			if !n.System && strings.HasPrefix(n.Body, marker) {
				out = append(out, n)
			}
		}
		if resp.NextPage == 0 {
			return out, nil
		}
		opts.Page = resp.NextPage
	}
}

// same compares as GitLab keeps texts: it may end lines in its own way and drop space at the end.
func same(a, b string) bool {
	clean := func(s string) string { return strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n")) }
	return clean(a) == clean(b)
}
