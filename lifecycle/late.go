package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Within is a context that ends after a time, and says in words what did not come by then: "no answer within 20s". A wait without words
// would tell an operator that a deadline was exceeded, and neither whose nor which.
func Within(ctx context.Context, limit time.Duration, what string) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, limit, late{fmt.Errorf("%s within %s", what, limit)})
}

// WhyEnded is why a context ended, as ctx.Err, but for one that ran out of time: of that it says what did not come, and within which time.
// errors.Is holds it for context.DeadlineExceeded all the same. Nil while it has not ended.
func WhyEnded(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if err == context.DeadlineExceeded && cause != err {
		return late{cause}
	}
	return err
}

// Refused is why a step was ended because its run may act no more: whoever keeps the site's lock gives a Diagnostic as the cause of the
// step's context (lock.Fence.Guard), and nobody else does.
func Refused(ctx context.Context) (Diagnostic, bool) {
	return errors.AsType[Diagnostic](context.Cause(ctx))
}

// InTime is an error of something that was done with a context. Where that ran out of time, the words are those of WhyEnded.
func InTime(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != context.DeadlineExceeded {
		return err
	}
	why, text := WhyEnded(ctx), err.Error()
	if !strings.Contains(text, context.DeadlineExceeded.Error()) && !errors.Is(err, context.Cause(ctx)) {
		return err // it says something else
	}
	return reworded{why, err, strings.ReplaceAll(text, context.DeadlineExceeded.Error(), why.Error())}
}

// late is what did not come in time.
type late struct{ error }

func (l late) Unwrap() error   { return l.error }
func (late) Is(err error) bool { return err == context.DeadlineExceeded }
func (late) Timeout() bool     { return true }

// reworded is an error in other words: it is both of its errors, and its innermost is why.
type reworded struct {
	why, err error
	text     string
}

func (r reworded) Error() string      { return r.text }
func (r reworded) Unwrap() error      { return r.why }
func (r reworded) Is(err error) bool  { return errors.Is(r.err, err) }
func (r reworded) As(target any) bool { return errors.As(r.err, target) }

// InWords is an error's text for people: of a wait that nobody gave words, that no answer came.
func InWords(err error) string {
	return rawDeadline.ReplaceAllString(err.Error(), "no answer came in time")
}

// rawDeadline is how libraries tell that they waited in vain, net/http with more of its own.
var rawDeadline = regexp.MustCompile(`context deadline exceeded( \(Client\.Timeout [a-z ]*\))?`)
