package site

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle/site/overlay"
)

var (
	loginInURL  = regexp.MustCompile(`://[^/@\s"]*:[^/@\s"]+@`)
	loginBefore = regexp.MustCompile(`^[^/\s:@]+:[^/\s:@]+@[^@\s]+$`)
	loginOption = regexp.MustCompile(`(^|\s)(-u|--user)[ =]\S+:[^\s$]`)
	secretLine  = regexp.MustCompile(`(?im)^\s*-?\s*"?[a-z0-9_.-]*(password|passwd|secret|token|api_?key|access_?key|private_?key)"?` +
		`\s*[:=]\s*["']?[^\s"'{$|>&*!\[]`)
	secretValue = regexp.MustCompile(`(?i)"[a-z0-9_.-]*(password|passwd|secret|token|api_?key|access_?key|private_?key)"\s*:\s*"[^"$]`)
	secretFlag  = regexp.MustCompile(`(?i)(^|[\s"'=])(--?|[a-z_]*_)?[a-z0-9-]*(password|passwd|secret|api-?key|bearer-?token)=[^/\s$"']`)
	refers      = regexp.MustCompile(`(?i)^[\s"-]*existing`) // existingSecret: the name of one that is elsewhere
	privateKey  = regexp.MustCompile(`-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY( BLOCK)?-----`)
)

// givesAway reports whether a text that may be anything has something in it that gives somebody access: a private key, a login, a field or
// an option with a secret's name and a value.
func givesAway(text string) bool {
	for _, form := range []*regexp.Regexp{loginInURL, loginBefore, loginOption, secretFlag, privateKey} {
		if form.MatchString(text) {
			return true
		}
	}
	fields := secretValue.FindAllString(text, -1)
	if strings.Contains(text, "\n") {
		fields = append(fields, secretLine.FindAllString(text, -1)...)
	}
	return slices.ContainsFunc(fields, func(f string) bool { return !refers.MatchString(f) })
}

// checkHostSecrets doubts what hosts are given that gives somebody access: variables, the content of files, commands of hooks, arguments.
func checkHostSecrets(doc *yaml.Node) []finding {
	var found []finding
	for _, h := range overlay.Items(overlay.Field(doc, "spec", "hosts")) {
		name := overlay.Text(overlay.Field(h, "hostname"))
		doubt := func(n *yaml.Node, at []string) {
			switch {
			case at[0] == "environment" && secretName.MatchString(at[len(at)-1]): // checkEnvironment says it
			case givesAway(n.Value):
				found = append(found, doubtful(hostPlace(name, at...), fmt.Sprintf("%s of host %s seems to hold a secret", overlay.Dotted(at), name),
					"It is in the repository, and whoever reads it there has the same access.",
					"Keep it out of the repository: spec.files of the Site takes the content of a file from a variable of the job."))
			}
		}
		for _, field := range []string{"environment", "files", "hooks", "installFlags"} {
			overlay.EachScalar(overlay.Field(h, field), []string{field}, doubt)
		}
	}
	return found
}
