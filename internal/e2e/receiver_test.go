package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
)

// delivered is one request that a receiver took.
type delivered struct {
	ID     string // webhook-id
	Event  sdk.Event
	Raw    []byte
	Header http.Header
}

// receiver is an endpoint outside the process under test. It verifies signatures and
// remembers what it acknowledged.
type receiver struct {
	*httptest.Server
	mu    sync.Mutex
	taken []delivered
	// answer decides what a request gets; nil is 200.
	answer func(delivered) int
	forged int
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(r.serve))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) serve(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	d := delivered{ID: req.Header.Get("webhook-id"), Raw: body, Header: req.Header}
	var envelope struct {
		Data sdk.Event `json:"data"`
	}
	_ = json.Unmarshal(body, &envelope)
	d.Event = envelope.Data

	r.mu.Lock()
	if !genuine(req.Header, body) {
		r.forged++
	}
	answer := r.answer
	r.mu.Unlock()
	status := http.StatusOK
	if answer != nil {
		status = answer(d)
	}
	if status/100 == 2 {
		r.mu.Lock()
		r.taken = append(r.taken, d)
		r.mu.Unlock()
	}
	w.WriteHeader(status)
}

// genuine checks a Standard Webhooks signature without the code under test.
func genuine(h http.Header, body []byte) bool {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(targetSecret, "whsec_"))
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(h.Get("webhook-id") + "." + h.Get("webhook-timestamp") + "."))
	mac.Write(body)
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	return hmac.Equal([]byte(want), []byte(h.Get("webhook-signature")))
}

func (r *receiver) setAnswer(f func(delivered) int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = f
}

// all returns what was taken so far.
func (r *receiver) all() []delivered {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]delivered(nil), r.taken...)
}

// counts returns how often each event title was taken.
func (r *receiver) counts() map[string]int {
	counts := map[string]int{}
	for _, d := range r.all() {
		counts[d.Event.Title]++
	}
	return counts
}

func (r *receiver) forgeries() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.forged
}

func (r *receiver) await(t *testing.T, n int) []delivered {
	t.Helper()
	require.Eventually(t, func() bool { return len(r.all()) >= n }, waitTimeout, 10*time.Millisecond,
		"want %d deliveries", n)
	return r.all()
}
