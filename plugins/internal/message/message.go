// Package message puts events into words for people: one event, a story or a digest. It
// decides what is said and in which order; a target plugin only maps the result to what
// its service can show.
package message

import (
	"strconv"
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
	// Severity goes with it too.
	Severity Severity
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
	// List holds what there are several of: every episode, by titles or in ranges; the
	// first of albums, tracks or files and a line that counts the rest; the titles of a
	// digest likewise.
	List []string
	// Fields are facts in order of importance.
	Fields []Field
	// Links lead to the item elsewhere.
	Links []Link
	// Image is a poster: an absolute http or https URL, or empty.
	Image string
	// Large says that the image is to be shown large, and not as a thumbnail.
	Large bool
	// Footer names the application that reported the event.
	Footer string
	// Time is when it happened; zero when that is not known.
	Time time.Time

	// gist is what matters most in a line, and named are the episodes of the list, for
	// looks without fields and lists.
	gist, named string
	// wrong says that the text is what is wrong.
	wrong bool
}

// Field is one fact. Neither part is empty.
type Field struct {
	Name, Value string
	// Code marks a value for machines, such as a path; it needs a line of its own.
	Code bool
	// Weight says in which looks the field is shown.
	Weight Weight
}

// Link is a named page. The URL is absolute http or https.
type Link struct{ Name, URL string }

// New describes the events of a delivery, in any order: one event, a story, of which the
// last state by time leads, or a digest of many titles. Whatever is not known is left out.
// The message is [LookRich]; [Message.In] shows it in another look.
func New(events ...sdk.Event) Message {
	events = sorted(events)
	if parts := stories(events); len(parts) > 1 {
		return digest(events, parts)
	}
	return describe(storyOf(events))
}

func describe(s story) Message {
	style := styleOf(s)
	m := Message{
		Headline: style.headline,
		Emoji:    style.emoji,
		Color:    style.color,
		Severity: style.severity(),
		URL:      WebURL(s.URL),
		Links:    append(s.serverLinks(), links(s.Event)...),
		Image:    image(s.Event),
		Footer:   footer(s.Event),
		Time:     s.Time.UTC(),
	}
	m.Title = title(s, m.Headline)
	titled := false
	if whole := wholeOf(s); whole != "" && len(s.Episodes) > 1 {
		m.Title, titled = episodesTitle(whole, s.Episodes)
	} else if whole != "" && len(s.Albums) > 1 {
		m.Title = whole
	}
	m.List = list(s, titled)
	switch {
	case len(s.Episodes) == 1 && len(m.List) > 0, len(s.Episodes) > 1 && !titled:
		m.named = strings.Join(ranges(s.Episodes), "; ")
	case len(s.Albums) > 1:
		m.named = names(named(s.Albums, albumLine))
	}
	m.Fields = fields(s, m.Title)
	m.Text = text(s)
	m.wrong = s.Health != nil || cause(s) != ""
	m.Summary = summary(s, m)
	what := cause(s)
	if m.Text != "" && repeats(m.Text, m.Summary) {
		m.Text, what = "", ""
	}
	m.gist = gist(m.Fields)
	if s.Type == sdk.TypeHealthRestored {
		what = line(m.Text)
	}
	if what != "" {
		m.gist = joined(", ", short(what, gistMax), m.gist)
	}
	return m
}

// gistMax is how much of what is wrong a line says.
const gistMax = 200

// wholeOf is the name of what several episodes or albums belong to.
func wholeOf(s story) string {
	if s.Media == nil {
		return ""
	}
	return line(s.Media.Title)
}

func title(s story, fallback string) string {
	candidates := []string{s.Title}
	if s.Media != nil {
		candidates = append(candidates, s.Media.Title)
	}
	if s.Release != nil {
		candidates = append(candidates, s.Release.Title)
	}
	if s.Health != nil {
		candidates = append(candidates, s.Health.Check)
	}
	return firstLine(append(candidates, fallback)...)
}

// summary is the sentence that the event came with, where it says more than the rest of
// the message. Those of the Arr applications are put together by their source plugins.
func summary(s story, m Message) string {
	var lines []string
	own := line(s.Summary)
	said := []string{m.Headline, m.Title, m.Text, m.Footer, s.Title, s.AddMethod, releaseOf(s).Indexer, strings.Join(m.List, " "), s.DeleteReason, spelled(s.DeleteReason)}
	for _, n := range []int{len(s.Episodes), len(s.Albums), len(s.Tracks), len(s.Files), len(s.RenamedFiles)} {
		said = append(said, strconv.Itoa(n))
	}
	for _, f := range m.Fields {
		said = append(said, f.Name, f.Value)
	}
	if len(s.Files) == 1 {
		said = append(said, s.Files[0].Path)
	}
	switch {
	case strings.EqualFold(own, m.Title), strings.EqualFold(own, m.Headline), strings.Contains(m.Text, own):
	case fromArr(s.Event) && (s.merged() || repeats(strings.TrimSuffix(own, ellipsis), said...)):
	default:
		lines = append(lines, own)
	}
	if s.upgraded > 0 && s.Type == sdk.TypeMediaImported {
		lines = append(lines, plural(s.upgraded, "1 of them is an upgrade", strconv.Itoa(s.upgraded)+" of them are upgrades"))
	}
	if len(s.earlier) > 0 && !arrival(s.Event) {
		lines = append(lines, "Imported before: "+strings.Join(ranges(s.earlier), "; "))
	}
	return strings.Join(lines, " · ")
}

// fromArr reports whether the event's sentence is one of this project.
func fromArr(e sdk.Event) bool {
	switch strings.ToLower(e.App) {
	case "radarr", "sonarr", "lidarr", "readarr", "whisparr", "prowlarr":
		return true
	default:
		return false
	}
}

// footer is "Radarr 4K · cloud": what the application calls itself, then what Hookarr
// calls it where that says more.
func footer(e sdk.Event) string {
	name, source := instance(e), line(e.Source)
	if strings.Contains(compact(name), compact(source)) {
		source = ""
	}
	return joined(" · ", name, source)
}

func instance(e sdk.Event) string { return firstLine(e.Instance, e.App) }

// compact is the letters and digits of a name, which people and programs write apart in
// several ways.
func compact(s string) string { return strings.Join(bareWords(s), "") }

// cause is what is wrong, or empty for what is well.
func cause(s story) string {
	switch s.Type {
	case sdk.TypeHealthIssue, sdk.TypeTargetHeld, sdk.TypeDeliveryDead, sdk.TypePathsApart, sdk.TypeSpaceLow:
		if s.Health != nil {
			return line(s.Health.Message)
		}
	case sdk.TypeImportFailed, sdk.TypeDownloadFailed, sdk.TypeManualInteractionRequired:
		if s.Download != nil {
			return firstLine(s.Download.Messages...)
		}
	default:
	}
	return ""
}

// textMax is what is left of a long text of what is wrong.
const textMax = 700

// text is the prose of a story: what is wrong, or what the title is about when it is news
// to the reader.
func text(s story) string {
	switch s.Type {
	case sdk.TypeHealthIssue, sdk.TypeHealthRestored, sdk.TypeTargetHeld, sdk.TypeTargetResumed, sdk.TypeDeliveryDead, sdk.TypePathsApart,
		sdk.TypeSpaceLow, sdk.TypeSpaceRestored:
		if s.Health != nil {
			return short(paragraphs(s.Health.Message), textMax)
		}
	case sdk.TypeAppUpdated:
		// What the applications say of an update is its versions, which are a field.
		if s.Update != nil && (s.Update.From == "" || s.Update.To == "") {
			return paragraphs(s.Update.Message)
		}
	case sdk.TypeImportFailed, sdk.TypeDownloadFailed, sdk.TypeManualInteractionRequired:
		if s.Download != nil && len(s.Download.Messages) > 0 {
			return short(paragraphs(strings.Join(s.Download.Messages, "\n")), textMax)
		}
		if isRequest(s.Event) {
			return paragraphs(s.Media.Overview)
		}
	case sdk.TypeReleaseGrabbed, sdk.TypeMediaImported, sdk.TypeImportCompleted, sdk.TypeMediaAdded:
		switch {
		case len(s.Episodes) == 1:
			return paragraphs(s.Episodes[0].Overview)
		case len(s.Episodes) == 0 && s.Media != nil:
			return paragraphs(s.Media.Overview)
		}
	default:
		if isRequest(s.Event) {
			return paragraphs(s.Media.Overview)
		}
	}
	return ""
}
