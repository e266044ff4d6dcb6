// Package gitlab speaks GitLab's REST API, through its official client, and writes child pipelines in its YAML.
package gitlab
