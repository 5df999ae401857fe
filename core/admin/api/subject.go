package api

import (
	"bytes"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/hookarr/hookarr/core/admin"
)

const (
	// maxSubject is in bytes: what a source takes, and its escapes. As values of JSON it is
	// more than ten times that in memory.
	maxSubject = 32 << 20
	// maxQuestion is in bytes, for those who may give no body: the rest is names.
	maxQuestion = 64 << 10
	// subjectTimeout is how long a client may take to send it.
	subjectTimeout = 30 * time.Second
)

// subjects is the middleware of operations on an admin.Subject. Large ones take turns, so
// that the memory for one is enough for all of them.
func (a *api) subjects(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(subjectTimeout))
	head, err := io.ReadAll(io.LimitReader(r.Body, maxQuestion+1))
	if err != nil {
		admin.NewProblem(http.StatusBadRequest, "the body of the request did not come whole").Write(w)
		return
	}
	rest := r.Body
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(head), rest), rest}
	if len(head) <= maxQuestion {
		next(ctx)
		return
	}
	if !admin.PrincipalOf(ctx.Context()).May(operate) {
		admin.NewProblem(http.StatusRequestEntityTooLarge, "a question of this size is for the role operate: use a token that has it").Write(w)
		return
	}
	select {
	case a.turn <- struct{}{}:
		defer func() { <-a.turn }()
		next(ctx)
	case <-ctx.Context().Done():
	}
}
