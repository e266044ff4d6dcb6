// Package gitlab speaks GitLab's REST API, through its official client.
package gitlab
