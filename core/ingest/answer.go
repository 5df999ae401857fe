package ingest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/google/uuid"
)

// answer is what a sender is told, and what is counted and logged about it.
type answer struct {
	status int
	id     uuid.UUID
	// problem is for the sender. As plain text it is logged by the Arr apps as it is.
	problem string
	plain   bool
	// reason is the label of a request that was not taken, and empty for one that was.
	reason string
	cause  error

	retryAfter string
	challenge  string
	allow      string
}

func stored(id uuid.UUID) answer {
	return answer{status: http.StatusAccepted, id: id}
}

func duplicate(id uuid.UUID) answer {
	return answer{status: http.StatusOK, id: id}
}

func rejected(status int, reason, problem string) answer {
	return answer{status: status, reason: reason, problem: problem}
}

// failedTest tells who pressed Test what is wrong; nothing is stored.
func failedTest(problem string) answer {
	return answer{status: http.StatusUnprocessableEntity, reason: "test", problem: problem, plain: true}
}

func unavailable(reason, problem string, cause error) answer {
	return answer{status: http.StatusServiceUnavailable, reason: reason, problem: problem, cause: cause, retryAfter: "5"}
}

func wrongMethod() answer {
	return answer{
		status: http.StatusMethodNotAllowed, reason: "method", plain: true, allow: "POST, PUT",
		problem: "This is where webhooks are sent by POST or PUT. Enter this URL in the webhook's settings of your application.",
	}
}

func (a answer) eventID() string {
	if a.id == uuid.Nil {
		return ""
	}
	return a.id.String()
}

// outcome is what the answer stands for, in a word.
func (a answer) outcome() string {
	switch {
	case a.reason != "":
		return a.reason
	case a.status == http.StatusOK:
		return "duplicate"
	default:
		return "stored"
	}
}

// write answers, with its length, so that it can be sent before the request is done with.
// Unless the body was read, the connection is closed: else the server would wait for the
// rest of the body before it answers.
func (a answer) write(w http.ResponseWriter, read bool) {
	h := w.Header()
	set := func(name, value string) {
		if value != "" {
			h.Set(name, value)
		}
	}
	set("Retry-After", a.retryAfter)
	set("WWW-Authenticate", a.challenge)
	set("Allow", a.allow)
	h.Set("X-Content-Type-Options", "nosniff")
	if !read {
		h.Set("Connection", "close")
	}
	var body bytes.Buffer
	if a.plain {
		h.Set("Content-Type", "text/plain; charset=utf-8")
		body.WriteString(a.problem + "\n")
	} else {
		h.Set("Content-Type", "application/json")
		_ = json.NewEncoder(&body).Encode(struct { // two texts cannot fail
			ID    string `json:"id,omitempty"`
			Error string `json:"error,omitempty"`
		}{a.eventID(), a.problem})
	}
	h.Set("Content-Length", strconv.Itoa(body.Len()))
	w.WriteHeader(a.status)
	_, _ = w.Write(body.Bytes()) // a sender that has gone cannot be told
}
