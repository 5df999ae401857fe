package silence_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/silence"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

// noon is when the silences of these tests begin; they last an hour.
func noon() time.Time { return time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC) }

func silenceOf(expression, target string) store.Silence {
	return store.Silence{
		ID: event.NewID(), Expression: expression, Target: target, Who: "root", StartsAt: noon(), EndsAt: noon().Add(time.Hour),
	}
}

func eventOf(t *testing.T, source string) event.Event {
	t.Helper()
	e := sdk.Event{Source: source, Type: sdk.TypeMediaImported, Title: "Arrival"}
	normalized, err := json.Marshal(e)
	require.NoError(t, err)
	return event.Event{ID: event.NewID(), Source: source, Type: e.Type, Normalized: normalized}
}

func TestMatch(t *testing.T) {
	t.Parallel()
	const before, during, after = -time.Minute, time.Minute, 2 * time.Hour
	for name, tt := range map[string]struct {
		expression, target, source string
		accepted, now              time.Duration
		want                       bool
	}{
		"while it is active":               {`event.source == "radarr"`, "", "radarr", during, during, true},
		"added while it waited":            {"true", "", "radarr", before, during, true},
		"ended while it waited":            {"true", "", "radarr", during, after, true},
		"came before and goes after":       {"true", "", "radarr", before, after, false},
		"came after":                       {"true", "", "radarr", after, after, false},
		"its beginning":                    {"true", "", "radarr", before, 0, true},
		"its end":                          {"true", "", "radarr", before, time.Hour, false},
		"another event":                    {`event.source == "sonarr"`, "", "radarr", during, during, false},
		"its target":                       {"true", "ops", "radarr", during, during, true},
		"another target":                   {"true", "chat", "radarr", during, during, false},
		"a part that is not there":         {"event.media.year > 2000", "", "radarr", during, during, false},
		"trouble":                          {"true", "", sdk.SourceHookarr, during, during, false},
		"trouble that is asked for":        {`event.source == "hookarr"`, "", sdk.SourceHookarr, during, during, false},
		"trouble, for the target":          {"true", "ops", sdk.SourceHookarr, during, during, true},
		"an expression of another version": {"event.nothing == 1", "", "radarr", during, during, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := silenceOf(tt.expression, tt.target)
			set, _ := silence.New([]store.Silence{silenceOf("false", ""), n})
			found, silenced, err := set.Match("ops", eventOf(t, tt.source), noon().Add(tt.accepted), noon().Add(tt.now))
			require.NoError(t, err)
			require.Equal(t, tt.want, silenced)
			if silenced {
				require.Equal(t, n, found)
			}
		})
	}
}

func TestNewTellsWhatItDoesNotUnderstand(t *testing.T) {
	t.Parallel()
	n := silenceOf("event.nothing == 1", "")
	_, problems := silence.New([]store.Silence{n})
	require.Len(t, problems, 1)
	require.EqualError(t, problems[0], "silence "+n.ID.String()+`: column 7: an event has no field "nothing" here`)
}

// An expression that takes too long is passed over, and others are not.
func TestMatchWithinABudget(t *testing.T) {
	t.Parallel()
	slow := silenceOf("all(event.files, all(event.files, true))", "")
	set, problems := silence.New([]store.Silence{slow, silenceOf("true", "")})
	require.Empty(t, problems)
	normalized, err := json.Marshal(sdk.Event{Files: make([]sdk.File, 1000)})
	require.NoError(t, err)
	_, silenced, err := set.Match("ops", event.Event{Source: "radarr", Normalized: normalized}, noon(), noon())
	require.True(t, silenced)
	require.ErrorContains(t, err, slow.ID.String())
}

// rows is a database of silences.
type rows struct {
	list  []store.Silence
	err   error
	reads int
	past  time.Duration
}

func (r *rows) ListSilences(_ context.Context, past time.Duration) ([]store.Silence, time.Time, error) {
	r.reads++
	r.past = past
	return r.list, noon(), r.err
}

func TestSilencesAreReadAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, testReadAgain)
}

func testReadAgain(t *testing.T) {
	db := &rows{err: errors.New("it is away")}
	var log bytes.Buffer
	s := &silence.Silences{Store: db, MaxAge: func() time.Duration { return time.Hour }, Log: slog.New(slog.NewTextHandler(&log, nil))}
	match := func() (bool, error) {
		_, silenced, err := s.Match(t.Context(), "ops", eventOf(t, "radarr"), noon(), noon())
		return silenced, err
	}
	_, err := match()
	require.ErrorContains(t, err, "read silences: it is away", "nobody knows what may go out")

	db.err, db.list = nil, []store.Silence{silenceOf("event.nothing", "")}
	silenced, err := match()
	require.NoError(t, err)
	require.False(t, silenced)
	require.Equal(t, time.Hour, db.past)
	db.list = append(db.list, silenceOf("true", ""))
	silenced, err = match()
	require.NoError(t, err)
	require.False(t, silenced)
	require.Equal(t, 2, db.reads, "not for every event")
	time.Sleep(2 * time.Second) // by the clock of the bubble
	silenced, err = match()
	require.NoError(t, err)
	require.True(t, silenced, "another node has added it")
	db.list = db.list[:1]
	s.Changed()
	silenced, err = match()
	require.NoError(t, err)
	require.False(t, silenced, "this node has ended it")
	require.Equal(t, 1, strings.Count(log.String(), "silence not understood"))
}
