package app

import (
	"net/http"
	"time"
)

// pacedPart is how much of an answer has to be taken within one time-out, in bytes.
const pacedPart = 64 << 10

// paced writes an answer as long as its reader takes one part after the other, each within a
// time: who reads nothing would keep it in memory.
type paced struct {
	http.ResponseWriter
	within time.Duration
}

// Write ends with the first part that is not taken in time.
func (p paced) Write(answer []byte) (n int, err error) {
	control := http.NewResponseController(p.ResponseWriter)
	for {
		part := answer[n:min(n+pacedPart, len(answer))]
		_ = control.SetWriteDeadline(time.Now().Add(p.within))
		written, err := p.ResponseWriter.Write(part)
		n += written
		if err != nil || n == len(answer) {
			return n, err
		}
	}
}

// Unwrap is for http.ResponseController.
func (p paced) Unwrap() http.ResponseWriter { return p.ResponseWriter }
