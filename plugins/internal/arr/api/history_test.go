package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/plugins/internal/arr/api"
	"github.com/hookarr/hookarr/sdk"
)

// counter tells grabs by download and how many records told them.
type counter struct{ fail string }

func (counter) Part(r *api.Record) string {
	if r.Is("grabbed") || r.Is("movieFileRenamed") {
		return r.DownloadID
	}
	return ""
}

func (c counter) Tell(_ context.Context, t api.Told) (sdk.Event, error) {
	title := fmt.Sprintf("%s×%d", t.First().DownloadID, len(t.Records))
	if t.First().DownloadID == c.fail {
		return sdk.Event{}, errors.New("no answer")
	}
	return sdk.Event{Title: title, Upgrade: bool(t.Import("gone").IsUpgrade)}, nil
}

func (counter) Details(context.Context, sdk.Event) (sdk.Event, error) { return sdk.Event{}, nil }

// begin is when the histories of these tests begin.
func begin() time.Time { return time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC) }

func at(minutes float64) string {
	return begin().Add(time.Duration(minutes * float64(time.Minute))).Format(time.RFC3339)
}

func record(id int, minutes float64, kind, download string) string {
	return fmt.Sprintf(`{"id":%d,"date":%q,"eventType":%q,"downloadId":%q,"movieId":1,"sourceTitle":"s%d","data":{"reason":"Upgrade"}}`, id, at(minutes), kind, download, id)
}

// history serves records from a date on, by a clock that is ahead.
func history(t *testing.T, ahead time.Duration, records ...string) sdk.Env {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Date", time.Now().Add(ahead).UTC().Format(http.TimeFormat))
		if strings.HasSuffix(r.URL.Path, "/system/status") {
			_, _ = w.Write([]byte(`{"appName":"Radarr","version":"6.1.0"}`))
			return
		}
		since, _ := time.Parse(time.RFC3339, r.URL.Query().Get("date"))
		younger := slices.DeleteFunc(slices.Clone(records), func(record string) bool {
			var r struct{ Date time.Time }
			return json.Unmarshal([]byte(record), &r) == nil && r.Date.Before(since)
		})
		_, _ = w.Write([]byte("[" + strings.Join(younger, ",") + "]"))
	}))
	t.Cleanup(server.Close)
	return sdk.Env{Instance: server.URL, HTTP: &sdk.HTTP{}}
}

// reads returns the powers of an application at the address that the instance is named after.
func reads(env sdk.Env, reader api.Reader) *api.Powers {
	return api.New(env, api.Config{BaseURL: env.Instance, APIKey: "k"}, api.App{
		Name: arr.Radarr, API: "v3", Reader: func(api.Library) api.Reader { return reader },
	})
}

// reading returns the powers of an application with a history.
func reading(t *testing.T, reader api.Reader, records ...string) *api.Powers {
	t.Helper()
	return reads(history(t, 0, records...), reader)
}

// pages reads until there is no more.
func pages(t *testing.T, p *api.Powers, q sdk.HistoryQuery) []string {
	t.Helper()
	var all []string
	for range 100 {
		page, err := p.History(t.Context(), q)
		require.NoError(t, err)
		for _, e := range page.Events {
			all = append(all, e.Event.Title)
		}
		if !page.More {
			return all
		}
		require.NotEqual(t, q.Cursor, page.Cursor)
		q.Cursor = page.Cursor
	}
	require.Fail(t, "there is always more")
	return nil
}

func TestRecordsOfOneEventAreToldTogether(t *testing.T) {
	t.Parallel()
	records := []string{
		record(1, -0.5, "grabbed", "began-before"),
		record(2, 0.1, "grabbed", "began-before"),
		record(3, 1, "grabbed", "a"),
		record(4, 1, "grabbed", "b"),
		record(5, 1, "grabbed", "a"),
		record(6, 1.5, "grabbed", "a"),
		record(7, 1.6, "failed", "a"),
		record(8, 5, "grabbed", "a"),
		record(9, 9.9, "grabbed", "ends-later"),
		record(10, 10.5, "grabbed", "ends-later"),
	}
	p := reading(t, counter{}, records...)
	for limit := 1; limit <= 5; limit++ {
		q := sdk.HistoryQuery{Since: begin(), Until: begin().Add(10 * time.Minute), Limit: limit}
		require.Equal(t, []string{"began-before×2", "b×1", "a×3", "a×1"}, pages(t, p, q))
		q.Since, q.Until = q.Until, time.Time{}
		require.Equal(t, []string{"ends-later×2"}, pages(t, p, q))
	}
	page, err := p.History(t.Context(), sdk.HistoryQuery{Since: begin(), Limit: 3})
	require.NoError(t, err)
	require.JSONEq(t, "["+records[2]+","+records[4]+","+records[5]+"]", string(page.Events[2].Record))
	require.JSONEq(t, records[3], string(page.Events[1].Record))
	require.Equal(t, at(1.5), page.Events[2].Event.Time.Format(time.RFC3339))
}

func TestDisorderAndRepetitionsDoNotMatter(t *testing.T) {
	t.Parallel()
	p := reading(t, counter{}, record(3, 2, "grabbed", "c"), record(1, 1, "grabbed", "a"), record(2, 1, "grabbed", "b"),
		record(1, 1, "grabbed", "a"), `{"id":9,"date":"soon","eventType":"grabbed"}`, `{}`, `7`, `null`,
		`{"id":"4","date":"`+at(3)+`","eventType":"grabbed","downloadId":"d","data":[],"quality":7}`)
	for limit := 1; limit <= 5; limit++ {
		require.Equal(t, []string{"a×1", "b×1", "c×1", "d×1"}, pages(t, p, sdk.HistoryQuery{Since: begin(), Limit: limit}))
	}
}

func TestUpgradesAreTold(t *testing.T) {
	t.Parallel()
	for want, records := range map[bool][]string{
		true:  {record(1, 0, "gone", ""), record(2, 14, "grabbed", "a")},
		false: {record(1, 0, "gone", ""), record(2, 16, "grabbed", "a")},
	} {
		page, err := reading(t, counter{}, records...).History(t.Context(), sdk.HistoryQuery{Since: begin().Add(10 * time.Minute)})
		require.NoError(t, err)
		require.Equal(t, want, page.Events[0].Event.Upgrade)
	}
	page, err := reading(t, counter{}, record(1, 0, "gone", ""), record(2, 1, "grabbed", "a"), record(3, 2, "grabbed", "b")).
		History(t.Context(), sdk.HistoryQuery{Since: begin()})
	require.NoError(t, err)
	require.True(t, page.Events[0].Event.Upgrade)
	require.False(t, page.Events[1].Event.Upgrade, "the file gave way to the first")
}

func TestWhatWasReadBeforeAnErrorIsOfUse(t *testing.T) {
	t.Parallel()
	p := reading(t, counter{fail: "b"}, record(1, 1, "grabbed", "a"), record(2, 2, "grabbed", "b"))
	page, err := p.History(t.Context(), sdk.HistoryQuery{Since: begin()})
	require.NoError(t, err)
	require.Len(t, page.Events, 1)
	require.True(t, page.More)
	_, err = p.History(t.Context(), sdk.HistoryQuery{Since: begin(), Cursor: page.Cursor})
	require.EqualError(t, err, "no answer")
	_, err = p.History(t.Context(), sdk.HistoryQuery{Cursor: "nonsense"})
	require.ErrorContains(t, err, `read the cursor "nonsense"`)
}

// slow takes more than half the time for one event.
type slow struct{ counter }

func (s slow) Tell(ctx context.Context, t api.Told) (sdk.Event, error) {
	deadline, _ := ctx.Deadline()
	time.Sleep(time.Until(deadline) * 3 / 4)
	return s.counter.Tell(ctx, t)
}

func TestASlowApplicationIsReadInSmallPages(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
	defer cancel()
	p := reading(t, slow{}, record(1, 1, "grabbed", "a"), record(2, 2, "grabbed", "b"))
	page, err := p.History(ctx, sdk.HistoryQuery{Since: begin()})
	require.NoError(t, err)
	require.Len(t, page.Events, 1)
	require.True(t, page.More)
}

func TestAnEmptyHistory(t *testing.T) {
	t.Parallel()
	for _, q := range []sdk.HistoryQuery{{}, {Since: begin()}, {Cursor: at(0) + "/7"}} {
		page, err := reading(t, counter{}).History(t.Context(), q)
		require.NoError(t, err)
		require.Empty(t, page.Events)
		require.False(t, page.More)
		require.NotEmpty(t, page.Cursor)
	}
}

// TestHistoryLargerThanAnAnswer cuts the answer off where it is too long, and goes on
// from there.
func TestHistoryLargerThanAnAnswer(t *testing.T) {
	t.Parallel()
	padding := strings.Repeat("x", 1<<20)
	var want []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if strings.HasSuffix(r.URL.Path, "/system/status") {
			_, _ = w.Write([]byte(`{"appName":"Radarr","version":"6.1.0"}`))
			return
		}
		since, _ := time.Parse(time.RFC3339, r.URL.Query().Get("date"))
		_, _ = w.Write([]byte("[0"))
		for i := range 24 {
			minutes := float64(10 * i)
			if date, _ := time.Parse(time.RFC3339, at(minutes)); date.Before(since) {
				continue
			}
			_, _ = fmt.Fprintf(w, `,{"id":%d,"date":%q,"eventType":"grabbed","downloadId":"%d","padding":"%s"}`, i+1, at(minutes), i, padding)
		}
		_, _ = w.Write([]byte("]"))
	}))
	t.Cleanup(server.Close)
	for i := range 24 {
		want = append(want, fmt.Sprintf("%d×1", i))
	}
	p := reads(sdk.Env{Instance: server.URL, HTTP: &sdk.HTTP{}}, counter{})
	require.Equal(t, want, pages(t, p, sdk.HistoryQuery{Since: begin()}))
	require.Equal(t, want[:5], pages(t, p, sdk.HistoryQuery{Since: begin(), Until: begin().Add(49 * time.Minute)}))
}

// Records that say not when they were made, or what happened, are left out at once.
func TestRecordsThatSayNothingAreLeftOut(t *testing.T) {
	t.Parallel()
	p := reading(t, counter{}, `{}`, `{"id":1,"eventType":"grabbed","downloadId":"undated"}`, record(2, 1, "grabbed", "good"))
	page, err := p.History(t.Context(), sdk.HistoryQuery{Since: begin(), Until: begin().Add(time.Hour)})
	require.NoError(t, err)
	require.Len(t, page.Events, 1)
	require.Equal(t, "good×1", page.Events[0].Event.Title)
}

// The files of a large series may be renamed for a long time, and one webhook tells it.
func TestALongEventIsToldWhole(t *testing.T) {
	t.Parallel()
	var records []string
	for i := range 180 {
		records = append(records, record(i+1, float64(i)/2, "grabbed", "long"))
	}
	p := reading(t, counter{}, records...)
	require.Equal(t, []string{"long×180"}, pages(t, p, sdk.HistoryQuery{Since: begin().Add(85 * time.Minute)}))
	require.Empty(t, pages(t, p, sdk.HistoryQuery{Since: begin(), Until: begin().Add(60 * time.Minute)}), "it has not ended")
}

func renamed(id int, minutes float64, from, to string) string {
	return fmt.Sprintf(`{"id":%d,"date":%q,"eventType":"movieFileRenamed","downloadId":"renamed","data":{"sourcePath":%q,"path":%q}}`, id, at(minutes), from, to)
}

func TestKnownRenamesAreLeftOut(t *testing.T) {
	t.Parallel()
	p := reading(t, counter{}, renamed(1, 0, "a", "b"), renamed(2, 0.1, "c", "d"), renamed(3, 0.1, "c", "d"),
		renamed(4, 10, "b", "a"), renamed(5, 20, "a", "b"))
	for _, test := range []struct {
		known []sdk.Rename
		want  []string
	}{
		{nil, []string{"renamed×3", "renamed×1", "renamed×1"}},
		{[]sdk.Rename{{From: "c", To: "d"}}, []string{"renamed×1", "renamed×1", "renamed×1"}},
		{[]sdk.Rename{{From: "a", To: "b"}}, []string{"renamed×3", "renamed×1"}},
		{[]sdk.Rename{{From: "a", To: "b"}, {From: "a", To: "b"}, {From: "c", To: "d"}}, []string{"renamed×1"}},
		{[]sdk.Rename{{From: "x", To: "y"}}, []string{"renamed×3", "renamed×1", "renamed×1"}},
	} {
		require.Equal(t, test.want, pages(t, p, sdk.HistoryQuery{Since: begin(), Renamed: test.known}), "%v", test.known)
	}
}

// Records are dated by the application's clock, and everything else by ours.
func TestAClockThatIsOff(t *testing.T) {
	t.Parallel()
	for _, ahead := range []time.Duration{-time.Hour, -3 * time.Minute, 3 * time.Minute, time.Hour} {
		off := ahead.Minutes()
		env := history(t, ahead, record(1, off-5, "grabbed", "before"), record(2, off+5, "grabbed", "a"), record(3, off+6, "grabbed", "b"), record(4, off+15, "grabbed", "later"))
		var log bytes.Buffer
		env.Log = slog.New(slog.NewTextHandler(&log, nil))
		p := reads(env, counter{})
		q := sdk.HistoryQuery{Since: begin(), Until: begin().Add(10 * time.Minute), Limit: 1}
		require.Equal(t, []string{"a×1", "b×1"}, pages(t, p, q), ahead)
		page, err := p.History(t.Context(), q)
		require.NoError(t, err)
		require.WithinDuration(t, begin().Add(5*time.Minute), page.Events[0].Event.Time, time.Minute)
		require.Equal(t, 1, strings.Count(log.String(), "clock is off"), log.String())
		require.Equal(t, at(off+5)+"/2", page.Events[0].Key)
	}
}

// An answer of very many records is read in parts.
func TestHistoryOfManyRecords(t *testing.T) {
	t.Parallel()
	const n = 40_000
	records := make([]string, n)
	for i := range records {
		records[i] = fmt.Sprintf(`{"id":%d,"date":%q,"eventType":"ignored"}`, i+1, at(float64(i)/10))
	}
	records[100] = record(101, 10, "grabbed", "a")
	records[n-1] = record(n, n/10, "grabbed", "b")
	require.Equal(t, []string{"a×1", "b×1"}, pages(t, reading(t, counter{}, records...), sdk.HistoryQuery{Since: begin()}))
}
