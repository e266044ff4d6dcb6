package kube

import (
	"net/http"
	"regexp"
)

// webhookNamed finds a webhook in what the API says when it could not ask it.
var webhookNamed = regexp.MustCompile(`failed calling webhook "([^"]+)"|conversion webhook for ([^:]*?),? failed`)

// noDryRun finds a webhook that may not be asked what it would do, because asking it has effects.
var noDryRun = regexp.MustCompile(`admission webhook "([^"]+)" does not support dry run`)

// notUp reports whether the API could not ask a webhook: one that does not answer, not one that refused.
func notUp(err error) bool {
	status, ok := statusOf(err)
	return ok && status.Code >= http.StatusInternalServerError && webhookNamed.MatchString(status.Message)
}

func couldNotBeJudged(err error) string { return "could not be judged: " + webhook(err) + " is not up" }

// webhook names the webhook that did not answer.
func webhook(err error) string {
	m := webhookNamed.FindStringSubmatch(err.Error())
	switch {
	case m == nil:
		return "a webhook"
	case m[1] != "":
		return "webhook " + m[1]
	}
	return "the conversion webhook for " + m[2]
}
