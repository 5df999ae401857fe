// Package message puts an event into words for people. It decides what is said and
// in which order; a target plugin only maps the result to what its service can show.
package message

import (
	"strings"
	"time"

	"github.com/hookarr/hookarr/sdk"
)

// Message is an event in words. All text is plain, trimmed and free of control
// characters; its length is not limited, and nothing in it is escaped. Fit does
// both.
type Message struct {
	// Headline says what kind of thing happened: "Movie imported". Never empty.
	Headline string
	// Emoji goes with the headline.
	Emoji string
	// Color goes with it too, as 0xRRGGBB.
	Color int
	// Title is what it happened to, on one line. Never empty.
	Title string
	// URL is the page of the item: absolute http or https, or empty.
	URL string
	// Summary is one sentence; empty when it would repeat the title.
	Summary string
	// Text is prose of several lines: a plot, or what is wrong.
	Text string
	// List holds what there are several of: episodes, files. At most listMax and a
	// line that counts the rest.
	List []string
	// Fields are facts in order of importance.
	Fields []Field
	// Links lead to the item elsewhere.
	Links []Link
	// Image is a poster: an absolute http or https URL, or empty.
	Image string
	// Footer names the application that reported the event.
	Footer string
	// Time is when it happened; zero when that is not known.
	Time time.Time
}

// Field is one fact. Neither part is empty.
type Field struct {
	Name, Value string
	// Code marks a value for machines, such as a path; it needs a line of its own.
	Code bool
}

// Link is a named page. The URL is absolute http or https.
type Link struct{ Name, URL string }

// listMax is how many episodes or files are named, and namesMax how many values
// share one field: a message is read at a glance.
const (
	listMax  = 10
	namesMax = 8
)

// New describes e. Whatever is missing from e is left out.
func New(e sdk.Event) Message {
	s := styleOf(e)
	m := Message{
		Headline: s.headline,
		Emoji:    s.emoji,
		Color:    s.color,
		Title:    title(e, s.headline),
		URL:      WebURL(e.URL),
		Summary:  line(e.Summary),
		List:     list(e),
		Fields:   fields(e),
		Links:    links(e),
		Footer:   footer(e),
		Time:     e.Time.UTC(),
	}
	if m.Summary == m.Title {
		m.Summary = ""
	}
	if t := text(e); !strings.Contains(m.Summary, t) {
		m.Text = t
	}
	if e.Media != nil {
		m.Image = WebURL(e.Media.Poster)
	}
	return m
}

func title(e sdk.Event, fallback string) string {
	candidates := []string{e.Title}
	if e.Media != nil {
		candidates = append(candidates, e.Media.Title)
	}
	if e.Release != nil {
		candidates = append(candidates, e.Release.Title)
	}
	if e.Health != nil {
		candidates = append(candidates, e.Health.Check)
	}
	return firstLine(append(candidates, fallback)...)
}

// footer is "Radarr 4K 6.0.3 · radarr-4k": what the application calls itself, then
// what Hookarr calls it.
func footer(e sdk.Event) string {
	name := firstLine(e.Instance, e.App)
	parts := make([]string, 0, 2)
	if app := line(name + " " + e.AppVersion); app != "" {
		parts = append(parts, app)
	}
	if source := line(e.Source); source != "" && !strings.EqualFold(source, name) {
		parts = append(parts, source)
	}
	return strings.Join(parts, " · ")
}

// text is the prose of an event: what is wrong, or what the title is about when it
// is news to the reader.
func text(e sdk.Event) string {
	switch e.Type {
	case sdk.TypeHealthIssue, sdk.TypeHealthRestored, sdk.TypeTargetHeld, sdk.TypeTargetResumed, sdk.TypeDeliveryDead:
		if e.Health != nil {
			return paragraphs(e.Health.Message)
		}
	case sdk.TypeAppUpdated:
		// What the applications say of an update is its versions, which are a field.
		if e.Update != nil && (e.Update.From == "" || e.Update.To == "") {
			return paragraphs(e.Update.Message)
		}
	case sdk.TypeImportFailed, sdk.TypeDownloadFailed, sdk.TypeManualInteractionRequired:
		if e.Download != nil {
			return paragraphs(strings.Join(e.Download.Messages, "\n"))
		}
	case sdk.TypeReleaseGrabbed, sdk.TypeMediaImported, sdk.TypeMediaAdded:
		if len(e.Episodes) == 1 && e.Episodes[0].Overview != "" {
			return paragraphs(e.Episodes[0].Overview)
		}
		if e.Media != nil {
			return paragraphs(e.Media.Overview)
		}
	default:
	}
	return ""
}
