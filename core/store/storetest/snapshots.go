package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

// items are rows of an inventory: a title with two files for each number.
func items(run int, numbers ...int) []store.Item {
	var all []store.Item
	for _, i := range numbers {
		title := fmt.Sprintf("movie/%03d", i)
		all = append(all, store.Item{Key: title, Run: run, Digest: "d" + title, Fields: "title:1", About: []byte(`{"title":1}`)})
		for _, part := range []string{"a", "b"} {
			all = append(all, store.Item{Key: fmt.Sprintf("file/%03d%s", i, part), Parent: title, Run: run, Digest: "f", About: []byte(`{}`)})
		}
	}
	return all
}

// step makes a step of radarr's snapshot, and returns the state after it.
func step(t *testing.T, s *store.Store, state store.Snapshot, change store.SnapshotStep) (store.Snapshot, []store.Accepted) {
	t.Helper()
	change.State = state
	change.State.Source, change.State.Step = "radarr", state.Step+1
	accepted, err := s.StepSnapshot(t.Context(), &change)
	require.NoError(t, err)
	return change.State, accepted
}

func keysOf(list []store.Item) []string {
	keys := []string{}
	for _, i := range list {
		keys = append(keys, i.Key)
	}
	return keys
}

func gone(t *testing.T, s *store.Store, run int, titles bool) []string {
	t.Helper()
	var all []string
	after := store.Item{Run: -1}
	for {
		list, err := s.GoneItems(t.Context(), "radarr", run, titles, after, 2)
		require.NoError(t, err)
		if len(list) == 0 {
			return all
		}
		all, after = append(all, keysOf(list)...), list[len(list)-1]
	}
}

func testInventory(t *testing.T, db Database) {
	s, ctx := db.Store, t.Context()
	_, err := s.FindSnapshot(ctx, "radarr")
	require.ErrorIs(t, err, store.ErrNotFound)
	begun := time.Date(2026, 11, 29, 10, 0, 0, 0, time.UTC)
	state, _ := step(t, s, store.Snapshot{Run: 1, Phase: store.SnapshotReading, BegunAt: begun, Cursor: "a\x00b", Items: 9}, store.SnapshotStep{Save: items(1, 1, 2, 3, 4)})
	found, err := s.FindSnapshot(ctx, "radarr")
	require.NoError(t, err)
	require.Equal(t, state, found)
	at := begun.Add(time.Minute)
	differs := store.Item{Key: "movie/002", Run: 2, Digest: "old", Fields: "x", About: []byte(`{}`), Found: []byte(`{"new":1}`), FoundAt: at}
	fresh := store.Item{Key: "file/000", Parent: "movie/002", Run: 2, About: []byte(`{}`), Found: []byte(`{}`), FoundAt: at}
	state, _ = step(t, s, state, store.SnapshotStep{Save: []store.Item{fresh, differs}, Seen: []string{"movie/001", "file/001a", "file/002a", "nothing"}})
	state.Run = 2
	state, _ = step(t, s, state, store.SnapshotStep{Seen: []string{"movie/001", "file/001a", "file/002a", "nothing"}})

	byKey, err := s.FindItems(ctx, "radarr", []string{"movie/001", "movie/002", "nothing"})
	require.NoError(t, err)
	first := items(2, 1)[0]
	require.Equal(t, map[string]store.Item{"movie/001": first, "movie/002": differs}, byKey)
	none, err := s.FindItems(ctx, "sonarr", []string{"movie/001"})
	require.NoError(t, err)
	require.Empty(t, none)
	list, err := s.FoundItems(ctx, "radarr", 10)
	require.NoError(t, err)
	require.Equal(t, []store.Item{differs, fresh}, list, "titles first")

	require.Equal(t, []string{"movie/003", "movie/004"}, gone(t, s, 2, true))
	require.Equal(t, []string{"file/001b", "file/002b", "file/003a", "file/003b", "file/004a", "file/004b"}, gone(t, s, 2, false))
	titles, files, err := s.CountGone(ctx, "radarr", 2)
	require.NoError(t, err)
	require.Equal(t, []int{2, 2}, []int{titles, files}, "less the files of titles that are gone")
	state, _ = step(t, s, state, store.SnapshotStep{Drop: []string{"movie/003"}, DropFilesOf: []string{"movie/003", "movie/002"}})
	require.Equal(t, []string{"movie/004"}, gone(t, s, 2, true))
	require.Equal(t, []string{"file/001b", "file/004a", "file/004b"}, gone(t, s, 2, false), "a file that was seen stays")
	byKey, err = s.FindItems(ctx, "radarr", []string{"file/002a", "file/002b"})
	require.NoError(t, err)
	require.Len(t, byKey, 1)

	// Whoever goes by an older state changes nothing.
	late := store.SnapshotStep{State: store.Snapshot{Source: "radarr", Step: state.Step, Run: 9}, Drop: []string{"movie/001"}}
	_, err = s.StepSnapshot(ctx, &late)
	require.ErrorIs(t, err, store.ErrSnapshotOvertaken)
	found, err = s.FindSnapshot(ctx, "radarr")
	require.NoError(t, err)
	require.Equal(t, state, found)
	require.NotContains(t, gone(t, s, 3, true), "movie/003")
	require.Contains(t, gone(t, s, 3, true), "movie/001")
}

// Events of a snapshot are told with the rows that they are of, or repeat what is stored.
func testSnapshotTells(t *testing.T, db Database) {
	s := db.Store
	made := func(title string, keys ...string) *store.Acceptance {
		a := acceptance(title, "ops")
		a.Event.Origin, a.Event.Request.Method, a.Event.Request.Header = sdk.OriginSnapshot, "", nil
		for _, key := range keys {
			a.Keys = append(a.Keys, store.DedupKey{Key: key, Window: time.Hour})
		}
		return a
	}
	keyed := func(a *store.Acceptance, key string) *store.Acceptance {
		a.Keys = []store.DedupKey{{Key: key, Window: time.Hour}}
		return a
	}
	old, young := keyed(acceptance("old"), "fp:old"), keyed(acceptance("young"), "fp:young")
	old.Event.ID = event.FirstID(time.Now().Add(-time.Hour))
	accept(t, s, old)
	accept(t, s, young)
	first, third, second := made("first", "fp:1", "fp:2"), made("third", "fp:young"), made("second", "fp:old")
	state, accepted := step(t, s, store.Snapshot{Run: 1, Told: 3}, store.SnapshotStep{
		Accept: []*store.Acceptance{first, second, third}, Judged: event.FirstID(time.Now().Add(-time.Minute)), Save: items(1, 1),
	})
	require.Equal(t, []store.Accepted{
		{EventID: first.Event.ID}, {EventID: second.Event.ID}, {EventID: young.Event.ID, Duplicate: true},
	}, accepted)
	require.Equal(t, []int{2, 1}, []int{state.Told, state.Known})
	require.EqualValues(t, 2, jobs(t, db, store.TargetQueue("ops")))
	// The webhook of what was told is a repetition, and its request says more.
	webhook := keyed(acceptance("webhook", "ops"), "fp:2")
	require.Equal(t, store.Accepted{EventID: first.Event.ID, Duplicate: true}, accept(t, s, webhook))
	e, _, err := s.FindEvent(t.Context(), first.Event.ID)
	require.NoError(t, err)
	require.Equal(t, webhook.Event.Request, e.Request)

	list, err := s.EventsAfter(t.Context(), "radarr", old.Event.ID, 2)
	require.NoError(t, err)
	require.Len(t, list, 2)
	require.Equal(t, young.Event.ID, list[0].ID)
	require.JSONEq(t, `{"title":"first"}`, string(list[1].Normalized))
	list, err = s.EventsAfter(t.Context(), "radarr", second.Event.ID, 2)
	require.NoError(t, err)
	require.Empty(t, list)
}

func testAskSnapshot(t *testing.T, db Database) {
	s := db.Store
	ask := func(wish store.SnapshotWish) (store.Snapshot, int) {
		a := action(store.ActionSync)
		a.Args = store.ActionArgs{Source: "radarr", Sync: &wish}
		state, run, err := s.AskSnapshot(t.Context(), a, "radarr", wish)
		require.NoError(t, err)
		found, err := s.FindAction(t.Context(), a.ID)
		require.NoError(t, err)
		require.Equal(t, a.Args, found.Args)
		return state, run
	}
	state, run := ask(store.SnapshotWish{})
	require.Equal(t, 1, run)
	require.Equal(t, &store.SnapshotWish{}, state.Asked)
	require.EqualValues(t, 1, jobs(t, db, store.SnapshotQueue))
	state, run = ask(store.SnapshotWish{Full: true, To: "one"})
	require.Equal(t, 1, run, "the same run")
	require.Equal(t, &store.SnapshotWish{Full: true, To: "one"}, state.Asked)
	state, _ = ask(store.SnapshotWish{AllowDeletions: true})
	require.Equal(t, &store.SnapshotWish{Full: true, To: "one", AllowDeletions: true}, state.Asked)
	state, _ = ask(store.SnapshotWish{Full: true, To: "other"})
	require.Equal(t, &store.SnapshotWish{Full: true, AllowDeletions: true}, state.Asked)
	require.EqualValues(t, 1, jobs(t, db, store.SnapshotQueue))

	state.Run, state.Asked, state.Phase, state.Trouble = 1, nil, store.SnapshotReading, "it does not answer"
	state, _ = step(t, s, state, store.SnapshotStep{})
	joined, run := ask(store.SnapshotWish{})
	require.Equal(t, 1, run, "the one that is under way")
	require.Nil(t, joined.Asked)
	require.Empty(t, joined.Trouble)
	require.Equal(t, state.Step+1, joined.Step)
	_, run = ask(store.SnapshotWish{Full: true})
	require.Equal(t, 2, run)
}

func testPurgeSnapshots(t *testing.T, db Database) {
	s := db.Store
	step(t, s, store.Snapshot{Run: 1}, store.SnapshotStep{Save: items(1, 1, 2, 3)})
	purge := func(after time.Duration) int {
		p, err := s.Purge(t.Context(), store.Retention{Events: time.Hour, DeadLetters: time.Hour, Snapshots: after}, 4)
		require.NoError(t, err)
		return p.Snapshots
	}
	require.Zero(t, purge(0))
	time.Sleep(5 * time.Millisecond)
	require.Equal(t, 9, purge(time.Millisecond), "the items")
	require.Equal(t, 1, purge(time.Millisecond), "the state")
	_, err := s.FindSnapshot(t.Context(), "radarr")
	require.ErrorIs(t, err, store.ErrNotFound)
	require.Empty(t, gone(t, s, 2, true))
}

// A run that begins after its source's inventory was purged, as by a server that was off for a
// month, knows that nothing is known. One that goes on from a state of before does nothing.
func testPurgeOfReadSnapshots(t *testing.T, db Database) {
	s := db.Store
	state, _ := step(t, s, store.Snapshot{Run: 7, EndedRun: 7, KnownAt: time.Now(), EndedAt: time.Now()}, store.SnapshotStep{Save: items(7, 1, 2, 3)})
	time.Sleep(5 * time.Millisecond)
	p, err := s.Purge(t.Context(), store.Retention{Events: time.Hour, DeadLetters: time.Hour, Snapshots: time.Millisecond}, 100)
	require.NoError(t, err)
	require.Equal(t, 9, p.Snapshots)
	found, err := s.FindSnapshot(t.Context(), "radarr")
	require.NoError(t, err)
	require.Equal(t, store.Snapshot{Source: "radarr", Run: 7}, found, "items of the run that are left are of one before the next")
	state.Step++
	_, err = s.StepSnapshot(t.Context(), &store.SnapshotStep{State: state})
	require.ErrorIs(t, err, store.ErrSnapshotOvertaken)
}

// A job that has looked at what was asked for, and ends, is followed by another.
func testAskSnapshotOfAJobThatEnds(t *testing.T, db Database) {
	_, _, err := db.Store.AskSnapshot(t.Context(), action(store.ActionSync), "radarr", store.SnapshotWish{})
	require.NoError(t, err)
	require.EqualValues(t, 1, db.Exec(t, "UPDATE river_job SET state = 'running' WHERE queue = 'snapshot'"))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		time.Sleep(200 * time.Millisecond)
		db.Exec(t, "DELETE FROM river_job WHERE queue = 'snapshot'")
	}()
	_, _, err = db.Store.AskSnapshot(t.Context(), action(store.ActionSync), "radarr", store.SnapshotWish{Full: true})
	require.NoError(t, err)
	<-ended
	require.EqualValues(t, 1, jobs(t, db, store.SnapshotQueue))
}
