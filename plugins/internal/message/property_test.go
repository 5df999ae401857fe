package message_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/hookarr/hookarr/plugins/internal/eventtest"
	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/sdk"
)

func TestAnyStoryHasOneMessage(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		events := eventtest.AnyStory().Draw(t, "events")
		before, err := json.Marshal(events)
		require.NoError(t, err)
		m := message.New(events...)
		after, err := json.Marshal(events)
		require.NoError(t, err)
		require.Equal(t, string(before), string(after), "the events are the caller's")

		other := rapid.Permutation(events).Draw(t, "order")
		require.Equal(t, m, message.New(other...))
		require.Equal(t, m, message.New(append(other, events...)...), "what is told twice adds nothing")
		require.NotEmpty(t, m.Headline)
		require.NotEmpty(t, m.Title)
		saidOnce(t, m)
	})
}

// saidOnce requires that no part of a message is another one again.
func saidOnce(t require.TestingT, m message.Message) {
	require.NotEqual(t, m.Title, m.Summary)
	require.NotEqual(t, m.Headline, m.Summary)
	if m.Text != "" {
		require.NotEqual(t, m.Text, m.Summary)
	}
	seen := map[string]bool{}
	for _, item := range m.List {
		require.False(t, seen[item], item)
		seen[item] = true
		require.NotEqual(t, m.Title, item)
	}
	names := map[string]bool{}
	for _, f := range m.Fields {
		require.False(t, names[f.Name], f.Name)
		names[f.Name] = true
	}
}

func TestEveryImportedEpisodeIsNamed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		events := eventtest.AnyStory().Draw(t, "events")
		for i := range events {
			events[i].Media = &sdk.Media{Kind: "series", ID: "1", Title: "Series"}
			events[i].Source = "sonarr"
		}
		m := message.New(events...)
		for _, look := range message.Looks() {
			shown := m.In(look)
			said := expanded(strings.Join(append(shown.List, shown.Title, shown.Summary), "\n"))
			for _, e := range events {
				if !slices.Contains([]sdk.Type{sdk.TypeMediaImported, sdk.TypeMediaUpgraded, sdk.TypeImportCompleted}, e.Type) {
					continue
				}
				for _, ep := range e.Episodes {
					name := ep.Code
					switch {
					case ep.Number != nil:
						name = fmt.Sprintf("S%02dE%02d", ep.Season, *ep.Number)
					case name == "":
						name = ep.Title
					}
					require.Contains(t, said, name, "%s\n%s", look, shown.Plain(9000))
				}
			}
		}
	})
}

// expanded is a text with every number and date of the ranges in it.
func expanded(s string) string {
	var b strings.Builder
	b.WriteString(s + "\n")
	for _, run := range regexp.MustCompile(`S(\d+)((?:E\d+(?:–E\d+)?(?:, )?)+)`).FindAllStringSubmatch(s, -1) {
		for _, part := range regexp.MustCompile(`E(\d+)(?:–E(\d+))?`).FindAllStringSubmatch(run[2], -1) {
			first, _ := strconv.Atoi(part[1])
			last, err := strconv.Atoi(part[2])
			if err != nil {
				last = first
			}
			for n := first; n <= last; n++ {
				fmt.Fprintf(&b, "S%sE%02d\n", run[1], n)
			}
		}
	}
	for _, part := range regexp.MustCompile(`(\d+-\d+-\d+) – (\d+-\d+-\d+)`).FindAllStringSubmatch(s, -1) {
		first, _ := time.Parse(time.DateOnly, part[1])
		last, _ := time.Parse(time.DateOnly, part[2])
		for d := first; !d.After(last); d = d.AddDate(0, 0, 1) {
			b.WriteString(d.Format(time.DateOnly) + "\n")
		}
	}
	return b.String()
}

func TestAnyEventsTogetherHaveWords(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := message.New(rapid.SliceOfN(eventtest.Any(), 0, 4).Draw(t, "events")...)
		require.NotEmpty(t, m.Headline)
		require.NotEmpty(t, m.Title)
	})
}

func FuzzNew(f *testing.F) {
	add := func(events ...sdk.Event) {
		raw, err := json.Marshal(events)
		require.NoError(f, err)
		f.Add(raw)
	}
	for _, c := range eventtest.Events() {
		add(c.Event)
	}
	for _, s := range eventtest.Stories() {
		add(s.Events...)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var events []sdk.Event
		if json.Unmarshal(raw, &events) != nil {
			return
		}
		m := message.New(events...)
		require.NotEmpty(t, m.Headline)
		require.NotEmpty(t, m.Title)
		for _, look := range message.Looks() {
			shown := m.In(look)
			for _, s := range []string{shown.Plain(1000), shown.HTML(1000), shown.Markdown(1000)} {
				require.LessOrEqual(t, message.Len(s), 1000)
			}
		}
	})
}
