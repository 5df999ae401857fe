package sdk

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Source turns verified inbound requests into events. Its methods are called
// concurrently. A Source that also implements io.Closer is closed once after its
// last call.
type Source interface {
	// Decode returns the event that a request reports. It is pure: the same
	// request gives the same event. The error is made by Skip when the request is
	// understood and no event is wanted, by Invalid when the request will never
	// decode; any other error means that decoding is worth another try.
	Decode(ctx context.Context, r Request) (Event, error)
}

// SourceFunc is a Source that is one function.
type SourceFunc func(ctx context.Context, r Request) (Event, error)

// Decode calls f.
func (f SourceFunc) Decode(ctx context.Context, r Request) (Event, error) { return f(ctx, r) }

// NewSource builds one configured instance. It does no network I/O, so that a
// configuration can be checked anywhere.
type NewSource[C any] func(ctx context.Context, env Env, config C) (Source, error)

// Request is an inbound request without its credentials: no signature,
// authorization or cookie headers.
type Request struct {
	// ID is the id of the event that the request becomes.
	ID         string
	Method     string
	Header     http.Header
	Query      url.Values
	Body       []byte
	ReceivedAt time.Time
}

// Historian is the power of FeatureHistory: it reads back from the application
// what happened while nobody listened. An error of this or another optional power
// that is errors.ErrUnsupported says that the instance is not configured for it.
type Historian interface {
	// History returns one page, oldest first. After an error the same page is asked
	// for again.
	History(ctx context.Context, q HistoryQuery) (HistoryPage, error)
}

// HistoryQuery asks for one page of the past.
type HistoryQuery struct {
	// Cursor is the last page's Cursor, or empty to begin at Since.
	Cursor string
	Since  time.Time
	// Until leaves younger records to a later call.
	Until time.Time
	Limit int
	// Renamed are renames of this time that are known, each once for every time that
	// it happened. They are to be left out: a history tells renames file by file, and
	// not which of them one webhook told together.
	Renamed []Rename
}

// HistoryPage is one page of the past.
type HistoryPage struct {
	Events []PastEvent
	// Cursor is where the next call goes on. With More it is not the one of the query.
	Cursor string
	More   bool
}

// PastEvent is an event with the application's record that it was made from. Its
// fingerprint is the one that its webhook has, and its time that of the record, by
// this machine's clock.
type PastEvent struct {
	Event  Event
	Record []byte
	// Key tells the record from all others of the history, and is the same at each
	// reading. It is the event's time when empty.
	Key string
}

// Fetcher is the power of FeatureFetch: it adds to an event what the
// application's webhooks leave out.
type Fetcher interface {
	// Fetch returns e with more in it, or e and an error, with which e goes out as it
	// is. What identifies e stays, whatever is returned.
	Fetch(ctx context.Context, e Event) (Event, error)
}

// Connector is the power of FeatureConnect: it manages the application's webhook
// through the application's own API.
type Connector interface {
	// Connect is idempotent. Trouble that a person can mend is in the result; an
	// error is for everything else.
	Connect(ctx context.Context, r ConnectRequest) (ConnectResult, error)
}

// ConnectAction is what Connect is to do.
type ConnectAction int

// The connect actions.
const (
	ConnectCheck ConnectAction = iota + 1
	ConnectApply
	ConnectRemove
	ConnectTest
)

// ConnectRequest describes the wanted connection.
type ConnectRequest struct {
	Action ConnectAction
	// URL is where the application should post to.
	URL string
	// Credentials are in order of preference.
	Credentials []Credential
}

// Credential is one way for an application to identify itself: basic when
// Username or Password is set, else a header.
type Credential struct {
	Username    string
	Password    Secret
	HeaderName  string
	HeaderValue Secret
}

// ConnectResult is the connection as it stands after the action.
type ConnectResult struct {
	Connected    bool
	Changes      []Change
	Problems     []string
	ConnectionID string
	AppName      string
	AppVersion   string
	// Credential is the index of the one in use.
	Credential int
}

// Change is one setting of a connection before and after, without secrets.
type Change struct {
	Field string `json:"field"`
	From  string `json:"from"`
	To    string `json:"to"`
}
