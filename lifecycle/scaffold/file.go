package scaffold

import "regexp"

// File is one file, by its slash-separated path below the folder that the files are for.
type File struct {
	Path    string
	Content []byte
}

var siteName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,51}[a-z0-9])?$`)

// SiteName reports whether a name can be a site's: a folder's, a label's, and the first part of its machines' names.
func SiteName(name string) bool { return siteName.MatchString(name) }
