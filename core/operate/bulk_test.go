package operate_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/operate"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

// childEnv has the test binary run the action that it names, URL and id, as a process of
// its own.
const childEnv = "HOOKARR_TEST_OPERATE"

func TestMain(m *testing.M) {
	if child := os.Getenv(childEnv); child != "" {
		if err := runChild(child); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func runChild(child string) error {
	url, id, _ := strings.Cut(child, " ")
	s, err := openStore(context.Background(), url)
	if err != nil {
		return err
	}
	o := operate.Options{
		Store: &doomed{Store: s}, Targets: func() []string { return []string{"archive"} }, Log: slog.New(slog.DiscardHandler), Pause: 20 * time.Millisecond,
	}
	_, err = operate.New(o).Run(context.Background(), uuid.MustParse(id))
	return err
}

// doomed is a store on which no action comes to its end, however late its process is killed.
type doomed struct {
	operate.Store
	steps int
}

func (d *doomed) Operate(ctx context.Context, step *store.Step) (map[uuid.UUID]string, error) {
	skipped, err := d.Store.Operate(ctx, step)
	if d.steps++; d.steps == 3 {
		time.Sleep(time.Hour)
	}
	return skipped, err
}

// many accepts events at once, each with a delivery to the targets in a state.
func (b *bench) many(t *testing.T, n int, state event.DeliveryState, targets ...string) []event.Event {
	t.Helper()
	events := make([]event.Event, n)
	var wg sync.WaitGroup
	for part := range 50 {
		wg.Go(func() {
			for i := part; i < n; i += 50 {
				var deliveries []event.Delivery
				events[i], deliveries = b.accept(t, nil, targets...)
				for _, d := range deliveries {
					if state != event.Pending {
						b.settle(t, d.ID, state)
					}
				}
			}
		})
	}
	wg.Wait()
	return events
}

// kill runs an action in a process that is killed once it has done some of it.
func (b *bench) kill(t *testing.T, id uuid.UUID, some int) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), childEnv+"="+b.url+" "+id.String())
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	for {
		a, err := b.Action(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, store.ActionRunning, a.State, a.Error)
		if a.Done >= some {
			break
		}
		time.Sleep(time.Millisecond)
	}
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
}

// TestKilledRetryGoesOn retries 1,000 dead letters by a filter, in a process that is killed
// in the middle: each is retried once.
func TestKilledRetryGoesOn(t *testing.T) {
	t.Parallel()

	onEach(t, func(t *testing.T, b *bench) {
		ctx, n := t.Context(), 1000
		events := b.many(t, n, event.Dead, "ops")
		other, _ := b.accept(t, nil, "chat")
		a, err := b.Begin(ctx, root, operate.Bulk{What: store.ActionRetry, Deliveries: &store.DeliveryFilter{Target: "ops"}, ExpectCount: &n})
		require.NoError(t, err)
		require.Equal(t, n, a.Matched)
		later := b.many(t, 3, event.Dead, "ops")
		b.kill(t, a.ID, 200)
		a, err = b.Action(ctx, a.ID)
		require.NoError(t, err)
		require.Less(t, a.Done, n)
		// Two at once do each page once.
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				ended, err := b.Run(ctx, a.ID)
				if err != nil || ended.State != store.ActionDone || ended.Done != n || ended.Skipped != 0 {
					t.Errorf("%+v, %v", ended, err)
				}
			})
		}
		wg.Wait()
		for _, e := range events {
			d := b.deliveries(t, e.ID)["ops"][0]
			require.Equal(t, event.Pending, d.State)
			require.False(t, d.RetriedAt.IsZero())
			story, err := b.store.ActionsOf(ctx, e.ID, 10)
			require.NoError(t, err)
			require.Len(t, story, 1)
			require.Equal(t, a.ID, story[0].ID)
		}
		for _, e := range later {
			require.Equal(t, event.Dead, b.deliveries(t, e.ID)["ops"][0].State, "it came after the action began")
		}
		require.True(t, b.deliveries(t, other.ID)["chat"][0].RetriedAt.IsZero())
	})
}

// TestReplayLeavesOthersAlone replays 500 events to one new target, in a process that is
// killed in the middle: each is replayed once, and no other row of a delivery is written.
func TestReplayLeavesOthersAlone(t *testing.T) {
	t.Parallel()

	onEach(t, func(t *testing.T, b *bench) {
		ctx, n := t.Context(), 500
		events := append(b.many(t, 250, event.Delivered, "ops", "chat"), b.many(t, 250, event.Pending, "ops", "chat")...)
		before := b.others(t, events)
		a, err := b.Begin(ctx, root, operate.Bulk{What: store.ActionReplay, Events: &store.EventFilter{Source: "radarr"}, To: []string{"archive"}, ExpectCount: &n})
		require.NoError(t, err)
		b.kill(t, a.ID, 100)
		a, err = b.Run(ctx, a.ID)
		require.NoError(t, err)
		require.Equal(t, store.ActionDone, a.State)
		require.Equal(t, n, a.Done)
		for _, e := range events {
			require.Len(t, b.deliveries(t, e.ID)["archive"], 1)
		}
		require.Equal(t, before, b.others(t, events))
	})
}

// others are the deliveries to all but archive, and what wrote them last, where the
// database tells.
func (b *bench) others(t *testing.T, events []event.Event) (all []any) {
	t.Helper()
	for _, e := range events {
		byTarget := b.deliveries(t, e.ID)
		all = append(all, byTarget["ops"], byTarget["chat"])
	}
	if !strings.HasPrefix(b.url, "postgres") {
		return all
	}
	conn, err := pgx.Connect(t.Context(), b.url)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(context.WithoutCancel(t.Context()))) }()
	var writers string
	require.NoError(t, conn.QueryRow(t.Context(),
		`SELECT string_agg(xmin::text, ' ' ORDER BY id) FROM deliveries WHERE target <> 'archive'`).Scan(&writers))
	return append(all, writers)
}

func TestBulkActionsAreWorkedByAJob(t *testing.T) {
	t.Parallel()

	onEach(t, func(t *testing.T, b *bench) {
		ctx := t.Context()
		b.many(t, 250, event.Pending, "ops")
		workers, queues := river.NewWorkers(), map[string]river.QueueConfig{}
		require.NoError(t, b.Register(workers))
		b.Queues(queues, river.QueueConfig{FetchCooldown: 5 * time.Millisecond, FetchPollInterval: 50 * time.Millisecond})
		queue, err := b.store.OpenQueue(&river.Config{Workers: workers, Queues: queues, Logger: slog.New(slog.DiscardHandler), MaxAttempts: store.MaxAttempts})
		require.NoError(t, err)
		require.NoError(t, queue.Start(context.WithoutCancel(ctx)))
		defer func() { require.NoError(t, queue.Stop(context.WithoutCancel(ctx))) }()
		a, err := b.Begin(ctx, root, operate.Bulk{What: store.ActionCancel, Deliveries: &store.DeliveryFilter{Text: "nothing of the kind"}})
		require.ErrorIs(t, err, operate.ErrNothing, "%+v", a)
		a, err = b.Begin(ctx, root, operate.Bulk{What: store.ActionCancel, Deliveries: &store.DeliveryFilter{Source: "radarr", Text: "dUNE"}})
		require.NoError(t, err)
		require.Eventually(t, func() bool {
			a, err = b.Action(ctx, a.ID)
			return err == nil && a.State == store.ActionDone
		}, time.Minute, 10*time.Millisecond)
		require.Equal(t, 250, a.Done)
		count, err := b.CountDeliveries(ctx, store.DeliveryFilter{State: event.Cancelled})
		require.NoError(t, err)
		require.Equal(t, store.Count{N: 250}, count)
	})
}

// TestDeliveredMeanwhileIsSkipped is of rows that others change between the look and the
// transaction, and of an action that is stopped.
func TestDeliveredMeanwhileIsSkipped(t *testing.T) {
	t.Parallel()

	onEach(t, func(t *testing.T, b *bench) {
		ctx := t.Context()
		e, deliveries := b.accept(t, nil, "ops")
		b.many(t, 150, event.Pending, "ops")
		o := b.options
		o.Store = &meddler{Store: b.store, look: func() { b.settle(t, deliveries[0].ID, event.Delivered) }}
		s := operate.New(o)
		a, err := s.Begin(ctx, root, operate.Bulk{What: store.ActionCancel, Deliveries: &store.DeliveryFilter{Target: "ops"}})
		require.NoError(t, err)
		a, err = s.Run(ctx, a.ID)
		require.NoError(t, err)
		require.Equal(t, 150, a.Done)
		require.Equal(t, 1, a.Skipped)
		require.Contains(t, a.Error, "it is delivered")
		require.Equal(t, event.Delivered, b.deliveries(t, e.ID)["ops"][0].State)

		b.many(t, 150, event.Pending, "ops")
		var id uuid.UUID
		o.Store = &meddler{Store: b.store, look: func() {
			_, err := b.StopAction(ctx, root, id)
			require.NoError(t, err)
		}}
		s = operate.New(o)
		a, err = s.Begin(ctx, root, operate.Bulk{What: store.ActionCancel, Deliveries: &store.DeliveryFilter{Target: "ops"}})
		require.NoError(t, err)
		id = a.ID
		a, err = s.Run(ctx, a.ID)
		require.NoError(t, err)
		require.Equal(t, store.ActionStopped, a.State)
		require.Equal(t, "stopped by root", a.Error)
		require.Zero(t, a.Done)
		_, err = b.StopAction(ctx, root, id)
		require.ErrorIs(t, err, operate.ErrInvalid)
		list, err := b.Actions(ctx, store.ActionFilter{})
		require.NoError(t, err)
		require.Len(t, list, 2)
	})
}

// meddler has something happen after the first look at a page.
type meddler struct {
	*store.Store
	look func()
	once sync.Once
}

func (m *meddler) MatchDeliveries(ctx context.Context, f store.DeliveryFilter) ([]uuid.UUID, uuid.UUID, error) {
	ids, next, err := m.Store.MatchDeliveries(ctx, f)
	m.once.Do(m.look)
	return ids, next, err
}

func TestBulkSaysWhatIsWrong(t *testing.T) {
	t.Parallel()

	onEach(t, func(t *testing.T, b *bench) {
		ctx := t.Context()
		b.many(t, 3, event.Dead, "ops")
		three, four := 3, 4
		ops := store.DeliveryFilter{Target: "ops"}
		count, err := b.Count(ctx, operate.Bulk{What: store.ActionRetry, Deliveries: &ops})
		require.NoError(t, err)
		require.Equal(t, store.Count{N: 3}, count)
		for _, c := range []struct {
			bulk operate.Bulk
			want error
		}{
			{operate.Bulk{What: store.ActionRetry, Deliveries: &ops, ExpectCount: &four}, operate.ErrCountDiffers},
			{operate.Bulk{What: store.ActionCancel, Deliveries: &ops, ExpectCount: &three}, operate.ErrNothing},
			{operate.Bulk{What: store.ActionRetry, Deliveries: &store.DeliveryFilter{State: event.Delivered}}, operate.ErrInvalid},
			{operate.Bulk{What: store.ActionRetry, Events: &store.EventFilter{}}, operate.ErrInvalid},
			{operate.Bulk{What: store.ActionRetry, Deliveries: &ops, To: []string{"ops"}}, operate.ErrInvalid},
			{operate.Bulk{What: store.ActionReplay, Deliveries: &ops}, operate.ErrInvalid},
			{operate.Bulk{What: store.ActionReplay, Events: &store.EventFilter{}, To: []string{"nowhere"}}, operate.ErrUnknownTarget},
			{operate.Bulk{What: store.ActionPause, Deliveries: &ops}, operate.ErrInvalid},
		} {
			_, err := b.Begin(ctx, root, c.bulk)
			require.ErrorIs(t, err, c.want, "%+v", c.bulk)
		}
		list, err := b.Actions(ctx, store.ActionFilter{})
		require.NoError(t, err)
		require.Empty(t, list)

		// A target that leaves the configuration fails what is on its way there.
		a, err := b.Begin(ctx, root, operate.Bulk{What: store.ActionReplay, Events: &store.EventFilter{}, To: []string{"archive"}})
		require.NoError(t, err)
		o := b.options
		o.Targets = func() []string { return []string{"ops"} }
		a, err = operate.New(o).Run(ctx, a.ID)
		require.ErrorIs(t, err, operate.ErrUnknownTarget)
		require.Equal(t, store.ActionFailed, a.State)
		require.Contains(t, a.Error, "archive")
	})
}

// TestRedecodeInBulk has what no decoder understood decoded anew, in pages.
func TestRedecodeInBulk(t *testing.T) {
	t.Parallel()

	onEach(t, func(t *testing.T, b *bench) {
		ctx := t.Context()
		var last event.Event
		for range 3 {
			last, _ = b.accept(t, func(e *event.Event) { e.State, e.Type = event.Undecodable, "" })
		}
		a, err := b.Begin(ctx, root, operate.Bulk{What: store.ActionReplay, Events: &store.EventFilter{State: event.Undecodable}, Redecode: true})
		require.NoError(t, err)
		// A process without plugins leaves it to others.
		o := b.options
		o.Redecoder = nil
		_, err = operate.New(o).Run(ctx, a.ID)
		require.ErrorIs(t, err, operate.ErrInvalid)
		a, err = b.Run(ctx, a.ID)
		require.NoError(t, err)
		require.Equal(t, store.ActionDone, a.State)
		require.Equal(t, 3, a.Done)
		require.Len(t, b.deliveries(t, last.ID)["ops"], 1)
		found, err := b.store.ListEvents(ctx, store.EventFilter{Type: sdk.TypeMediaImported, State: event.Routed})
		require.NoError(t, err)
		require.Len(t, found, 3)
	})
}
