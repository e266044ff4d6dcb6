package page

import (
	"net/url"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// Repository is where the fleet's repository is, for the links that open an editor there.
type Repository struct {
	// URL is the project's address at GitLab, "https://gitlab.example.com/group/fleet"; "" where none is known. Branch is what merge
	// requests
	// go into.
	URL, Branch string
}

// Validate is an error where the address is none that a page should lead to.
func (r Repository) Validate() error {
	if r.URL == "" {
		return nil
	}
	u, err := url.Parse(r.URL)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || secure(r.URL) == "" {
		return lifecycle.Errorf(r.URL, "this is no address of a project").
			Because("The pages lead there: it is an https address without credentials.").
			Try("Write --repository https://gitlab.example.com/group/project")
	}
	return nil
}

// edit opens a file of the repository in GitLab's editor, which makes a merge request of the change; "" where no repository is known.
func (r Repository) edit(file string) string { return r.to("edit", file) }

func (r Repository) to(verb, file string) string {
	if r.URL == "" {
		return ""
	}
	return strings.TrimSuffix(r.URL, "/") + "/-/" + verb + "/" + escapePath(r.Branch+"/"+file)
}

// create opens the editor with a new file. GitLab fills in the name; whether it fills in the content depends on its version, so whoever
// links there shows it, too.
func (r Repository) create(file, content, message string) string {
	if r.URL == "" {
		return ""
	}
	q := url.Values{"file_name": {file}, "content": {content}, "commit_message": {message}}
	return strings.TrimSuffix(r.URL, "/") + "/-/new/" + escapePath(r.Branch) + "?" + q.Encode()
}

// escapePath escapes each part of a path.
func escapePath(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.Join(parts, "/")
}

// proposal are the commands that make a merge request of a change at a terminal.
func (r Repository) proposal(branch, message string, change ...string) string {
	lines := append([]string{"git switch -c " + lifecycle.ShellWord(branch)}, change...)
	return strings.Join(append(lines, "git add -A && git commit -m "+lifecycle.ShellWord(message),
		"git push -o merge_request.create -u origin HEAD"), "\n")
}
