package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/paths"
	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/core/route"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// Store is what the service reads. store.Store is one.
type Store interface {
	SearchEvents(ctx context.Context, f store.EventFilter) (store.EventPage, error)
	FindEventsByPrefix(ctx context.Context, prefix string, limit int) ([]uuid.UUID, error)
	FindEvent(ctx context.Context, id uuid.UUID) (event.Event, []event.Delivery, error)
	ListRepetitions(ctx context.Context, eventID uuid.UUID, limit int) ([]store.Repetition, error)
	SearchDeliveries(ctx context.Context, f store.DeliveryFilter) (store.DeliveryPage, error)
	FindDeliveriesByPrefix(ctx context.Context, prefix string, limit int) ([]uuid.UUID, error)
	FindDelivery(ctx context.Context, id uuid.UUID) (event.Delivery, []event.Attempt, error)
	LoadWork(ctx context.Context, delivery uuid.UUID) (store.Work, error)
	ListMembers(ctx context.Context, delivery uuid.UUID, limit int) ([]uuid.UUID, error)
	CountDeliveries(ctx context.Context) ([]store.DeliveryCount, error)
	ListTargets(ctx context.Context) ([]store.Target, time.Time, error)
	ReadNormalized(ctx context.Context, f store.EventFilter) ([][]byte, error)
	FindCursor(ctx context.Context, source string) (store.Cursor, error)
	FindSnapshot(ctx context.Context, source string) (store.Snapshot, error)
	LastSeen(ctx context.Context) ([]store.Seen, error)
	ListSessions(ctx context.Context) ([]store.Session, error)
	CountActivity(ctx context.Context, b store.Buckets) ([]store.Activity, error)
	TargetActivity(ctx context.Context, target string, b store.Buckets, limit int) ([]store.Activity, time.Time, error)
	OldestPending(ctx context.Context) ([]store.PendingSince, time.Time, error)
	PausesOf(ctx context.Context, source string) (store.Pauses, error)
	ListSilences(ctx context.Context, past time.Duration) ([]store.Silence, time.Time, error)
	FindAction(ctx context.Context, id uuid.UUID) (store.Action, error)
	ListActions(ctx context.Context, f store.ActionFilter) ([]store.Action, error)
	ActionsOf(ctx context.Context, eventID uuid.UUID, limit int) ([]store.EventAction, error)
}

// Settings are those that hold now, of a server or of a file. The values do not change; a
// reload brings others.
type Settings interface {
	Config() *config.Config
	Routes() *route.Table
}

// Reloader takes the configuration that is there now into use.
type Reloader interface {
	// Reload changes nothing with dryRun. An error that matches [*config.Error] refuses the
	// configuration as a whole.
	Reload(ctx context.Context, dryRun bool) (Reload, error)
}

// Reload is what a reload has changed, or would.
type Reload struct {
	Applied bool            `json:"applied" doc:"Whether the configuration that is there now is in use."`
	Changes []config.Change `json:"changes" nullable:"false" doc:"What differs; empty for nothing."`
	// Problems refuse the whole: the old configuration stays in use.
	Problems []config.Problem `json:"problems" nullable:"false" doc:"What refuses the configuration as a whole: the former one stays in use."`
	// NeedsRestart are keys that differ and cannot be changed while the server runs.
	NeedsRestart []string `json:"needs_restart" nullable:"false" doc:"Keys that differ and are taken into use at the next start."`
	// Warnings refuse nothing.
	Warnings []config.Problem `json:"warnings,omitempty" doc:"What is probably a mistake, and refuses nothing."`
}

// Plugins are those of a running server. pluginhost.Host is one.
type Plugins interface {
	Status() []pluginhost.Status
	// Reload runs the binary that is there now, if it is well.
	Reload(ctx context.Context, kind host.Kind, plugin string) error
}

// Decoder asks the sources' plugins. pluginhost.Host is one.
type Decoder interface {
	Decode(ctx context.Context, source string, r sdk.Request) (host.Decoded, error)
}

// Connector has a source's plugin look after its application's webhook. pluginhost.Host is
// one.
type Connector interface {
	Connect(ctx context.Context, source string, r sdk.ConnectRequest) (sdk.ConnectResult, error)
}

// Histories know what keeps the histories of sources from being read. catchup.Reader is
// one.
type Histories interface {
	Trouble(source string) (reason string, since time.Time)
}

// Trier asks the targets' plugins for what leaves no trace.
type Trier interface {
	// TestTarget has a target send its test, which may be a message that people see. The
	// error matches host.ErrUnsupported for a plugin that has none.
	TestTarget(ctx context.Context, target string) (Tested, error)
	// Preview returns what a target would send of a delivery, in the place of the message of
	// previous unless that is nil, and sends nothing. The error is like TestTarget's.
	Preview(ctx context.Context, target string, work store.Work, previous *sdk.Receipt) (Preview, error)
}

// Preview is what a target would send.
type Preview struct {
	Target      string      `json:"target"`
	Plugin      string      `json:"plugin,omitempty" doc:"The plugin that makes it."`
	Events      int         `json:"events,omitempty" doc:"How many events it tells."`
	Method      string      `json:"method,omitempty"`
	URL         string      `json:"url,omitempty" doc:"Where it would be sent, without secrets."`
	Headers     http.Header `json:"headers,omitempty" doc:"Without secrets."`
	ContentType string      `json:"content_type,omitempty" doc:"Media type of body."`
	Body        string      `json:"body" doc:"What would be sent, without secrets."`
	Truncated   bool        `json:"truncated,omitempty" doc:"The body is longer than this."`
	Fallback    string      `json:"fallback,omitempty" doc:"Why it is not as it was to be, such as a template that failed."`
}

// Service does what operators ask for. It may be used concurrently. Store and Settings are
// always there; the others need a running server, and are nil without one.
type Service struct {
	Store    Store
	Settings Settings
	// Operate changes rows.
	Operate Operator

	Reloader Reloader
	Plugins  Plugins
	Decoder  Decoder
	Trier    Trier
	Logs     Logs
	// Connector asks sources' applications for their webhooks.
	Connector Connector
	Histories Histories
	// Outage reports whether an error is the database's; nil knows none.
	Outage func(error) bool
	// Folders are asked of plugins, which may be done without a server too.
	Folders paths.Plugins
	// Choices are asked of plugins, which may be done without a server too.
	Choices OptionLister
	// Listens returns the address of the pages; nil is that of the settings.
	Listens func() string
	// KnownPaths is what the last look at the paths of targets found wrong, by target.
	KnownPaths func() map[string][]string
	// NotReloaded says why the last reload was refused; empty where it was not.
	NotReloaded func() string
	// LowSpace says how little space is left for the database; nil where there is enough.
	LowSpace func() *LowSpace
	// Program says what answers; the service adds the settings in use.
	Program Version

	minutes minutes
	// connections are what was found last, by source.
	connections sync.Map
}

// Version says what answers.
type Version struct {
	Version string `json:"version"`
	Go      string `json:"go"`
	// Commit and Node may be unknown.
	Commit string `json:"commit,omitempty"`
	Node   string `json:"node,omitempty" doc:"The process, where several share a database."`
	// Started is nil where no server runs.
	Started *time.Time `json:"started_at,omitempty" doc:"When the server started."`
	// Config is the file that the server runs, and ConfigHash tells what it holds, less the
	// secrets, from others.
	Config     string `json:"config,omitempty" doc:"The file that the server runs."`
	ConfigHash string `json:"config_hash,omitempty" doc:"Tells the settings in use, less the secrets, from others."`
	// FileHash is the same without Overruled.
	FileHash  string   `json:"file_hash,omitempty" doc:"Tells the same of what the file decides: without the keys of overruled."`
	Overruled []string `json:"overruled,omitempty" doc:"The keys that the environment and flags of the server set."`
}

// errNoServer answers what only a server can do.
var errNoServer = NewProblem(http.StatusServiceUnavailable, "this needs a running server: start hookarr serve")

func invalid(format string, args ...any) *Problem {
	return NewProblem(http.StatusUnprocessableEntity, fmt.Sprintf(format, args...))
}

func conflict(format string, args ...any) *Problem {
	return NewProblem(http.StatusConflict, fmt.Sprintf(format, args...))
}

func notFound(format string, args ...any) *Problem {
	return NewProblem(http.StatusNotFound, fmt.Sprintf(format, args...))
}

// missing is what a look-up says of an id that is not stored.
func missing(err error, what string, id uuid.UUID) error {
	if errors.Is(err, store.ErrNotFound) {
		return notFound("there is no %s %s", what, id)
	}
	return fmt.Errorf("find %s: %w", what, err)
}
