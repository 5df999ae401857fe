package deliver

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	_ "github.com/jackc/pgx/v5/stdlib" // a connection beside the store's
	"github.com/riverqueue/river"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/silence"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/core/store/postgres"
	"github.com/hookarr/hookarr/core/store/sqlite"
	"github.com/hookarr/hookarr/internal/testpg"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

func TestMain(m *testing.M) {
	// The Postgres that the tests share ends with the process.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/hookarr/hookarr/internal/testpg.(*Server).Start.func1"),
		goleak.IgnoreAnyFunction("os/exec.(*Cmd).Start.func2"))
}

// databases runs a test on each database.
func databases(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, "sqlite://"+filepath.Join(t.TempDir(), "hookarr.db"))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, testpg.New(t))
	})
}

// await is how long tests wait for what must come.
const await = time.Minute

// call is one attempt as the plugin host saw it.
type call struct {
	target   string
	delivery host.Delivery
	alone    bool
	// asked is the receipt that a question for proof was asked with; nil is an attempt.
	asked *sdk.Receipt
	final bool
}

// plugins is a plugin host whose answers are the test's.
type plugins struct {
	mu     sync.Mutex
	answer func(ctx context.Context, c call) host.Outcome
	calls  []call
	// down is closed when the plugins are up again; nil while they are up.
	down chan struct{}
	// asked counts the questions whether a plugin is up.
	asked int
}

// Ready is open while the plugins are down.
func (p *plugins) Ready(string) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	if p.down != nil {
		return p.down
	}
	up := make(chan struct{})
	close(up)
	return up
}

// set takes the plugins down or up.
func (p *plugins) set(up bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case up && p.down != nil:
		close(p.down)
		p.down = nil
	case !up && p.down == nil:
		p.down = make(chan struct{})
	}
}

func (p *plugins) isDown() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.down != nil
}

// givenUp reports a target as quarantined while the plugins are down.
func (p *plugins) givenUp(target string) Quarantine {
	return func() map[string]string {
		if p.isDown() {
			return map[string]string{target: "plugin chaos is quarantined"}
		}
		return map[string]string{}
	}
}

func (p *plugins) Deliver(ctx context.Context, target string, d host.Delivery, alone bool) host.Outcome {
	return p.call(ctx, call{target: target, delivery: d, alone: alone})
}

func (p *plugins) Verify(ctx context.Context, target string, d host.Delivery, accepted sdk.Receipt, final, alone bool) host.Outcome {
	return p.call(ctx, call{target: target, delivery: d, alone: alone, asked: &accepted, final: final})
}

func (p *plugins) call(ctx context.Context, c call) host.Outcome {
	p.mu.Lock()
	p.calls = append(p.calls, c)
	answer := p.answer
	p.mu.Unlock()
	if answer == nil {
		return host.Outcome{Class: sdk.ClassOK}
	}
	return answer(ctx, c)
}

func (p *plugins) Info(host.Kind, string) host.InstanceInfo {
	return host.InstanceInfo{NeedsOriginals: true}
}

func (p *plugins) answers(f func(ctx context.Context, c call) host.Outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = f
}

// of returns the attempts of a delivery, or all for uuid.Nil.
func (p *plugins) of(id uuid.UUID) []call {
	p.mu.Lock()
	defer p.mu.Unlock()
	var calls []call
	for _, c := range p.calls {
		if id == uuid.Nil || c.delivery.ID == id.String() {
			calls = append(calls, c)
		}
	}
	return calls
}

func always(class sdk.Class, message string) func(context.Context, call) host.Outcome {
	return func(context.Context, call) host.Outcome { return host.Outcome{Class: class, Message: message} }
}

// rig is the working half of a process: a database, its queue, workers and a keeper.
type rig struct {
	plan    *atomic.Pointer[Plan]
	t       *testing.T
	url     string
	node    string
	plugins *plugins
	// The following may be changed before start.
	targets     []Target
	sources     []string
	redecoder   Redecoder
	composer    Composer
	wrap        func(Store) Store
	wrapKept    func(KeeperStore) KeeperStore
	quarantine  Quarantine
	waitTimeout time.Duration
	log         *slog.Logger

	workers    *Workers
	silences   *silence.Silences
	store      *store.Store
	queue      store.Queue
	stopKeeper func()
}

// in is the rig for a subtest, which fails by itself.
func (r *rig) in(t *testing.T) *rig {
	t.Helper()
	c := *r
	c.t = t
	return &c
}

func testTarget(name string) Target {
	return Target{
		Name: name, Timeout: 20 * time.Second, Concurrency: 4, Described: true,
		Retry: config.Retry{Initial: 10 * time.Millisecond, Multiplier: 2, MaxInterval: 50 * time.Millisecond, MaxAge: time.Hour},
	}
}

// newRig opens and joins a database; nothing is worked before start.
func newRig(t *testing.T, url string) *rig {
	t.Helper()
	r := &rig{t: t, url: url, node: "node-" + event.NewID().String(), plugins: &plugins{}, targets: []Target{testTarget("ops")}, sources: []string{"radarr"}, waitTimeout: pluginTimeout, plan: &atomic.Pointer[Plan]{}}
	var err error
	log := slog.New(slog.DiscardHandler)
	r.log = log
	if path, ok := strings.CutPrefix(url, "sqlite://"); ok {
		r.store, err = sqlite.Open(t.Context(), path, log)
	} else {
		r.store, err = postgres.Open(t.Context(), url, log)
	}
	require.NoError(t, err)
	t.Cleanup(r.stop)
	require.NoError(t, r.store.Migrate(t.Context()))
	require.NoError(t, r.store.Join(t.Context(), r.node))
	return r
}

func (r *rig) start() {
	r.t.Helper()
	var worked Store = r.store
	var kept KeeperStore = r.store
	if r.wrap != nil {
		worked = r.wrap(r.store)
	}
	if r.wrapKept != nil {
		kept = r.wrapKept(r.store)
	}
	plan := NewPlan(r.targets, r.sources, nil)
	r.plan.Store(plan)
	r.silences = &silence.Silences{Store: r.store, MaxAge: func() time.Duration { return time.Hour }, Log: r.log}
	workers := New(Options{Store: worked, Deliverer: r.plugins, Redecoder: r.redecoder, Composer: r.composer, Silencer: r.silences, Plan: r.plan.Load, Log: r.log})
	workers.waitTimeout, r.workers = r.waitTimeout, workers
	registered := river.NewWorkers()
	require.NoError(r.t, workers.Register(registered))
	queue, err := r.store.OpenQueue(&river.Config{
		ID: r.node, Logger: slog.New(slog.DiscardHandler), Workers: registered, MaxAttempts: store.MaxAttempts,
		Queues: plan.Queues(river.QueueConfig{FetchCooldown: 5 * time.Millisecond, FetchPollInterval: 50 * time.Millisecond}),
	})
	require.NoError(r.t, err)
	require.NoError(r.t, queue.Start(context.WithoutCancel(r.t.Context())))
	r.queue = queue
	keeper := Keeper{Workers: workers, Store: kept, Node: r.node, Quarantine: r.quarantine, Tick: 50 * time.Millisecond, Retention: func() store.Retention {
		return store.Retention{Events: time.Hour, DeadLetters: time.Hour}
	}}
	ctx, stop := context.WithCancel(context.WithoutCancel(r.t.Context()))
	var running sync.WaitGroup
	running.Go(func() { keeper.Run(ctx) })
	r.stopKeeper = func() { stop(); running.Wait() }
}

// stop ends as a process that may not wait does. It may be called twice.
func (r *rig) stop() {
	if r.store == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), await)
	defer cancel()
	if r.queue != nil {
		require.NoError(r.t, r.queue.StopAndCancel(ctx))
		r.stopKeeper()
	}
	require.NoError(r.t, r.store.Leave(ctx, r.node))
	require.NoError(r.t, r.store.Close())
	r.store = nil
}

// accept stores an event with a delivery to each target and returns their ids.
func (r *rig) accept(targets ...string) []uuid.UUID {
	r.t.Helper()
	id := event.NewID()
	a := &store.Acceptance{Event: event.Event{
		ID: id, Source: "radarr", State: event.Routed, Origin: sdk.OriginWebhook, ReceivedAt: time.Now(), Type: sdk.TypeTest,
		Title: "A test", Request: event.Request{Method: "POST", Query: "a=1", Body: []byte("raw")},
	}}
	var err error
	a.Event.Normalized, err = json.Marshal(sdk.Event{ID: id.String(), Title: "A test"})
	require.NoError(r.t, err)
	var ids []uuid.UUID
	for _, target := range targets {
		d := event.Delivery{ID: event.NewID(), EventID: id, Target: target, Route: "everything"}
		a.Deliveries, ids = append(a.Deliveries, d), append(ids, d.ID)
	}
	_, err = r.store.Accept(r.t.Context(), a)
	require.NoError(r.t, err)
	return ids
}

// await waits until a delivery is in a state.
func (r *rig) await(id uuid.UUID, state event.DeliveryState) (event.Delivery, []event.Attempt) {
	r.t.Helper()
	var d event.Delivery
	var attempts []event.Attempt
	require.Eventually(r.t, func() bool {
		var err error
		d, attempts, err = r.store.FindDelivery(r.t.Context(), id)
		return err == nil && d.State == state
	}, await, 10*time.Millisecond, "delivery is not %s", state)
	return d, attempts
}

func (r *rig) awaitNoJobs() {
	r.t.Helper()
	require.Eventually(r.t, func() bool { return r.liveJobs() == 0 }, await, 10*time.Millisecond, "jobs are left")
}

func (r *rig) liveJobs() int {
	return r.count("SELECT count(*) FROM river_job WHERE state <> 'completed'")
}

// hasten makes every job due now.
func (r *rig) hasten() {
	r.t.Helper()
	r.exec("UPDATE river_job SET state = 'available', scheduled_at = created_at WHERE state IN ('available', 'scheduled')")
}

// earlier is the value of a time column, by this much earlier.
func (r *rig) earlier(column string, by time.Duration) string {
	if r.onSQLite() {
		return fmt.Sprintf("%s = %s - %d", column, column, by.Microseconds())
	}
	return fmt.Sprintf("%s = %s - interval '%d microseconds'", column, column, by.Microseconds())
}

func (r *rig) onSQLite() bool { return strings.HasPrefix(r.url, "sqlite://") }

func (r *rig) exec(statement string) int64 {
	r.t.Helper()
	db := r.open()
	defer func() { require.NoError(r.t, db.Close()) }()
	result, err := db.ExecContext(r.t.Context(), statement)
	require.NoError(r.t, err)
	n, err := result.RowsAffected()
	require.NoError(r.t, err)
	return n
}

func (r *rig) count(query string) int {
	r.t.Helper()
	db := r.open()
	defer func() { require.NoError(r.t, db.Close()) }()
	var n int
	require.NoError(r.t, db.QueryRowContext(r.t.Context(), query).Scan(&n))
	return n
}

func (r *rig) open() *sql.DB {
	r.t.Helper()
	driver, dsn := "pgx", r.url
	if path, ok := strings.CutPrefix(r.url, "sqlite://"); ok {
		driver, dsn = "sqlite", "file:"+path+"?_pragma=busy_timeout(60000)&_txlock=immediate"
	}
	db, err := sql.Open(driver, dsn)
	require.NoError(r.t, err)
	return db
}
