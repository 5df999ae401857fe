package admin

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/hookarr/hookarr/core/pluginhost"
)

// ProblemType is the media type of a Problem.
const ProblemType = "application/problem+json"

// Problem is what the API answers when it does not do what it was asked (RFC 9457). It
// never repeats a value of the request.
type Problem struct {
	Type   string `json:"type,omitempty" doc:"Reference of the kind of problem; about:blank says no more than status." example:"about:blank"`
	Title  string `json:"title" doc:"The status in words."`
	Status int    `json:"status" doc:"HTTP status."`
	Detail string `json:"detail,omitempty" doc:"What is wrong and what to do, in a sentence for people."`
	// Errors are the fields of the request that are wrong.
	Errors []FieldProblem `json:"errors,omitempty" doc:"The fields of the request that are wrong."`
	// Candidates are what an ambiguous id may mean.
	Candidates []string `json:"candidates,omitempty" doc:"What an ambiguous id may mean; at most 5."`
}

// FieldProblem is a field of a request and what is wrong with it.
type FieldProblem struct {
	Location string `json:"location,omitempty" doc:"Where the field is, such as body.expect_count."`
	Message  string `json:"message" doc:"What is wrong with it."`
}

// NewProblem returns a problem with the title of its status.
func NewProblem(status int, detail string) *Problem {
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail}
}

// Error returns the detail.
func (p *Problem) Error() string {
	if p.Detail == "" {
		return p.Title
	}
	return p.Detail
}

// GetStatus returns the status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is that of every problem.
func (*Problem) ContentType(string) string { return ProblemType }

// Write answers a request with the problem.
func (p *Problem) Write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", ProblemType)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}

// Explain makes a problem of an error of the service. With own the error is the server's,
// and for its log.
func (s *Service) Explain(err error) (p *Problem, own bool) {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p, false
	}
	switch {
	case errors.Is(err, pluginhost.ErrUnavailable):
		return NewProblem(http.StatusServiceUnavailable, err.Error()), false
	case errors.Is(err, pluginhost.ErrCrashed), errors.Is(err, pluginhost.ErrPluginBug):
		return NewProblem(http.StatusBadGateway, err.Error()), false
	case s.Outage != nil && s.Outage(err):
		return NewProblem(http.StatusServiceUnavailable, "the database does not answer: what was accepted is kept, and this works again once it does"), true
	}
	return NewProblem(http.StatusInternalServerError, "this failed; the server's log says why"), true
}
