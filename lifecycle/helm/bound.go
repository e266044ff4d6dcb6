package helm

import (
	"context"
	"io"
	"net/http"
)

// bound is a transport whose requests end with a context, whatever context they are made with. Helm's SDK makes most of its requests with
// none, and goes on in the background when its caller gives up: with this, nothing is written after a run has ended.
type bound struct {
	ctx  context.Context // kept, for the SDK leaves no other way to end its requests
	next http.RoundTripper
}

// RoundTrip sends a request, unless the context has ended.
func (b bound) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := b.ctx.Err(); err != nil {
		return nil, context.Cause(b.ctx)
	}
	ctx, cancel := context.WithCancelCause(req.Context())
	stop := context.AfterFunc(b.ctx, func() { cancel(context.Cause(b.ctx)) })
	end := func() { stop(); cancel(nil) }
	resp, err := b.next.RoundTrip(req.WithContext(ctx))
	if err != nil {
		end()
		return nil, err
	}
	resp.Body = body{ReadCloser: resp.Body, end: end}
	return resp, nil
}

// body gives up the request's context once it is closed.
type body struct {
	io.ReadCloser
	end func()
}

func (b body) Close() error {
	defer b.end()
	return b.ReadCloser.Close()
}
