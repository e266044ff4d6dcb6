package session

import (
	"bufio"
	"context"
	"fmt"
	"io"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/apply"
)

// WorkDone waits for Enter on in, for View.WorkDone. An interrupt that would otherwise let the step in hand finish (stop) ends the wait:
// the operator is the one who finishes it.
func WorkDone(in io.Reader, site string, stop <-chan struct{}) func(context.Context, lifecycle.Step) error {
	return func(ctx context.Context, step lifecycle.Step) error {
		line := make(chan error, 1)
		go func() {
			_, err := bufio.NewReader(in).ReadString('\n')
			line <- err
		}()
		why := lifecycle.Errorf(step.Target, "nobody has said that the work on it is done; it stays out of service").
			Try(fmt.Sprintf("To go on: kiban node maintain %s %s. To return it as it is: kiban node uncordon %s %s", site, step.Target, site,
				step.Target))
		select {
		case err := <-line:
			if err == nil {
				return nil
			}
			return why.Because("The terminal is gone.").From(err)
		case <-stop:
			return why.Hiding(apply.ErrInterrupted)
		case <-ctx.Done():
			return why.Hiding(ctx.Err())
		}
	}
}
