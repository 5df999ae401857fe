package message_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/hookarr/hookarr/plugins/internal/eventtest"
	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/sdk"
)

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write the golden files")
	os.Exit(m.Run())
}

// shown is a message as a person would draw it.
func shown(m message.Message) string {
	var b strings.Builder
	add := func(format string, a ...any) {
		if s := fmt.Sprintf(format, a...); strings.TrimSpace(s) != "" {
			b.WriteString(message.Fit(s, 240, message.Plain) + "\n")
		}
	}
	add("%s  (%s)", m.Emoji+" "+m.Headline, m.Severity)
	add("# %s", m.Title)
	add("%s", m.Summary)
	for l := range strings.Lines(m.Text) {
		add("| %s", strings.TrimSpace(l))
	}
	for _, item := range m.List {
		add("• %s", item)
	}
	for _, f := range m.Fields {
		if f.Code {
			add("%s: `%s`", f.Name, f.Value)
		} else {
			add("%s: %s", f.Name, f.Value)
		}
	}
	for _, l := range m.Links {
		add("[%s] %s", l.Name, l.URL)
	}
	if m.Image != "" {
		size := "small"
		if m.Large {
			size = "large"
		}
		add("%s picture %s", size, m.Image)
	}
	if m.Footer != "" {
		add("-- %s, %s", m.Footer, m.Time.Format("2006-01-02 15:04:05"))
	}
	return b.String()
}

func TestGoldens(t *testing.T) {
	t.Parallel()
	stories := eventtest.Stories()
	for _, c := range eventtest.Events() {
		stories = append(stories, eventtest.Story{Name: "event_" + c.Name, Events: []sdk.Event{c.Event}})
	}
	for _, story := range stories {
		t.Run(story.Name, func(t *testing.T) {
			t.Parallel()
			var b strings.Builder
			for _, look := range message.Looks() {
				fmt.Fprintf(&b, "=== %s\n%s\n", look, shown(message.New(story.Events...).In(look)))
			}
			eventtest.GoldenText(t, "testdata/"+story.Name+".golden.txt", b.String())
		})
	}
}
